import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KeyRange } from '../../../core/sdk/index.ts';
import { comparison, type KeyDialect, rangeCondition } from '../../../plugins/_sql/key-range.ts';

const nested: KeyDialect = { column: (name) => name, literal: (value) => value, comparesRows: false };
const byRows: KeyDialect = { ...nested, comparesRows: true };

function rangeOf(facts: Partial<KeyRange>): KeyRange {
  return { columns: ['a'], from: null, to: null, includesNull: false, ...facts };
}

describe('the condition of a range', () => {
  test.each<[string, Partial<KeyRange>, string]>([
    ['from one value to another', { from: ['1'], to: ['5'] }, '(a >= 1 AND a < 5)'],
    ['open below', { to: ['5'] }, '(a < 5)'],
    ['open above', { from: ['1'] }, '(a >= 1)'],
    ['with its end', { from: ['1'], to: ['5'], includesTo: true }, '(a >= 1 AND a <= 5)'],
    ['behind a value', { from: ['5'], excludesFrom: true }, '(a > 5)'],
    ['with NULL', { to: ['5'], includesNull: true }, '((a < 5) OR a IS NULL)'],
    ['of two columns', { columns: ['a', 'b'], from: ['1', '2'] }, '((a > 1 OR (a = 1 AND b >= 2)))'],
    [
      'of three columns, behind a value',
      { columns: ['a', 'b', 'c'], from: ['1', '2', '3'], excludesFrom: true },
      '((a > 1 OR (a = 1 AND (b > 2 OR (b = 2 AND c > 3)))))',
    ],
    [
      'of two columns with its end',
      { columns: ['a', 'b'], from: ['1', '2'], to: ['3', '4'], includesTo: true },
      '((a > 1 OR (a = 1 AND b >= 2)) AND (a < 3 OR (a = 3 AND b <= 4)))',
    ],
  ])('%s', (_, facts, sql) => {
    expect(rangeCondition(rangeOf(facts), nested)).toBe(sql);
  });

  test('compares rows where an index answers that', () => {
    const range = rangeOf({ columns: ['a', 'b'], from: ['1', '2'], to: ['3', '4'] });
    expect(rangeCondition(range, byRows)).toBe('((a, b) >= (1, 2) AND (a, b) < (3, 4))');
    expect(rangeCondition(rangeOf({ from: ['1'] }), byRows)).toBe('(a >= 1)');
  });

  test('is none if it holds all rows', () => {
    expect(rangeCondition(rangeOf({ includesNull: true }), nested)).toBeUndefined();
  });

  test('has columns and literals as the database writes them, each literal with the place of its column', () => {
    const quoting: KeyDialect = { column: (name) => `\`${name}\``, literal: (value, index) => `<${index}:${value}>`, comparesRows: false };
    const range = rangeOf({ columns: ['the id', 'b'], from: ['x', 'y'] });
    expect(rangeCondition(range, quoting)).toBe('((`the id` > <0:x> OR (`the id` = <0:x> AND `b` >= <1:y>)))');
    expect(rangeCondition(rangeOf({ columns: ['the id'], to: ['x'], includesNull: true }), quoting)).toBe(
      '((`the id` < <0:x>) OR `the id` IS NULL)',
    );
  });
});

test('a value of fewer columns is compared with the first columns of the key', () => {
  expect(comparison(['a', 'b', 'c'], '>', ['1'], nested)).toBe('a > 1');
  expect(comparison(['a', 'b', 'c'], '<', ['1', '2'], nested)).toBe('(a < 1 OR (a = 1 AND b < 2))');
  expect(comparison(['a', 'b', 'c'], '<', ['1', '2'], byRows)).toBe('(a, b) < (1, 2)');
});

type Row = Readonly<Record<string, number | null>>;

