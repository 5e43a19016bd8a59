import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keyKinds, type Split, type SplitKey } from '../../../core/sdk/index.ts';
import { chooseKey, nameOf } from '../../../core/splitter/choose-key.ts';

function key(name: string, facts: Partial<SplitKey> = {}): SplitKey {
  return { columns: [name], kind: 'integer', origin: 'primary', isNullable: false, isIndexed: true, ...facts };
}

const blocks = key('ctid', { kind: 'blocks', origin: 'storage', order: 1 });

/** The key that is chosen among these, whatever their order, and why. */
function choice(keys: readonly SplitKey[], facts: Partial<Split> = {}): readonly [name: string, why: string] | undefined {
  const split = { name: 'orders', ...facts };
  const chosen = [keys, keys.toReversed()].map((order) => chooseKey({ ...split, keys: order }));
  expect(chosen[0]).toEqual(chosen[1]);
  return chosen[0] === undefined ? undefined : [nameOf(chosen[0].key), chosen[0].why];
}

test('a split without keys cannot be cut', () => {
  expect(choice([])).toBeUndefined();
  expect(chooseKey({ name: 'orders' })).toBeUndefined();
});

describe('what the job file names as splitPk is taken', () => {
  const better = key('id', { order: 1 });

  test('before any other key', () => {
    const named = key('region', { kind: 'string', origin: 'splitPk', order: 0, isNullable: true });
    expect(choice([better, blocks, named])).toEqual(['region', 'splitPk of the job file']);
  });

  test('without an index too, and that is said', () => {
    const named = key('note', { kind: 'other', origin: 'splitPk', isIndexed: false });
    expect(choice([better, named])).toEqual(['note', 'splitPk of the job file, without an index']);
  });

  test('where nothing is known of its values, and where the table is big and stored in another order', () => {
    const named = key('code', { origin: 'splitPk', order: 0, lacksStatistics: true });
    expect(choice([blocks, named], { estimatedBytes: 1e12 })?.[0]).toBe('code');
  });
});

test.each<[string, SplitKey, SplitKey, string]>([
  ['an integer goes before a text', key('id', { origin: 'unique' }), key('code', { kind: 'string' }), 'unique key, integer'],
  ['a timestamp goes before a UUID', key('at', { kind: 'timestamp' }), key('uid', { kind: 'uuid' }), 'primary key, timestamp'],
  [
    'rows stored in order go before an integer at random',
    key('at', { kind: 'timestamp', origin: 'unique', order: 0.9 }),
    key('id', { order: 0.1 }),
    'unique key, timestamp, and rows are stored in its order',
  ],
  ['an order that is not known counts as one', key('id'), key('at', { order: 0.2 }), 'primary key, integer'],
  ['a primary key goes before a unique one', key('id'), key('number', { origin: 'unique' }), 'primary key, integer'],
  [
    'a unique key goes before an index that has duplicates, whatever the index holds',
    key('code', { kind: 'string', origin: 'unique', order: 0 }),
    key('day', { origin: 'index', order: 1 }),
    'unique key, string',
  ],
  [
    'one column goes before several',
    key('code', { kind: 'string', origin: 'unique' }),
    key('shop', { columns: ['shop', 'number'] }),
    'unique key, string',
  ],
])('%s', (_, better, worse, why) => {
  expect(choice([better, worse])).toEqual([nameOf(better), why]);
});

test('the reason counts the columns of a key of several, and is silent on a type without a name', () => {
  expect(choice([key('shop', { columns: ['shop', 'number'] })])).toEqual(['shop, number', 'primary key, 2 columns']);
  expect(choice([key('box', { kind: 'other', origin: 'index' })])).toEqual(['box', 'index']);
});

describe('blocks of the table', () => {
  test('are taken where there is no key at all', () => {
    expect(choice([blocks])).toEqual(['ctid', 'the table has no unique key that can be cut']);
  });

  test('are taken where the only keys may have duplicates', () => {
    expect(choice([blocks, key('day', { origin: 'index', order: 1 })])).toEqual(['ctid', 'the table has no unique key that can be cut']);
  });

  test('are taken where nothing is known of the values of the key', () => {
    expect(choice([blocks, key('id', { lacksStatistics: true })])).toEqual(['ctid', 'nothing is known of the values of id']);
  });

  test.each([
    ['are taken', 0.49, 128 << 20, 'ctid'],
    ['are left alone where it fits into memory', 0.49, (128 << 20) - 1, 'id'],
    ['are left alone where it is in order', 0.5, 128 << 20, 'id'],
    ['are left alone where its order is not known', undefined, 128 << 20, 'id'],
  ])('%s for a big table that is not stored in the order of its key', (_, order, estimatedBytes, name) => {
    const chosen = choice([blocks, key('id', order === undefined ? {} : { order })], { estimatedBytes });
    expect(chosen?.[0]).toBe(name);
    if (name === 'ctid') expect(chosen?.[1]).toBe('the table is big and not stored in the order of id');
  });

  test('are never taken for a table whose size is not known, if it has a key', () => {
    expect(choice([blocks, key('id', { order: 0 })])?.[0]).toBe('id');
  });
});

const anyKey: fc.Arbitrary<SplitKey> = fc.record(
  {
    columns: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 }),
    kind: fc.constantFrom(...keyKinds.filter((kind) => kind !== 'blocks')),
    origin: fc.constantFrom('splitPk', 'primary', 'unique', 'index'),
    isNullable: fc.boolean(),
    isIndexed: fc.boolean(),
    order: fc.constantFrom(0, 0.4, 0.5, 1),
    lacksStatistics: fc.boolean(),
  },
  { requiredKeys: ['columns', 'kind', 'origin', 'isNullable', 'isIndexed'] },
);

test('where there are keys one of them is chosen, and never one worse by every measure than another', () => {
  const origins = ['splitPk', 'primary', 'unique', 'index'];
  fc.assert(
    fc.property(fc.array(anyKey, { minLength: 1, maxLength: 6 }), (keys) => {
      const chosen = chooseKey({ name: 'orders', keys })!.key;
      expect(keys).toContain(chosen);
      for (const other of keys) {
        const isBetter =
          origins.indexOf(other.origin) < origins.indexOf(chosen.origin) &&
          keyKinds.indexOf(other.kind) < keyKinds.indexOf(chosen.kind) &&
          other.columns.length <= chosen.columns.length &&
          (other.order ?? 1) > (chosen.order ?? 1);
        expect(isBetter).toBe(false);
      }
    }),
  );
});
