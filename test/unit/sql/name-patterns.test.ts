import { expect, test } from 'vitest';
import { expandRanges, namePatterns, tablePatterns } from '../../../plugins/_sql/name-patterns.ts';
import { placesOf } from '../../../plugins/_sql/places.ts';

test.each([
  ['t', ['t']],
  ['t_[08-10]', ['t_08', 't_09', 't_10']],
  ['t_{9..11}', ['t_9', 't_10', 't_11']],
  ['t[2-0]x', ['t0x', 't1x', 't2x']],
  ['s[0-1].t_{00..01}', ['s0.t_00', 's0.t_01', 's1.t_00', 's1.t_01']],
])('%s stands for %j', (text, names) => {
  expect(expandRanges(text)).toEqual(names);
});

test('a range of too many names is refused', () => {
  expect(() => expandRanges('t_[0-9999]_[0-9999]')).toThrow('stands for more than 100,000 names');
});

test('names are separated by commas, but not within a regular expression', () => {
  expect(namePatterns(['a, b_[0-1]', '/^a{1,2}[/,]$/i, c'])).toEqual(['a', 'b_0', 'b_1', /^a{1,2}[/,]$/iu, 'c']);
});

test('a schema is told from its table where one of them is a regular expression', () => {
  expect(tablePatterns(['shop.orders', 's[0-1]./^o.r/', '/^s\\./.orders'])).toEqual([
    { schema: undefined, table: 'shop.orders' },
    { schema: 's0', table: /^o.r/u },
    { schema: 's1', table: /^o.r/u },
    { schema: /^s\./u, table: 'orders' },
  ]);
});

test('a regular expression that cannot be read is an error of the job', () => {
  expect(() => namePatterns(['/(/'])).toThrow('the regular expression /(/ cannot be read');
  expect(() => namePatterns(['/^a'])).toThrow('it does not end with /');
});

test('databases of one server are one place, and each address has its alternatives', () => {
  const jdbcUrl = ['jdbc:mysql://u:[1-2]@replica[1-2]/db_[0-1]?x=[1-2]', 'jdbc:mysql://main[1-2]:3307/db_[0-1]'];
  expect(placesOf([{ jdbcUrl, table: ['t'] }], 'enter')).toMatchObject([
    { jdbcUrl: ['jdbc:mysql://u:[1-2]@replica1/enter?x=[1-2]', 'jdbc:mysql://main1:3307/enter'], databases: ['db_0', 'db_1'] },
    { jdbcUrl: ['jdbc:mysql://u:[1-2]@replica2/enter?x=[1-2]', 'jdbc:mysql://main2:3307/enter'], databases: ['db_0', 'db_1'] },
  ]);
});

test('an address without patterns is left as it is', () => {
  const jdbcUrl = ['jdbc:mysql://u:[1-2]@host/db?x={1..2}'];
  expect(placesOf([{ jdbcUrl, table: ['t'] }], 'enter')).toMatchObject([{ jdbcUrl, databases: undefined }]);
});
