import { expect, it } from 'vitest';
import {
  BatchBuilder,
  type Cell,
  type LogicalType,
  type PluginContext,
  type RecordBatch,
  type Schema,
  type TransformerPlugin,
} from '../../core/sdk/index.ts';
import { openChain } from '../../core/transform/chain.ts';

export interface TransformerCase {
  readonly plugin: TransformerPlugin;
  /** `parameter` of a job file. */
  readonly parameter: object;
  /** Columns in front of it. */
  readonly schema: Schema;
  /** Rows that it does not refuse; at least three. What becomes of one must not depend on the others. */
  readonly rows: readonly (readonly Cell[])[];
  /** What becomes of them; undefined for a row that is filtered. */
  readonly expected: readonly (readonly Cell[] | undefined)[];
  /** A row that it refuses, if there is such a row. */
  readonly badRow?: readonly Cell[];
}

/** What every transformer must do, whatever it does to rows. Call it inside of a `describe`. */
export function transformerContract({ plugin, parameter, schema, rows, expected, badRow }: TransformerCase): void {
  const options = () => plugin.options.parse(parameter);
  const open = () => openChain([{ plugin, options: structuredClone(options()) }], schema, context, limits);
  const kept = expected.flatMap((row) => (row === undefined ? [] : [row]));

  it('has options that travel to other threads', () => {
    expect(structuredClone(options())).toEqual(options());
  });

  it('describes the columns behind it in plain JSON, and the same way each time', async () => {
    const chain = await open();
    const again = await open();
    expect(JSON.parse(JSON.stringify(chain.schema))).toEqual(chain.schema);
    expect(again.schema).toEqual(chain.schema);
    const names = chain.schema.columns.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.every((name) => name !== '')).toBe(true);
    await Promise.all([chain.close(), again.close()]);
  });

  it('does to each row what it should, in one batch and row by row', async () => {
    const chain = await open();
    const whole = chain.run(batchOf(schema, rows));
    expect([...(whole.batch?.rows() ?? [])]).toEqual(kept);
    expect([whole.filtered, whole.dirty]).toEqual([rows.length - kept.length, []]);
    for (const [index, row] of rows.entries()) {
      const { batch, filtered } = chain.run(batchOf(schema, [row]));
      expect([[...(batch?.rows() ?? [])], filtered]).toEqual(expected[index] === undefined ? [[], 1] : [[expected[index]], 0]);
    }
    await chain.close();
  });

  it('makes cells in the canonical text of their columns, not longer than these say, and NULL only where there may be one', async () => {
    const chain = await open();
    const { batch } = chain.run(batchOf(schema, rows));
    for (const row of batch?.rows() ?? []) {
      for (const [index, { type, isNullable, length = Number.POSITIVE_INFINITY }] of chain.schema.columns.entries()) {
        const cell = row[index]!;
        if (cell === null) expect(isNullable).toBe(true);
        else {
          expect(cell).toMatch(canonical[type]);
          expect([...cell].length).toBeLessThanOrEqual(length);
        }
      }
    }
    await chain.close();
  });

  it('leaves the batch as it was read', async () => {
    const chain = await open();
    const batch = batchOf(schema, rows);
    const before = Buffer.from(batch.bytes);
    chain.run(batch);
    expect(batch.bytes.equals(before)).toBe(true);
    await chain.close();
  });

  it('lets a column pass of which it knows nothing', async () => {
    const wide: Schema = { columns: [...schema.columns, { name: 'one more', type: 'string', isNullable: true }] };
    const chain = await openChain([{ plugin, options: options() }], wide, context, limits);
    const more = (row: readonly Cell[], index: number) => [...row, odd[index % odd.length]!];
    const { batch } = chain.run(batchOf(wide, rows.map(more)));
    const left = rows.flatMap((_, index) => (expected[index] === undefined ? [] : [odd[index % odd.length]!]));
    const place = chain.schema.columns.findIndex(({ name }) => name === 'one more');
    expect(place).not.toBe(-1);
    expect([...(batch?.rows() ?? [])].map((row) => row[place])).toEqual(left);
    await chain.close();
  });

  if (badRow === undefined) return;

  it('refuses a bad row, and lets the others go on', async () => {
    const chain = await open();
    const { batch, dirty } = chain.run(batchOf(schema, [rows[0]!, badRow, ...rows.slice(1)]));
    expect([...(batch?.rows() ?? [])]).toEqual(kept);
    expect(dirty.map(({ row, fault }) => [row, fault.code])).toEqual([[1, 'ROW_REJECTED']]);
    const [{ fault }] = dirty as [(typeof dirty)[0]];
    for (const cell of badRow) if (cell !== null && cell.length > 3) expect(fault.message).not.toContain(cell);
    await chain.close();
  });
}

const limits = { maxBytes: 1 << 20, maxRows: 1 << 16 };
const odd: readonly Cell[] = [null, '', '\t\n\r\\', '\\N', '😀ä'];
const day = String.raw`(?:-?infinity|\d{4,6}-\d{2}-\d{2}`;
const clock = String.raw`\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?`;
const canonical: Record<LogicalType, RegExp> = {
  boolean: /^(?:true|false)$/,
  integer: /^-?\d+$/,
  decimal: /^(?:-?\d+(?:\.\d+)?|NaN|-?Infinity)$/,
  double: /^(?:-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|NaN|-?Infinity)$/,
  string: /^/,
  bytes: /^\\x(?:[0-9a-f]{2})*$/,
  date: new RegExp(`^${day}(?: BC)?)$`),
  time: new RegExp(`^-?\\d?${clock}$`),
  timestamp: new RegExp(`^${day} ${clock}(?: BC)?)$`),
  timestamptz: new RegExp(`^${day} ${clock}\\+00(?: BC)?)$`),
  json: /^[\s\S]+$/,
};

const context: PluginContext = {
  run: 'contract',
  job: 'contract',
  warn: () => undefined,
  print: () => undefined,
  signal: new AbortController().signal,
};

function batchOf(schema: Schema, rows: readonly (readonly Cell[])[]): RecordBatch {
  const builder = new BatchBuilder(schema, limits);
  for (const row of rows) builder.push(row);
  return builder.take()!;
}
