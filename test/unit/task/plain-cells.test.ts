import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Column, LogicalType } from '../../../core/sdk/index.ts';
import { cellCheck } from '../../../core/task/cell-check.ts';

type Limits = Partial<Omit<Column, 'name' | 'type'>>;

function column(type: LogicalType, limits: Limits = {}): Column {
  return { name: 'c', type, isNullable: true, ...limits };
}

const text = column('string');

const pairs: [string, Column, Column][] = [
  ['whole numbers', text, column('integer')],
  ['decimals', text, column('decimal', { scale: 2 })],
  ['doubles', text, column('double')],
  ['singles', text, column('double', { mantissaBits: 24 })],
  ['doubles of two digits', text, column('double', { scale: 2, dropsNegativeZero: true })],
  ['dates', text, column('date')],
  ['times', text, column('time', { fractionDigits: 3 })],
  ['timestamps', text, column('timestamp', { fractionDigits: 3 })],
  ['shorter timestamps', column('timestamp'), column('timestamp', { fractionDigits: 0 })],
  ['instants', text, column('timestamptz')],
  ['short texts', text, column('string', { length: 6, trailingBlanks: 'padded' })],
  ['texts of few bytes that are not empty', text, column('string', { maxBytes: 8, emptyIsNull: true, replacesNull: true })],
];

/** Texts that are almost numbers, dates and times. */
const almost = fc.oneof(
  fc.stringMatching(/^[+-]?[0-9]{0,17}[.]?[0-9]{0,17}(e-?[0-9]{1,3})?$/),
  fc.stringMatching(/^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-2][0-9]:[0-5][0-9]:[0-6][0-9]([.][0-9]{0,7})?)?([+-][0-9]{2}(:?[0-9]{2})?|Z)?$/),
  fc.stringMatching(/^-?[0-9]{1,3}:[0-9]{2}:[0-9]{2}([.][0-9]{0,7})?$/),
  fc.constantFrom('', ' ', 'abc ', '-0', '-0.0', '.', '-', '-.', '1.', '.5', '😀😀😀', 'a	b', 'NaN', 'infinity', '00:00'),
  fc.string({ maxLength: 10, unit: 'binary' }),
);
/** One character is another one, or is missing. */
const almostText = fc
  .tuple(almost, fc.nat(40), fc.constantFrom('', ' ', '-', '.', ':', '6', 'T', 'Z', '+', 'x'), fc.boolean())
  .map(([whole, at, by, isBent]) => (isBent ? whole.slice(0, at) + by + whole.slice(at + 1) : whole));

test.each(pairs)('what is plain among %s has no fault', (_, from, to) => {
  const { surelyFits, faultOf } = cellCheck(from, to)!;
  fc.assert(
    fc.property(almostText, fc.nat(3), (value, before) => {
      const bytes = Buffer.from(`${'9'.repeat(before)}${value}9`);
      if (surelyFits!(bytes, before, bytes.length - 1)) expect(faultOf(value)).toBeUndefined();
    }),
    { numRuns: 3000 },
  );
});

test.each([
  ['whole numbers', ['0', '17', '-9223372036854775808']],
  ['decimals', ['0', '1.5', '-12345678901234567890.25']],
  ['doubles', ['0', '-310.659', '123456789.012345']],
  ['singles', ['310.65']],
  ['doubles of two digits', ['310.65']],
  ['dates', ['2026-11-21']],
  ['times', ['23:59:59', '00:00:00.123']],
  ['timestamps', ['2026-11-21 10:00:00', '2026-11-21T10:00:00.123']],
  ['shorter timestamps', ['2026-11-21 10:00:00']],
  ['instants', ['2026-11-21 10:00:00.123456+00', '2026-11-21 10:00:00-05:30', '2026-11-21 10:00:00']],
  ['short texts', ['', 'abc', 'abcdef']],
  ['texts of few bytes that are not empty', ['abcdefgh']],
])('the usual among %s are plain', (name, values) => {
  const [, from, to] = pairs.find(([one]) => one === name)!;
  for (const value of values) {
    const bytes = Buffer.from(value);
    expect([value, cellCheck(from, to)!.surelyFits!(bytes, 0, bytes.length)]).toEqual([value, true]);
  }
});
