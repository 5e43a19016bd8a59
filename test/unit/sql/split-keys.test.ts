import { describe, expect, test } from 'vitest';
import type { PluginContext } from '../../../core/sdk/index.ts';
import { type KeyColumn, type KeyFacts, splitKeys } from '../../../plugins/_sql/split-keys.ts';

const columns: readonly KeyColumn[] = [
  { name: 'id', kind: 'integer', isNullable: false, nativeType: 'int' },
  { name: 'Code', kind: 'string', isNullable: true, nativeType: 'varchar(20)' },
  { name: 'shop', kind: 'integer', isNullable: false, nativeType: 'int' },
  { name: 'weight', kind: undefined, isNullable: false, nativeType: 'float' },
];

/** The keys of a table with these columns, and the warnings that went with them. */
function keysOf(facts: Partial<KeyFacts>, splitPk?: string) {
  const warnings: string[] = [];
  const context: PluginContext = {
    run: 'test',
    job: 'test',
    warn: (message) => warnings.push(message),
    print: () => undefined,
    signal: new AbortController().signal,
  };
  const stateOf: KeyFacts['stateOf'] = (known, index) => [...known.map(({ name }) => name), index ?? null];
  const keys = splitKeys({ table: 'table orders', columns, indexes: [], lacksStatistics: false, stateOf, ...facts }, splitPk, context);
  return { keys, warnings };
}

const primary = { name: 'PRIMARY', isPrimary: true, isUnique: true, columns: ['id'] };

describe('an index is a key', () => {
  test('with its columns, what the first one holds, its right to be called one, and what the reader wants to know again', () => {
    const code = { name: 'by_code', isPrimary: false, isUnique: true, columns: ['Code'], order: 0.3 };
    const both = { name: 'both', isPrimary: false, isUnique: false, columns: ['shop', 'id'] };
    expect(keysOf({ indexes: [primary, code, both], lacksStatistics: true }).keys).toEqual([
      {
        columns: ['id'],
        kind: 'integer',
        origin: 'primary',
        isNullable: false,
        isIndexed: true,
        lacksStatistics: true,
        state: ['id', 'PRIMARY'],
      },
      {
        ...{ columns: ['Code'], kind: 'string', origin: 'unique', isNullable: true, isIndexed: true, lacksStatistics: true },
        ...{ order: 0.3, state: ['Code', 'by_code'] },
      },
      {
        ...{ columns: ['shop', 'id'], kind: 'integer', origin: 'index', isNullable: false, isIndexed: true, lacksStatistics: true },
        state: ['shop', 'id', 'both'],
      },
    ]);
  });

  test.each([
    ['that holds a column whose values cannot be cut', ['weight']],
    ['that has such a column behind another', ['id', 'weight']],
    ['on an expression or the beginning of a value', ['id', '']],
    ['of several columns of which one may be NULL', ['shop', 'Code']],
  ])('but not one %s', (_, inIndex) => {
    expect(keysOf({ indexes: [{ ...primary, columns: inIndex }] })).toEqual({ keys: [], warnings: [] });
  });
});

describe('splitPk', () => {
  test.each([
    ['id', 'id'],
    [' "ID" ', 'id'],
    ['`code`', 'Code'],
  ])('%j names the column %s, and comes before all other keys', (splitPk, name) => {
    const { keys, warnings } = keysOf({ indexes: [primary] }, splitPk);
    expect(keys.map((key) => [key.columns, key.origin])).toEqual([
      [[name], 'splitPk'],
      [['id'], 'primary'],
    ]);
    expect(warnings).toEqual([]);
  });

  test('takes the index that has its columns in front, if there is one', () => {
    const longer = { name: 'longer', isPrimary: false, isUnique: false, columns: ['shop', 'id', 'weight'], order: 0.7 };
    expect(keysOf({ indexes: [longer] }, 'shop, id').keys).toMatchObject([
      { columns: ['shop', 'id'], origin: 'splitPk', isIndexed: true, order: 0.7, state: ['shop', 'id', 'longer'] },
    ]);
    const { keys } = keysOf({ indexes: [longer] }, 'id');
    expect(keys).toMatchObject([{ columns: ['id'], isIndexed: false, state: ['id', null] }]);
    expect(keys[0]).not.toHaveProperty('order');
  });

  test.each([undefined, '', '  '])('%j is none', (splitPk) => {
    expect(keysOf({ indexes: [primary] }, splitPk).keys.map(({ origin }) => origin)).toEqual(['primary']);
  });

  test.each([
    ['weight', 'float'],
    ['shop,Code', 'int, varchar(20) and may be NULL'],
  ])('%s cannot be cut by: a warning says why, and the table has its other keys', (splitPk, types) => {
    const { keys, warnings } = keysOf({ indexes: [primary] }, splitPk);
    expect(keys.map(({ origin }) => origin)).toEqual(['primary']);
    expect(warnings).toEqual([`the table orders is not cut by splitPk ${splitPk}, because that is ${types}`]);
  });

  test('that names no column of the table is an error, with the columns there are', () => {
    expect(() => keysOf({}, 'id, nr')).toThrow(
      expect.objectContaining({
        code: 'COLUMN_MISSING',
        message: 'the table orders has no column "nr" (splitPk); it has id, Code, shop, weight',
      }),
    );
  });
});
