import { expect, it } from 'vitest';
import type { Cell, DrayError, PluginContext, Reader, ReaderPlugin, Schema, Split } from '../../core/sdk/index.ts';
import { ChannelOutput } from '../../core/task/output.ts';
import { Channel } from '../../core/transport/channel.ts';
import { RateLimit } from '../../core/transport/rate-limit.ts';

export interface ReaderCase {
  readonly plugin: ReaderPlugin;
  /** `parameter` of a job file that reads at least 1,000 rows, and the same rows each time. */
  readonly parameter: () => Promise<object> | object;
  /** How many rows it reads; undefined if the number depends on the channels. */
  readonly rowCount: number;
  /** True if two runs may give other values (random ones). */
  readonly isRandom?: true;
}

const small = { maxBytes: 4096, maxRows: 100 };

/** What every reader must do, whatever it reads. Call it inside of a `describe`. */
export function readerContract({ plugin, parameter, rowCount, isRandom }: ReaderCase): void {
  const open = async (signal = new AbortController().signal): Promise<Reader> =>
    plugin.open(plugin.options.parse(await parameter()), contextOf(signal));

  it('names its columns, and describes them in plain JSON', async () => {
    const reader = await open();
    try {
      const schema = await reader.schema();
      expect(schema.columns.length).toBeGreaterThan(0);
      expect(schema.columns.every(({ name }) => name !== '')).toBe(true);
      expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
    } finally {
      await reader.close?.();
    }
  });

  it('offers splits that survive JSON, and reads all its rows through them once', async () => {
    const reader = await open();
    try {
      const schema = await reader.schema();
      const splits = (await reader.split?.({ channels: 2, bytesPerTask: (total) => total / 8 })) ?? [{ name: 'all' }];
      expect(JSON.parse(JSON.stringify(splits))).toEqual(splits);
      await reader.verify?.(splits);
      const rows = await readAll(schema, splits, open);
      const perRun = isRandom === true ? rowCount * splits.length : rowCount;
      expect(rows.length).toBe(perRun);
      expect(rows.every((row) => row.length === schema.columns.length)).toBe(true);
      if (isRandom !== true) expect(await readAll(schema, splits, open)).toEqual(rows);
    } finally {
      await reader.close?.();
    }
  });

  it('waits while the channel is full', async () => {
    const stop = new AbortController();
    const reader = await open(stop.signal);
    const schema = await reader.schema();
    const [split] = (await reader.split?.({ channels: 1, bytesPerTask: (total) => total })) ?? [{ name: 'all' }];
    const { output, channel, seen } = outputFor(schema, stop.signal);
    const reading = reader.read(split!, output, stop.signal).catch(() => undefined);
    await settled(seen);
    const before = seen.rows;
    await settled(seen);
    expect(seen.rows).toBe(before);
    expect(before).toBeLessThan(rowCount);
    expect(await channel.next()).toBeDefined();
    stop.abort(new Error('enough'));
    await reading;
    await reader.close?.();
  });

  it('stops soon when its signal fires', async () => {
    const stop = new AbortController();
    const reader = await open(stop.signal);
    const schema = await reader.schema();
    const [split] = (await reader.split?.({ channels: 1, bytesPerTask: (total) => total })) ?? [{ name: 'all' }];
    const { output, channel } = outputFor(schema, stop.signal);
    const reading = reader.read(split!, output, stop.signal);
    const outcome = reading.then(
      () => 'resolved',
      () => 'rejected',
    );
    await channel.next();
    stop.abort(new Error('stop'));
    expect(await outcome).toBe('rejected');
    await reader.close?.();
  });
}

function contextOf(signal: AbortSignal): PluginContext {
  return { run: 'contract', job: 'contract', warn: () => undefined, print: () => undefined, signal };
}

function outputFor(schema: Schema, signal: AbortSignal) {
  const channel = new Channel({ maxBytes: 8192, maxBatches: 2 }, new RateLimit({ bytesPerSecond: 0, recordsPerSecond: 0 }), signal);
  const seen = { rows: 0 };
  const output = new ChannelOutput(schema, small, channel, {
    batch: (batch) => {
      seen.rows += batch.rowCount;
      return batch;
    },
    reject: (fault: DrayError) => {
      throw fault;
    },
  });
  return { output, channel, seen };
}

/** Resolves when the count has not changed for a while. */
async function settled(seen: { rows: number }): Promise<void> {
  for (let last = -1; last !== seen.rows || last === 0; ) {
    last = seen.rows;
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}

async function readAll(schema: Schema, splits: readonly Split[], open: () => Promise<Reader>): Promise<Cell[][]> {
  const rows: Cell[][] = [];
  for (const split of splits) {
    const reader = await open();
    const signal = new AbortController().signal;
    const { output, channel } = outputFor(schema, signal);
    const reading = reader
      .read(split, output, signal)
      .then(() => output.flush())
      .finally(() => channel.end());
    for (let batch = await channel.next(); batch !== undefined; batch = await channel.next()) rows.push(...batch.rows());
    await reading;
    await reader.close?.();
  }
  return rows;
}
