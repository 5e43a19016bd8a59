import type { Difference } from '../sdk/index.ts';
import { z } from '../sdk/index.ts';
import { jobDifferences } from './datax-differences.ts';
import type { AnyPlugin } from './reference-page.ts';

const intro = `# Coming from DataX

Made by \`npx dray docs datax\`, which prints this page.

A job file of DataX runs as it is, if its plugins are among those below: \`npx dray check --offline job.json\` says so, or names the line that
is wrong. \`npx dray import datax job.json > new.json\` prints it without what has no effect here, with comments on what is different. Secrets
that stand in it become variables.

| with DataX | with dray |
| --- | --- |
| \`python bin/datax.py job.json\` | \`npx dray run job.json\` |
| \`python bin/datax.py -p "-Dday=2026-11-21" http://host/job.json\` | \`npx dray run http://host/job.json -p "-Dday=2026-11-21"\` |
| \`python bin/datax.py -r mysqlreader -w postgresqlwriter\` | \`npx dray template -r mysqlreader -w postgresqlwriter\` |
| \`"dryRun": true\` in \`job.setting\` | the same, or \`npx dray check job.json\` |
| \`-j "-Xmx8g"\`, \`--jobid\`, \`--mode\`, \`--loglevel\` | nothing: memory is bounded, and a job is one process |

Left out of the tables is what is the same.`;

const transformers = `## Transformers

[transformers.md](transformers.md#differs-from-datax) says what is different.`;

/** docs/datax.md: what is different here, from the lists that the plugins carry and from the schemas that validate their options. */
export function dataxPage(plugins: readonly AnyPlugin[]): string {
  const sections = plugins
    .filter(({ kind }) => kind !== 'transformer')
    .map((plugin) => [`## ${plugin.aliases?.[0] ?? plugin.name}`, ...sectionOf(plugin)].join('\n\n'));
  return `${intro}\n\n## Jobs\n\n${table(jobDifferences)}\n\n${sections.join('\n\n')}\n\n${transformers}\n`;
}

function sectionOf(plugin: AnyPlugin): string[] {
  const { kind, differences = [], servesFor = [] } = plugin;
  const { ignored, refused } = markedKeys(z.toJSONSchema(plugin.options, { io: 'input', unrepresentable: 'any' }) as Node, '');
  const name = plugin.aliases?.[0] ?? plugin.name;
  return [
    ...(differences.length === 0 ? [] : [table(differences)]),
    ...(ignored.length === 0 ? [] : [`Accepted, and without effect: ${ignored.join(', ')}. \`npx dray plugins ${name}\` says why.`]),
    ...(refused.length === 0 ? [] : [`Refused: ${refused.join(', ')}.`]),
    ...(servesFor.length === 0
      ? []
      : [`A job with ${servesFor.map(code).join(', ')} may be tried with this ${kind}: it speaks the same protocol.`]),
  ];
}

function table(differences: readonly Difference[]): string {
  const rows = differences.map(
    ({ what, datax, here }) => `| ${[what, datax, here].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`,
  );
  return ['| | DataX | dray |', '| --- | --- | --- |', ...rows].join('\n');
}

const code = (text: string) => `\`${text}\``;

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly ignored?: string;
  readonly refused?: string;
}

function markedKeys(node: Node, prefix: string): { ignored: string[]; refused: string[] } {
  const found = { ignored: [] as string[], refused: [] as string[] };
  for (const [key, child] of Object.entries(node.properties ?? {})) {
    if (child.ignored !== undefined) found.ignored.push(code(prefix + key));
    if (child.refused !== undefined) found.refused.push(code(prefix + key));
    const inner = markedKeys(child, `${prefix}${key}.`);
    found.ignored.push(...inner.ignored);
    found.refused.push(...inner.refused);
  }
  return found;
}
