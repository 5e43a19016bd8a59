import { expect, test } from 'vitest';
import reader, { type MysqlReaderOptions } from '../../../plugins/mysql/reader.ts';
import { zeroDatesAreNull } from '../../../plugins/mysql/zero-dates.ts';

test.each([
  ['jdbc:mysql://h/d', undefined, false],
  ['jdbc:mysql://h/d', 'null', true],
  ['jdbc:mysql://h/d?useSSL=false&zeroDateTimeBehavior=convertToNull', undefined, true],
  ['jdbc:mysql://h/d?zerodatetimebehavior=CONVERT_TO_NULL&useSSL=false', undefined, true],
  ['jdbc:mysql://h/d?zeroDateTimeBehavior=exception', undefined, false],
  ['jdbc:mysql://h/d?zeroDateTimeBehavior=convertToNull', 'keep', false],
])('%s with "zeroDate" %s: zero dates are NULL: %s', (jdbcUrl, zeroDate, expected) => {
  const options = reader.options.parse({
    connection: [{ jdbcUrl: ['jdbc:mysql://other/d', jdbcUrl], table: 't' }],
    zeroDate,
  }) as MysqlReaderOptions;
  expect(zeroDatesAreNull(options)).toBe(expected);
});
