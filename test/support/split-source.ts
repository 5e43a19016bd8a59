import type { KeySource, Reader, ReaderPlugin, Schema, Split } from '../../core/sdk/index.ts';
import { splitBytesAt } from '../../core/splitter/size.ts';
import { planSplits, type SplitPlan } from '../../core/splitter/split-plan.ts';
import { ChannelOutput } from '../../core/task/output.ts';
import { Channel } from '../../core/transport/channel.ts';
import { RateLimit } from '../../core/transport/rate-limit.ts';
import mysqlReader from '../../plugins/mysql/reader.ts';
import postgresReader from '../../plugins/postgres/reader.ts';
import type { Database } from '../integration/types/databases.ts';

/** How the Splitter finds where to cut. Which of histogram and sample PostgreSQL offers depends on its statistics. */
export type Method = 'histogram' | 'sample' | 'blocks' | 'index dives' | 'keyset walk' | 'scan';

const offered: Record<Method, readonly (keyof KeySource)[]> = {
  histogram: ['points', 'bounds'],
  sample: ['points', 'bounds'],
  blocks: ['points'],
  'index dives': ['bounds', 'estimate', 'between'],
  'keyset walk': ['bounds', 'step'],
  scan: ['scan'],
};

/** So large that a table of some hundred rows is cut, and so that `pieces` come out. */
const statedBytes = 1e9;
/** A walk takes 5,000 rows at a step, which is more than most of these tables have. */
const walkedFaster = 500;

export interface CutOptions {
  /** Columns of the key, separated by commas. Default: what the Splitter chooses. */
  readonly key?: string;
  /** Default: what the Splitter would do. */
  readonly method?: Method;
  readonly pieces?: number;
}

/** Planning that is not watched. */
const unheard = { announce: () => undefined, progress: () => undefined };

/** A table opened by the reader of its server, cut and read as a run does it. */
export interface SplitSource {
  readonly parts: readonly Split[];
  /** Cuts the first part, small as it is. */
  cut(options?: CutOptions): Promise<SplitPlan>;
  /** Cuts all parts for four channels by nothing but what the reader says of them. */
  plan(): Promise<SplitPlan>;
  /** The first column of every row of a split. */
  read(split: Split): Promise<string[]>;
  /** The same of all splits, one after the other. */
  readAll(splits: readonly Split[]): Promise<string[]>;
  close(): Promise<void>;
}

export async function openSource(database: Database, table: string, options: object = {}): Promise<SplitSource> {
  return openParameter(database, { column: ['id'], ...options }, { table: [table] });
}

/** `querySql` instead of a table. */
export async function openQuery(database: Database, query: string, options: object = {}): Promise<SplitSource> {
  return openParameter(database, options, { querySql: [query] });
}

async function openParameter({ kind, login }: Database, options: object, from: object): Promise<SplitSource> {
  const { jdbcUrl, ...user } = login;
  const parameter = { ...user, ...options, connection: [{ jdbcUrl: [jdbcUrl], ...from }] };
  const open = () => openReader(kind === 'postgres' ? postgresReader : mysqlReader, parameter);
  // Tasks read with a reader of their own, often in another thread.
  const [planning, reading] = [await open(), await open()];
  const schema = await planning.schema();
  const parts = await planning.split!({ channels: 4, bytesPerTask: (total) => total / 16 });
  const source: SplitSource = {
    parts,
    cut: ({ key, method, pieces = 4 } = {}) => {
      const [part] = parts;
      const keys = part!.keys?.filter(
        ({ kind: holds, columns }) =>
          (key === undefined || columns.join(',') === key) && (method === undefined || (holds === 'blocks') === (method === 'blocks')),
      );
      const big: Split = { ...part!, ...(keys === undefined ? {} : { keys }), estimatedBytes: statedBytes };
      return planSplits(method === undefined ? planning : offering(planning, method), [big], {
        // One channel has work enough in any number of splits, so that it is the size that decides.
        channels: 1,
        splitBytes: Math.ceil((statedBytes * 1.001) / pieces),
        ...unheard,
      });
    },
    plan: () => planSplits(planning, parts, { channels: 4, splitBytes: splitBytesAt(undefined), ...unheard }),
    read: (split) => readSplit(reading, schema, JSON.parse(JSON.stringify(split)) as Split),
    readAll: async (splits) => {
      const rows: string[] = [];
      for (const split of splits) rows.push(...(await source.read(split)));
      return rows;
    },
    close: async () => {
      await Promise.all([planning.close?.(), reading.close?.()]);
    },
  };
  return source;
}

async function openReader(plugin: ReaderPlugin, parameter: object): Promise<Reader> {
  const signal = new AbortController().signal;
  return plugin.open(plugin.options.parse(parameter), {
    run: 'splits',
    job: 'test',
    warn: () => undefined,
    print: () => undefined,
    signal,
  });
}

/** The reader, telling of its keys only what the method needs. */
function offering(reader: Reader, method: Method): Pick<Reader, 'openKey'> {
  return {
    openKey: async (split, key) => {
      const source = await reader.openKey!(split, key);
      const { step } = source;
      const shorter: KeySource =
        step === undefined ? source : { ...source, step: (from, rows) => step(from, Math.ceil(rows / walkedFaster)) };
      return Object.fromEntries(Object.entries(shorter).filter(([name]) => offered[method].includes(name as keyof KeySource)));
    },
  };
}

async function readSplit(reader: Reader, schema: Schema, split: Split): Promise<string[]> {
  const signal = new AbortController().signal;
  const channel = new Channel({ maxBytes: 1 << 20, maxBatches: 8 }, new RateLimit({ bytesPerSecond: 0, recordsPerSecond: 0 }), signal);
  const output = new ChannelOutput(schema, { maxBytes: 1 << 16, maxRows: 1000 }, channel, {
    batch: (batch) => batch,
    reject: (fault) => {
      throw fault;
    },
  });
  const reading = reader
    .read(split, output, signal)
    .then(() => output.flush())
    .finally(() => channel.end());
  const rows: string[] = [];
  for (let batch = await channel.next(); batch !== undefined; batch = await channel.next()) {
    for (const [id] of batch.rows()) rows.push(id!);
  }
  await reading;
  return rows;
}

/** Ids that a read should have delivered once and did not, for a message; undefined if it delivered each of them once. */
export function lostOrTwice(expected: readonly string[], read: readonly string[]): string | undefined {
  const counts = new Map<string, number>(expected.map((id) => [id, 0]));
  for (const id of read) counts.set(id, (counts.get(id) ?? 0) + 1);
  const wrong = [...counts].filter(([, count]) => count !== 1);
  if (wrong.length === 0) return undefined;
  const shown = wrong.slice(0, 3).map(([id, count]) => `${id} read ${count} times`);
  return `${wrong.length} rows: ${shown.join(', ')}`;
}
