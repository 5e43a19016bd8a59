import { closest, distance } from 'fastest-levenshtein';
import { DrayError, type ReaderPlugin, type TransformerPlugin, type WriterPlugin } from '../sdk/index.ts';
import type { PluginRef } from './plugin-ref.ts';

type AnyPlugin = ReaderPlugin | WriterPlugin | TransformerPlugin;

/** Plugins of DataX (the plugin.json files of its repository) for systems that no plugin of ours is about, each without `reader` or `writer`. */
const dataxSystems = new Set(
  `adbmysql adbpg ads cassandra clickhouse databend datahub doris drds elasticsearch gaussdb gdb hbase094x hbase11x hbase11xsql hbase20xsql
  hdfs hologresjdbc kingbasees kudu loghub milvus mongodb neo4j obhbase oceanbasev10 ocs odps opentsdb oracle oscar ots otsstream rdbms
  selectdb sqlserver starrocks sybase tdengine tsdb`.split(/\s+/),
);

/** What to say of a name that no plugin has: a slip of the pen, a system that another plugin knows too, one that none knows. */
export function unknownPlugin(kind: PluginRef['kind'], name: string, known: readonly AnyPlugin[]): DrayError {
  const wanted = name.toLowerCase();
  const relative = known.find(({ servesFor = [] }) => servesFor.includes(wanted));
  if (relative !== undefined) {
    const called = dataxName(relative);
    return new DrayError(
      'PLUGIN_UNKNOWN',
      `there is no ${kind} called "${name}"; the nearest is "${called}", which speaks the same protocol`,
      {
        remedy: `Write "${called}", and check its options with \`dray plugins ${called}\`; nobody has tried it with that system.`,
      },
    );
  }
  if (dataxSystems.has(wanted.replace(/(reader|writer)$/, ''))) {
    return new DrayError('PLUGIN_UNKNOWN', `"${name}" is a plugin of DataX, and dray has no ${kind} for what it is about`, {
      remedy: `Exchange files with that system (\`dray plugins\` lists what can), or write a ${kind} of your own: docs/writing-plugins.md.`,
    });
  }
  const names = known.flatMap(({ name: own, aliases = [] }) => [own, ...aliases]);
  const twin = wanted.replace(/(reader|writer)$/, kind);
  if (names.includes(twin)) return new DrayError('PLUGIN_UNKNOWN', `"${name}" is no ${kind}; the ${kind} is called "${twin}"`);
  const nearest = closest(wanted, names);
  const isNear = distance(wanted, nearest) <= Math.max(2, wanted.length / 3);
  return new DrayError('PLUGIN_UNKNOWN', `there is no ${kind} called "${name}"${isNear ? `; the nearest is "${nearest}"` : ''}`);
}

function dataxName({ name, aliases = [] }: AnyPlugin): string {
  return aliases[0] ?? name;
}
