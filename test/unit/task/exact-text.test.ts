import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isExactDouble, isExactSingle, isNegativeZero, scaleOf, secondsFractionOf } from '../../../core/task/exact-text.ts';

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });

test('the shortest text of any double is exact, in every way of writing it', () => {
  fc.assert(
    fc.property(finite, (value) => {
      expect(isExactDouble(String(value))).toBe(true);
      expect(isExactDouble(value.toExponential())).toBe(true);
      expect(isExactDouble(`${value < 0 || Object.is(value, -0) ? '' : '+'}${value}`)).toBe(true);
    }),
  );
});

test('the shortest text of any single is exact', () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const shortest = [6, 7, 8, 9].map((digits) => value.toPrecision(digits)).find((text) => Math.fround(Number(text)) === value)!;
      expect(isExactSingle(shortest)).toBe(true);
    }),
  );
});

test('every whole number up to 2^53 is an exact double, and one behind it is not', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      expect(isExactDouble(String(value))).toBe(true);
    }),
  );
  expect(isExactDouble('9007199254740993')).toBe(false);
  expect(isExactDouble('9007199254740992')).toBe(true);
});

test.each([
  ['0.1', true],
  ['100', true],
  ['1e400', false],
  ['1e-400', false],
  ['1.23456789e-320', false],
  ['5e-324', true],
  ['0e999', true],
  ['0.1000000000000000055511151231257827', false],
  ['1.7976931348623157e308', true],
  ['123456789012345678', false],
  ['123456789012345680', true],
  ['18446744073709551616', true],
  ['1e23', true],
  ['NaN', true],
  ['not a number', true],
  ['', true],
])('%s as a double: exact is %s', (text, isExact) => {
  expect(isExactDouble(text)).toBe(isExact);
});

test.each([
  ['0.1', true],
  ['0.123456789', false],
  ['16777216', true],
  ['16777217', false],
  ['33554432', true],
  ['1e-50', false],
  ['0', true],
  ['1e-45', true],
  ['3.14159274101257324', false],
  ['Infinity', true],
])('%s as a single: exact is %s', (text, isExact) => {
  expect(isExactSingle(text)).toBe(isExact);
});

test.each([
  ['1.50', 1],
  ['1.500e1', 0],
  ['15e-1', 1],
  ['1.05', 2],
  ['-1200', -2],
  ['-.25', 2],
  ['0.000', Number.NEGATIVE_INFINITY],
  ['1e-7', 7],
  [' 1.5 ', 1],
  ['word', Number.NEGATIVE_INFINITY],
])('%s has the scale %d', (text, scale) => {
  expect(scaleOf(text)).toBe(scale);
});

test('the scale of a number is the same however it is written', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.integer({ min: 0, max: 20 }), (digits, exponent) => {
      const plain = `${digits}e-${exponent}`;
      const padded = `${digits}000e-${exponent + 3}`;
      expect(scaleOf(padded)).toBe(scaleOf(plain));
      expect(scaleOf(plain)).toBeLessThanOrEqual(exponent);
    }),
  );
});

test.each([
  ['-0', true],
  ['-0.00e5', true],
  ['0', false],
  ['-0.01', false],
  ['-', false],
])('%s is a negative zero: %s', (text, isZero) => {
  expect(isNegativeZero(text)).toBe(isZero);
});

test.each([
  ['12:00:00', 0],
  ['12:00:00.120300+00', 4],
  ['2026-01-01 12:00:00.000', 0],
  ['2026-01-01 12:00:00.123456789', 9],
  ['2026.5-01', 0],
])('the seconds of %s have %d digits of a fraction', (text, digits) => {
  expect(secondsFractionOf(text)).toBe(digits);
});
