import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Cell, LogicalType, Schema } from '../../../core/sdk/index.ts';
import { KeyRange } from '../../../plugins/_files/set/key-range.ts';
import { batchOf } from './formats/keeping-output.ts';

function schemaOf(type: LogicalType): Schema {
  return {
    columns: [
      { name: 'id', type, isNullable: true },
      { name: 'note', type: 'string', isNullable: true },
    ],
  };
}

/** In two batches, whose memory is overwritten before the facts are asked for. */
function rangeOf(type: LogicalType, cells: readonly Cell[]) {
  const schema = schemaOf(type);
  const range = new KeyRange(schema);
  const half = cells.length >> 1;
  for (const some of [cells.slice(0, half), cells.slice(half)]) {
    if (some.length === 0) continue;
    const batch = batchOf(
      schema,
      some.map((cell) => [cell, '0\t-9']),
    );
    range.add(batch);
    batch.bytes.fill(0x39);
  }
  return range.facts();
}

/** The value as a whole number of 10^-40. */
function scaled(text: string): bigint {
  const [, sign, whole, fraction = ''] = /^(-?)(\d*)\.?(\d*)$/.exec(text)!;
  const size = BigInt(`${whole}${fraction.padEnd(40, '0')}`);
  return sign === '-' ? -size : size;
}

const some = { minLength: 1, maxLength: 30 };

describe('the range of a key', () => {
  const short = fc.bigInt({ min: -99n, max: 99n });
  const long = fc.bigInt({ min: -(10n ** 65n), max: 10n ** 65n });
  const atTheEdge = fc
    .tuple(fc.constantFrom(15n, 16n, 18n, 19n, 29n, 30n, 31n), fc.integer({ min: -3, max: 3 }), fc.boolean())
    .map(([digits, step, isNegative]) => (10n ** digits + BigInt(step)) * (isNegative ? -1n : 1n));
  const zeros = fc.integer({ min: 0, max: 20 }).map((count) => '0'.repeat(count));

  test('is exact for integers of any size', () => {
    const cell = fc
      .tuple(fc.oneof(short, long, atTheEdge), zeros)
      .map(([value, filling]) => (value < 0n ? `-${filling}${-value}` : `${filling}${value}`));
    fc.assert(
      fc.property(fc.array(fc.option(cell, { freq: 5 }), some), (cells) => {
        const values = cells.filter((one) => one !== null).map(BigInt);
        const facts = rangeOf('integer', cells);
        if (values.length === 0) {
          expect(facts).toBeUndefined();
          return;
        }
        const [least, greatest] = [values.reduce((a, b) => (a < b ? a : b)), values.reduce((a, b) => (a > b ? a : b))];
        expect([facts!.column, BigInt(facts!.min), BigInt(facts!.max)]).toEqual(['id', least, greatest]);
      }),
      { numRuns: 1000 },
    );
  });

  test('is exact for decimals, whatever their digits', () => {
    const digits = fc.stringMatching(/^[0-9]{0,35}$/);
    const cell = fc
      .tuple(fc.constantFrom('', '-'), fc.oneof(short, long), fc.oneof(fc.constant(''), digits, fc.constantFrom('5', '50', '500', '49')))
      .map(([sign, whole, fraction]) => `${sign}${whole < 0n ? -whole : whole}${fraction === '' ? '' : `.${fraction}`}`);
    fc.assert(
      fc.property(fc.array(cell, some), (cells) => {
        const values = cells.map(scaled);
        const facts = rangeOf('decimal', cells)!;
        expect(scaled(facts.min)).toBe(values.reduce((a, b) => (a < b ? a : b)));
        expect(scaled(facts.max)).toBe(values.reduce((a, b) => (a > b ? a : b)));
        expect(cells).toEqual(expect.arrayContaining([facts.min, facts.max]));
      }),
      { numRuns: 1000 },
    );
  });

  test.each(['date', 'timestamp', 'timestamptz'] as const)('is exact for %s', (type) => {
    const moment = fc.tuple(
      fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }),
      fc.constantFrom('', '.5', '.49', '.500001', '.05', '.999999'),
    );
    fc.assert(
      fc.property(fc.array(moment, some), (moments) => {
        const all = moments.map(([date, fraction]) => {
          const text = date.toISOString().replace('T', ' ').slice(0, 19);
          const value = BigInt(Date.parse(`${text.replace(' ', 'T')}Z`)) * 1000n + BigInt(fraction.slice(1).padEnd(6, '0'));
          if (type === 'date') return { cell: text.slice(0, 10), value: BigInt(Date.parse(text.slice(0, 10))) };
          return { cell: `${text}${fraction}${type === 'timestamptz' ? '+00' : ''}`, value };
        });
        const sorted = all.toSorted((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : 0));
        const facts = rangeOf(
          type,
          all.map(({ cell }) => cell),
        );
        expect(facts).toEqual({ column: 'id', min: sorted[0]!.cell, max: sorted.at(-1)!.cell });
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['decimal', ['1', 'NaN', '2']],
    ['decimal', ['Infinity']],
    ['integer', ['1', 'x']],
    ['integer', ['1', '2.5']],
    ['integer', ['-']],
    ['decimal', ['.']],
    ['decimal', ['1.2.3']],
    ['date', ['2026-01-01', '0044-03-15 BC']],
    ['date', ['infinity', '2026-01-01']],
    ['date', ['10000-01-01', '9999-01-01']],
    ['timestamp', ['10000-01-01 00:00:00', '2026-01-01 00:00:00']],
    ['timestamp', ['-infinity', '2026-01-01 00:00:00']],
    ['string', ['1', '2']],
    ['double', ['1', '2']],
    ['integer', [null, null]],
    ['integer', []],
  ] as const)('is not told of %s %j', (type, cells) => {
    expect(rangeOf(type, cells)).toBeUndefined();
  });

  test('does not take NULL for a value', () => {
    expect(rangeOf('integer', [null, '5', null, '-7'])).toEqual({ column: 'id', min: '-7', max: '5' });
    expect(rangeOf('date', [null, '2026-11-21'])).toEqual({ column: 'id', min: '2026-11-21', max: '2026-11-21' });
  });
});
