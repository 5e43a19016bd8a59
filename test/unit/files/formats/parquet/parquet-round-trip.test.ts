import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Cell, Column, Schema } from '../../../../../core/sdk/index.ts';
import { dateText, dayNumber } from '../../../../../plugins/_files/formats/parquet/days.ts';
import { parquet } from '../../../../../plugins/_files/formats/parquet.ts';
import { anyCell, anyRows, textSchema } from '../../../../support/arbitraries.ts';
import { batchOf } from '../keeping-output.ts';
import { encoded, readIndexed } from '../through.ts';

/** Digits of a number with so many places behind the point. */
function decimal(precision: number, scale: number): fc.Arbitrary<string> {
  const limit = 10n ** BigInt(precision) - 1n;
  return fc.bigInt({ min: -limit, max: limit }).map((whole) => {
    const digits = String(whole < 0n ? -whole : whole).padStart(scale + 1, '0');
    return `${whole < 0n ? '-' : ''}${scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`}`;
  });
}

const fraction = fc.oneof(
  fc.constant(''),
  fc.integer({ min: 1, max: 999_999 }).map((micros) => `.${String(micros).padStart(6, '0').replace(/0+$/, '')}`),
);
const clock = fc
  .tuple(fc.nat({ max: 86_399 }), fraction)
  .map(([seconds, digits]) => `${new Date(seconds * 1000).toISOString().slice(11, 19)}${digits}`);
const date = fc.oneof(
  fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }).map((day) => day.toISOString().slice(0, 10)),
  fc.constantFrom('0001-01-01', '9999-12-31', '1969-12-31', '1970-01-01', '2000-02-29', '1900-03-01', '10000-01-01', '294246-12-31'),
);
const era = fc.constantFrom('', '', '', ' BC');
/** BC days that are in every year. */
const pastDate = fc
  .tuple(fc.integer({ min: 1, max: 4000 }), fc.constantFrom('02-28', '03-01', '12-31'))
  .map(([year, day]) => `${String(year).padStart(4, '0')}-${day}`);
const single = fc.float().map((value) => (Object.is(value, -0) ? '-0' : shortest(value)));

function shortest(value: number): string {
  for (let digits = 1; digits < 9; digits++)
    if (Math.fround(Number(value.toPrecision(digits))) === value) return String(Number(value.toPrecision(digits)));
  return String(Number(value.toPrecision(9)));
}

const columns: [Omit<Column, 'name' | 'isNullable'>, fc.Arbitrary<string>][] = [
  [{ type: 'boolean' }, fc.constantFrom('true', 'false')],
  [{ type: 'integer' }, fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String), fc.integer().map(String))],
  [{ type: 'decimal', precision: 4, scale: 2 }, decimal(4, 2)],
  [{ type: 'decimal', precision: 18, scale: 0 }, decimal(18, 0)],
  [{ type: 'decimal', precision: 19, scale: 19 }, decimal(19, 19)],
  [{ type: 'decimal', precision: 38, scale: 10 }, decimal(38, 10)],
  [{ type: 'decimal' }, decimal(60, 20)],
  [{ type: 'decimal', precision: 65, scale: 30 }, decimal(65, 30)],
  [{ type: 'double' }, fc.double().map((value) => (Object.is(value, -0) ? '-0' : String(value)))],
  [{ type: 'double', mantissaBits: 24 }, single],
  [{ type: 'string' }, anyCell.map((cell) => cell ?? '')],
  [{ type: 'bytes' }, fc.uint8Array({ maxLength: 10 }).map((bytes) => `\\x${Buffer.from(bytes).toString('hex')}`)],
  [
    { type: 'date' },
    fc.oneof(
      date,
      pastDate.map((day) => `${day} BC`),
    ),
  ],
  [{ type: 'time' }, clock],
  [{ type: 'timestamp' }, fc.tuple(fc.oneof(date, pastDate), clock).map(([day, time]) => `${day} ${time}`)],
  [{ type: 'timestamptz' }, fc.tuple(pastDate, clock, era).map(([day, time, before]) => `${day} ${time}+00${before}`)],
  [{ type: 'json' }, fc.json()],
];
const schema: Schema = { columns: columns.map(([column], index) => ({ name: `c${index}`, isNullable: index % 3 !== 0, ...column })) };
const row = fc.tuple(...columns.map(([, cell], index) => (index % 3 === 0 ? cell : fc.option(cell, { freq: 4 }))));

describe('what was written as Parquet', () => {
  test('is read back the same, in every type', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 12 }),
        fc.constantFrom('snappy', 'gzip', 'none'),
        async (rows, compression) => {
          const { rows: read, rejected } = await readIndexed(parquet(), encoded(parquet({ compression }), schema, rows, 5));
          expect({ read, rejected }).toEqual({ read: rows, rejected: [] });
        },
      ),
      { numRuns: 150 },
    );
  });

  test('is read back the same, whatever the texts', async () => {
    await fc.assert(
      fc.asyncProperty(anyRows, async (rows) => {
        const { rows: read, rejected } = await readIndexed(parquet(), encoded(parquet(), textSchema(rows[0]!.length), rows));
        expect({ read, rejected }).toEqual({ read: rows, rejected: [] });
      }),
      { numRuns: 200 },
    );
  });

  test('has the types, the names and the order of its columns', async () => {
    const file = encoded(parquet(), schema, []);
    const found = await readIndexed(parquet(), file);
    expect(found).toMatchObject({ parts: [], rowCount: 0, rows: [] });
    const text = { type: 'string' };
    expect(found.schema.columns).toEqual(
      schema.columns.map(({ name, isNullable, ...column }) => {
        // Numbers with more digits than readers of Parquet know are texts.
        const kept = column.type === 'decimal' && (column.precision ?? 99) > 38 ? text : column;
        return { name, isNullable, ...kept };
      }),
    );
  });

  test('keeps the repeated values of a dictionary apart', async () => {
    const one: Schema = {
      columns: [
        { name: 'd', type: 'double', isNullable: true },
        { name: 's', type: 'string', isNullable: false },
      ],
    };
    const rows: Cell[][] = Array.from({ length: 3000 }, (_, index) => [
      ['0', '-0', 'NaN', null][index % 4]!,
      ['', ' ', 'a', '\u0000'][index % 4]!,
    ]);
    const { rows: read } = await readIndexed(parquet(), encoded(parquet(), one, rows, 1000));
    expect(read).toEqual(rows);
  });

  test('comes in row groups, each of which can be read for itself', async () => {
    const one: Schema = {
      columns: [
        { name: 'n', type: 'integer', isNullable: false },
        { name: 't', type: 'string', isNullable: true },
      ],
    };
    const encoder = parquet().encoder(one);
    const parts = [Buffer.from(encoder.start())];
    const sizes: number[] = [];
    for (let from = 0; from < 160_000; from += 10_000) {
      const rows = Array.from({ length: 10_000 }, (_, index) => [String(from + index), index % 3 === 0 ? null : `text ${index}`]);
      parts.push(Buffer.from(encoder.encode(batchOf(one, rows))));
      sizes.push(parts.at(-1)!.length);
    }
    parts.push(Buffer.from(encoder.end()));
    // 70,000 rows are the first batches that make a group of 65,536.
    expect(sizes.flatMap((size, index) => (size > 0 ? [index] : []))).toEqual([6, 13]);
    const file = Buffer.concat(parts);
    const { parts: groups, rowCount, rows } = await readIndexed(parquet(), file);
    expect(groups.map((part) => part.rows)).toEqual([70_000, 70_000, 20_000]);
    expect(groups.every(({ bytes }) => bytes > 50_000)).toBe(true);
    expect([rowCount, rows.length]).toEqual([160_000, 160_000]);
    expect(rows.every(([n, t], index) => n === String(index) && t === ((index % 10_000) % 3 === 0 ? null : `text ${index % 10_000}`))).toBe(
      true,
    );
    const middle = await readIndexed(parquet(), file, { from: 1, to: 2 });
    expect([middle.rows.length, middle.rows[0]![0], middle.rows.at(-1)![0]]).toEqual([70_000, '70000', '139999']);
  });

  test('comes in row groups that are not larger than they must', () => {
    const one = textSchema(1);
    const encoder = parquet({ compression: 'none' }).encoder(one);
    encoder.start();
    const batch = batchOf(one, [['x'.repeat(4_000_000)]]);
    const sizes = Array.from({ length: 6 }, () => encoder.encode(batch).length);
    expect(sizes.map((size) => size > 0)).toEqual([false, false, false, false, true, false]);
  });
});

test('days are counted like the calendar of JavaScript does, 300,000 years back and forth', () => {
  fc.assert(
    fc.property(fc.integer({ min: -100_000_000, max: 100_000_000 }), (number) => {
      const day = new Date(number * 86_400_000);
      const year = day.getUTCFullYear();
      expect(dayNumber(year, day.getUTCMonth() + 1, day.getUTCDate())).toBe(number);
      const digits = String(year > 0 ? year : 1 - year).padStart(4, '0');
      expect(dateText(number)).toBe(`${digits}-${day.toISOString().slice(-19, -14)}${year > 0 ? '' : ' BC'}`);
    }),
    { numRuns: 20_000 },
  );
});