/** Evaluates a condition of comparisons, AND, OR and brackets for one row; a comparison with NULL does not hold. */
function isTrue(sql: string, row: Row): boolean {
  const truth = (value: boolean) => (value ? 'T' : 'F');
  const holds = (order: number, operator: string) =>
    ({ '<': order < 0, '<=': order <= 0, '>': order > 0, '>=': order >= 0, '=': order === 0 })[operator]!;
  const compare = (names: string, operator: string, literals: string) => {
    const cells = names.split(', ').map((name) => row[name]!);
    if (cells.includes(null as never)) return 'F';
    return truth(holds(tupleOrder(cells, literals.split(', ').map(Number)), operator));
  };
  let rest = sql
    .replace(/\((\w+(?:, \w+)+)\) ([<>]=?) \((-?\d+(?:, -?\d+)+)\)/g, (_, names, operator, literals) => compare(names, operator, literals))
    .replace(/(\w+) IS NULL/g, (_, name) => truth(row[name] === null))
    .replace(/(\w+) ([<>]=?|=) (-?\d+)/g, (_, name, operator, literal) => compare(name, operator, literal));
  const plain = (text: string) => truth(text.split(' OR ').some((part) => part.split(' AND ').every((word) => word === 'T')));
  for (let before = ''; before !== rest; ) {
    before = rest;
    rest = rest.replace(/\(([TF](?: (?:AND|OR) [TF])*)\)/g, (_, inside) => plain(inside));
  }
  if (!/^[TF]$/.test(rest)) throw new Error(`cannot evaluate ${sql}: ${rest}`);
  return rest === 'T';
}

function tupleOrder(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((value, index) => value !== other[index]);
  return at === -1 ? 0 : one[at]! - other[at]!;
}

const names = ['a', 'b', 'c'];
const small = fc.integer({ min: -2, max: 2 });

/** All rows whose columns hold numbers from -3 to 3. */
function allRows(width: number): number[][] {
  if (width === 0) return [[]];
  return allRows(width - 1).flatMap((cells) => [-3, -2, -1, 0, 1, 2, 3].map((cell) => [...cells, cell]));
}

function rowOf(cells: readonly number[]): Row {
  return Object.fromEntries(cells.map((cell, index) => [names[index], cell]));
}

test('a range holds the rows whose keys lie in it in the order of tuples, however it is written', () => {
  const anyRange = fc.integer({ min: 1, max: 3 }).chain((width) =>
    fc.record({
      width: fc.constant(width),
      from: fc.option(fc.array(small, { minLength: width, maxLength: width })),
      to: fc.option(fc.array(small, { minLength: width, maxLength: width })),
      excludesFrom: fc.boolean(),
      includesTo: fc.boolean(),
    }),
  );
  fc.assert(
    fc.property(anyRange, ({ width, from, to, excludesFrom, includesTo }) => {
      fc.pre(from !== null || to !== null);
      const text = (value: number[] | null) => value?.map(String) ?? null;
      const range = rangeOf({
        columns: names.slice(0, width),
        from: text(from),
        to: text(to),
        ...(excludesFrom ? { excludesFrom } : {}),
        ...(includesTo ? { includesTo } : {}),
      });
      const conditions = [rangeCondition(range, nested)!, rangeCondition(range, byRows)!];
      for (const cells of allRows(width)) {
        const above = from === null || tupleOrder(cells, from) > (excludesFrom ? 0 : -1);
        const below = to === null || tupleOrder(cells, to) < (includesTo ? 1 : 0);
        expect(conditions.map((sql) => isTrue(sql, rowOf(cells)))).toEqual([above && below, above && below]);
      }
    }),
  );
});

test('of the ranges between rising values each row is in exactly one, NULL in the first', () => {
  fc.assert(
    fc.property(fc.uniqueArray(small, { minLength: 1 }), fc.boolean(), (values, isNullable) => {
      const ends = values.toSorted((one, other) => one - other).map((value) => [String(value)]);
      const conditions = [null, ...ends].map(
        (from, index) => rangeCondition(rangeOf({ from, to: ends[index] ?? null, includesNull: isNullable && index === 0 }), nested)!,
      );
      for (const cell of [-3, -2, -1, 0, 1, 2, 3]) expect(conditions.filter((sql) => isTrue(sql, { a: cell }))).toHaveLength(1);
      expect(conditions.map((sql) => isTrue(sql, { a: null }))).toEqual(conditions.map((_, index) => isNullable && index === 0));
    }),
  );
});
