import { expect, test } from 'vitest';
import type { Column } from '../../../core/sdk/index.ts';
import { plannedExpressions, requirePlanned } from '../../../plugins/_sql/planned-columns.ts';

const columns = (...names: string[]): Column[] =>
  names.map((text) => {
    const [name, nativeType = 'int'] = text.split(' ');
    return { name: name!, type: nativeType === 'text' ? 'string' : 'integer', isNullable: true, nativeType };
  });
const quote = (name: string) => `<${name}>`;

test.each([
  ['all columns are those of the plan, not those that the table has by now', ['*'], ['a', 'b'], ['a', 'x', 'b'], '<a> <b>'],
  ['names of columns are quoted, all else is SQL', ['b', 'upper(a)'], ['b', 'upper'], ['a', 'b'], '<b> upper(a)'],
  ['all columns may stand between others', ['1', '*', 'a'], ['one', 'a', 'b', 'a'], ['a', 'b'], '1 <a> <b> <a>'],
  ['and twice', ['*', ' * '], ['a', 'b', 'a', 'b'], ['a', 'b'], '<a> <b> <a> <b>'],
])('%s', (_, wanted, planned, known, expected) => {
  expect(plannedExpressions(wanted, columns(...planned), columns(...known), quote).join(' ')).toBe(expected);
});

test.each([
  [['a', 'b'], ['a'], true, 'it has 1 columns, and 2 were planned'],
  [['a', 'b'], ['b', 'a'], true, 'column 1 is "b", and "a" was planned'],
  [['a int'], ['a bigint'], true, 'column "a" is bigint, and int was planned'],
  [['a int'], ['a text'], false, 'column "a" is text, and int was planned'],
])('columns %j that have become %j are a changed schema', (planned, now, isPlanned, says) => {
  const compare = () => requirePlanned(columns(...planned), columns(...now), { name: 'table t', isPlanned });
  expect(compare).toThrow(expect.objectContaining({ code: 'SCHEMA_CHANGED', message: expect.stringContaining(says) }));
});

test('a further table of a content may have wider types than the first', () => {
  expect(() => requirePlanned(columns('a int'), columns('a bigint'), { name: 'table u', isPlanned: false })).not.toThrow();
});
