import { expect, test } from 'vitest';
import { bytes, count, duration, plural } from '../../../core/cli/format.ts';

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1500, '1.5 kB'],
  [150_000, '150 kB'],
  [2_500_000_000, '2.5 GB'],
  [1e18, '1000000 TB'],
])('%d bytes read as %s', (value, text) => expect(bytes(value)).toBe(text));

test.each([
  [0.04, '0.0 s'],
  [9.94, '9.9 s'],
  [9.97, '10 s'],
  [59.4, '59 s'],
  [59.7, '1:00 min'],
  [61, '1:01 min'],
  [3600, '1:00:00 h'],
  [3725, '1:02:05 h'],
])('%d seconds read as %s', (value, text) => expect(duration(value)).toBe(text));

test('numbers have thousands, and nouns their plural', () => {
  expect(count(1234567.4)).toBe('1,234,567');
  expect([plural(0, 'row'), plural(1, 'row'), plural(2000, 'row')]).toEqual(['0 rows', '1 row', '2,000 rows']);
});
