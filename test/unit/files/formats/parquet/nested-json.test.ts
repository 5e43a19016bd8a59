import { parquetSchema, type SchemaElement } from 'hyparquet';
import { describe, expect, test } from 'vitest';
import { nestedJson } from '../../../../../plugins/_files/formats/parquet/nested-json.ts';

const group = (name: string, num_children: number, more: Partial<SchemaElement> = {}): SchemaElement => ({
  name,
  num_children,
  repetition_type: 'OPTIONAL',
  ...more,
});
const leaf = (name: string, more: Partial<SchemaElement> = {}): SchemaElement => ({
  name,
  type: 'INT32',
  repetition_type: 'OPTIONAL',
  ...more,
});
const list = { converted_type: 'LIST' } as const;
const repeated = { repetition_type: 'REPEATED' } as const;

/** What becomes of the column that these elements describe. */
const jsonOf = (...elements: SchemaElement[]) =>
  nestedJson(parquetSchema({ schema: [{ name: 'root', num_children: 1 }, ...elements] }).children[0]!);

describe('columns of lists and structs', () => {
  test('become JSON where the file says clearly what they are', () => {
    expect(jsonOf(group('l', 1, list), group('list', 1, repeated), leaf('element'))?.([1, null, undefined])).toBe('[1,null,null]');
    expect(jsonOf(group('l', 1, { logical_type: { type: 'LIST' } }), group('bag', 1, repeated), leaf('item'))?.([])).toBe('[]');
    expect(jsonOf(group('s', 2), leaf('a'), leaf('b "q"', { type: 'DOUBLE' }))?.({ a: 1, 'b "q"': Number.POSITIVE_INFINITY })).toBe(
      '{"a":1,"b \\"q\\"":"Infinity"}',
    );
    const text = leaf('t', { type: 'BYTE_ARRAY', converted_type: 'UTF8' });
    expect(jsonOf(group('s', 1), text)?.({ t: Buffer.from('"é"') })).toBe('{"t":"\\"é\\""}');
    const doc = leaf('j', { type: 'BYTE_ARRAY', converted_type: 'JSON' });
    expect(jsonOf(group('s', 1), doc)?.({ j: Buffer.from('{"a": 1}') })).toBe('{"j":{"a": 1}}');
  });

  test('have no text where a value in them has none', () => {
    const text = leaf('element', { type: 'BYTE_ARRAY', converted_type: 'UTF8' });
    expect(jsonOf(group('l', 1, list), group('list', 1, repeated), text)?.([Buffer.from('a'), Buffer.from([0xff])])).toBeUndefined();
    const doc = leaf('j', { type: 'BYTE_ARRAY', converted_type: 'JSON' });
    expect(jsonOf(group('s', 1), doc)?.({ j: Buffer.from('{') })).toBeUndefined();
  });

  test.each<[string, SchemaElement[]]>([
    ['a map', [group('m', 1, { converted_type: 'MAP' }), group('key_value', 2, repeated), leaf('key'), leaf('value')]],
    ['a variant', [group('v', 2, { logical_type: { type: 'VARIANT' } }), leaf('metadata'), leaf('value')]],
    ['a list of two levels', [group('l', 1, list), leaf('element', repeated)]],
    ['a list of old structs', [group('l', 1, list), group('array', 1, repeated), leaf('element')]],
    ['a list of tuples', [group('l', 1, list), group('l_tuple', 1, repeated), leaf('element')]],
    ['a list of pairs', [group('l', 1, list), group('list', 2, repeated), leaf('a'), leaf('b')]],
    ['a list that has two', [group('l', 2, list), group('list', 1, repeated), leaf('a'), leaf('b')]],
    ['a list without a mark', [group('l', 1), group('list', 1, repeated), leaf('element')]],
    ['repeated values', [leaf('r', repeated)]],
    [
      'a struct with an interval',
      [group('s', 1), leaf('i', { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 12, converted_type: 'INTERVAL' })],
    ],
    ['a struct with a name that means something else', [group('s', 1), leaf('__proto__')]],
    ['a struct with two fields of one name', [group('s', 2), leaf('a'), leaf('a')]],
  ])('are refused: %s', (_, elements) => {
    expect(jsonOf(...elements)).toBeUndefined();
  });
});
