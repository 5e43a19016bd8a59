import type { Cell, OpenSnapshot, Reader, ReaderPlugin, RecordOutput, Schema, Split } from '../../core/sdk/index.ts';
import { ChannelOutput } from '../../core/task/output.ts';
import { Channel } from '../../core/transport/channel.ts';
import { RateLimit } from '../../core/transport/rate-limit.ts';
import mysqlReader from '../../plugins/mysql/reader.ts';
import postgresReader from '../../plugins/postgres/reader.ts';
import { readerOf, type TestDatabase } from './sql.ts';

/** The readers of a run, all in this thread: one that plans, and one per lane. */
export interface SnapshotLanes {
  readonly main: Reader;
  readonly lanes: readonly Reader[];
  readonly schema: Schema;
  /** Tables and queries, uncut. */
  readonly splits: readonly Split[];
  /** Opens the snapshot for all lanes, has them join, and says so; as a run does it. */
  open(): Promise<OpenSnapshot>;
  /** Rows of a split, read by one of the lanes. */
  read(lane: number, split: Split, options?: ReadOptions): Promise<Cell[][]>;
  close(): Promise<void>;
}

export interface ReadOptions {
  readonly signal?: AbortSignal;
  /** Called with the rows of each batch; the reader waits for it. */
  readonly onBatch?: (rows: Cell[][]) => Promise<void> | void;
}

export async function openLanes(database: TestDatabase, lanes: number, options: object = {}, table = ''): Promise<SnapshotLanes> {
  const plugin: ReaderPlugin = database.kind === 'postgres' ? postgresReader : mysqlReader;
  const { parameter } = readerOf(database, table);
  const life = new AbortController();
  const context = { run: 'test', job: 'test', warn: () => undefined, print: () => undefined, signal: life.signal };
  const open = async () => plugin.open(plugin.options.parse({ ...parameter, ...options }), context);
  const all = await Promise.all(Array.from({ length: lanes + 1 }, open));
  const [main, ...readers] = all as [Reader, ...Reader[]];
  const schema = await main.schema();
  const splits = await main.split!({ channels: lanes, bytesPerTask: () => 1 });
  return {
    main,
    lanes: readers,
    schema,
    splits,
    async open() {
      const snapshot = await main.openSnapshot!({ splits, readers: lanes });
      const token = JSON.parse(JSON.stringify(snapshot.token)) as OpenSnapshot['token'];
      await Promise.all(readers.map((reader) => reader.joinSnapshot!(token)));
      await snapshot.joined?.();
      return snapshot;
    },
    read: (lane, split, readOptions) => readRows(readers[lane]!, schema, split, readOptions),
    async close() {
      await Promise.all(all.map(async (reader) => reader.close?.()));
    },
  };
}

export async function readRows(
  reader: Reader,
  schema: Schema,
  split: Split,
  { signal = new AbortController().signal, onBatch }: ReadOptions = {},
): Promise<Cell[][]> {
  const stop = new AbortController();
  const ended = AbortSignal.any([signal, stop.signal]);
  const channel = new Channel({ maxBytes: 1 << 20, maxBatches: 2 }, new RateLimit({ bytesPerSecond: 0, recordsPerSecond: 0 }), ended);
  const output: RecordOutput & { flush(): Promise<void> } = new ChannelOutput(schema, { maxBytes: 1 << 16, maxRows: 1000 }, channel, {
    batch: (batch) => batch,
    reject: (fault) => {
      throw fault;
    },
  });
  const rows: Cell[][] = [];
  const write = async () => {
    for (let batch = await channel.next(); batch !== undefined; batch = await channel.next()) {
      const taken = [...batch.rows()];
      rows.push(...taken);
      await onBatch?.(taken);
    }
  };
  const read = async () => {
    for (const part of split.members ?? [split]) await reader.read(part, output, ended);
    await output.flush();
    channel.end();
  };
  const writing = write().catch((error: unknown) => {
    stop.abort(error);
    throw error;
  });
  const [wrote, reading] = await Promise.allSettled([writing, read().finally(() => channel.end())]);
  // A reader that fails ends the channel, so that only a cause of its own is the writer's.
  for (const one of [wrote, reading]) if (one.status === 'rejected') throw one.reason;
  return rows;
}

/** A range of whole numbers of the column `id`, as the Splitter cuts it. */
export function rangeOf(split: Split, from: number | null, to: number | null): Split {
  const key = split.keys!.find(({ columns }) => columns[0] === 'id')!;
  return {
    ...split,
    name: `${split.name} from ${from ?? 'the start'}`,
    range: {
      columns: ['id'],
      from: from === null ? null : [String(from)],
      to: to === null ? null : [String(to)],
      includesNull: false,
      ...(key.state === undefined ? {} : { state: key.state }),
    },
  };
}
