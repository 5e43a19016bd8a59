import { describe, expect, test } from 'vitest';
import { resolvePlugin } from '../../../core/registry/registry.ts';
import type { Cell, LogicalType } from '../../../core/sdk/index.ts';
import { openTransformers, transformed, typedSchema } from '../../support/through-chain.ts';

type Fate = Cell | RegExp;

/** What becomes of one cell: its text behind the transformer, or why its row is dirty. */
async function fateOf(name: string, paras: unknown[], cell: Cell, type: LogicalType = 'string') {
  const [fate] = await transformed(name, { columnIndex: 1, paras }, typedSchema('integer', type), [['7', cell]]);
  if (typeof fate === 'string') return fate;
  expect(fate![0]).toBe('7');
  return fate![1]!;
}

const longer = /shorter than/;

describe("DataX's transformers of texts", () => {
  test.each<[string, unknown[], Cell, Fate]>([
    ['dx_substr', ['2', '5'], 'dataxTest', 'taxTe'],
    ['dx_substr', ['5', '10'], 'dataxTest', 'Test'],
    ['dx_substr', [9, 1], 'dataxTest', ''],
    ['dx_substr', ['10', '1'], 'dataxTest', longer],
    ['dx_substr', ['0', '0'], 'dataxTest', ''],
    ['dx_substr', ['2', '5'], null, null],
    ['dx_substr', ['0', '1'], '', ''],
    ['dx_substr', ['0', '1'], '😀', /surrogate/],
    ['dx_pad', ['l', '4', 'A'], 'xyz', 'Axyz'],
    ['dx_pad', ['l', '4', 'A'], 'xyzzzzz', 'xyzz'],
    ['dx_pad', ['R', '6', 'ab'], 'xyz', 'xyzaba'],
    ['dx_pad', ['L', '6', 'ab'], 'xyz', 'abaxyz'],
    ['dx_pad', ['r', '3', 'A'], null, 'AAA'],
    ['dx_pad', ['r', 3, 'A'], 'xyz', 'xyz'],
    ['dx_replace', ['2', '4', '****'], 'dataxTest', 'da****est'],
    ['dx_replace', ['5', '10', '****'], 'dataxTest', 'datax****'],
    ['dx_replace', ['9', '1', '!'], 'dataxTest', 'dataxTest!'],
    ['dx_replace', ['10', '1', '!'], 'dataxTest', longer],
    ['dx_replace', ['2', '4', '****'], null, null],
    ['dx_digest', ['md5', 'toUpperCase'], 'xyzzzzz', '9CDFFC4FA4E45A99DB8BBCD762ACFFA2'],
    ['dx_digest', ['MD5', 'TOLOWERCASE'], 'abc', '900150983cd24fb0d6963f7d28e17f72'],
    ['dx_digest', ['sha1', 'toLowerCase'], 'abc', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
    ['dx_digest', ['md5', 'toLowerCase'], null, 'd41d8cd98f00b204e9800998ecf8427e'],
  ])('%s %j makes of %j: %s', async (name, paras, cell, expected) => {
    const fate = await fateOf(name, paras, cell);
    if (expected instanceof RegExp) expect(fate).toMatch(expected);
    else expect(fate).toBe(expected);
  });

  test('make a text of a column of another type, and take bytes as UTF-8', async () => {
    const { schema } = await openTransformers(
      [{ name: 'dx_substr', parameter: { columnIndex: 0, paras: [0, 1] } }],
      typedSchema('integer'),
    );
    expect(schema.columns).toEqual([{ name: 'c0', type: 'string', isNullable: true, length: 1 }]);
    expect(await fateOf('dx_substr', [0, 1], '\\xc3a462', 'bytes')).toBe('ä');
    expect(await fateOf('dx_substr', [0, 1], '\\xff', 'bytes')).toMatch(/no text in UTF-8/);
  });

  test('never leave a NULL where NULL counts as an empty text', async () => {
    const { schema } = await openTransformers(
      [{ name: 'dx_pad', parameter: { column: 'c0', paras: ['l', 2, '0'] } }],
      typedSchema('string'),
    );
    expect(schema.columns[0]!.isNullable).toBe(false);
  });
});

const kept = 'kept';
const dropped = 'filtered';

describe('dx_filter drops the rows that match', () => {
  test.each<[LogicalType, string, string, Cell, 'kept' | 'filtered' | RegExp]>([
    ['string', 'like', 'da.*', 'dataxTest', dropped],
    ['string', 'like', 'da', 'dataxTest', kept],
    ['string', 'LIKE', 'da.*', null, kept],
    ['string', 'not like', 'da.*', 'dataxTest', kept],
    ['string', 'not like', 'da', 'dataxTest', dropped],
    ['string', 'not like', 'da.*', null, dropped],
    ['string', '=', 'a', 'a', dropped],
    ['string', '==', 'a', 'b', kept],
    ['string', '=', 'null', null, dropped],
    ['string', '=', 'NULL', null, dropped],
    ['string', '=', 'null', 'null', dropped],
    ['string', '=', 'a', null, kept],
    ['string', '!=', 'a', 'b', dropped],
    ['string', '!=', 'a', 'a', kept],
    ['string', '!=', 'a', null, dropped],
    ['string', '!=', 'null', null, kept],
    ['string', '!=', 'null', 'a', dropped],
    ['string', '>', 'B', 'a', dropped],
    ['string', '>', '9', '10', kept],
    ['string', '<', 'b', null, kept],
    ['string', '<=', 'b', 'b', dropped],
    ['boolean', '=', 'true', 'true', dropped],
    ['bytes', '=', 'ä', '\\xc3a4', dropped],
    ['integer', '>', '9', '10', dropped],
    ['integer', '>', '9', null, kept],
    ['integer', '>=', '10', '10', dropped],
    ['integer', '<', '-5', '-10', dropped],
    ['integer', '=', '9223372036854775807', '9223372036854775806', kept],
    ['integer', '=', '18446744073709551615', '18446744073709551615', dropped],
    ['integer', '=', 'null', '5', kept],
    ['integer', '!=', 'null', '5', dropped],
    ['double', '=', '0.1', '0.1', dropped],
    ['double', '=', '100', '1e2', dropped],
    ['double', '>', '1', 'NaN', kept],
    ['double', '!=', '1', 'NaN', dropped],
    ['decimal', '=', '1.5', '1.50', dropped],
    ['decimal', '>', '12345678901234567890.1', '12345678901234567890.2', dropped],
    ['decimal', '<', '1e3', '999.99', dropped],
    ['decimal', '>', '1', 'Infinity', dropped],
    ['date', '>', '2026-01-01', '2026-01-02', dropped],
    ['date', '=', '1767225600000', '2026-01-01', dropped],
    ['timestamp', '<', '1767225600001', '2026-01-01 00:00:00.0009', dropped],
    ['timestamp', '>=', '2026-01-01', '2026-01-01 00:00:00', dropped],
    ['timestamptz', '=', '2026-01-01 02:00:00+02', '2026-01-01 00:00:00+00', dropped],
    ['timestamp', '>', '2026-01-01', '10000-01-01 00:00:00', dropped],
    ['timestamp', '<', '2026-01-01', '0044-03-15 00:00:00 BC', dropped],
    ['timestamp', '>', '2026-01-01', 'infinity', dropped],
    ['time', '>', '10:00:00', '100:00:00', dropped],
    ['time', '=', '1500', '00:00:01.5', dropped],
  ])('%s %s %s: %j is %s', async (type, operator, value, cell, expected) => {
    const [fate] = await transformed('dx_filter', { columnIndex: 0, paras: [operator, value] }, typedSchema(type), [[cell]]);
    const word = Array.isArray(fate) ? kept : fate;
    if (expected instanceof RegExp) expect(word).toMatch(expected);
    else expect(word).toBe(expected);
    if (Array.isArray(fate)) expect(fate).toEqual([cell]);
  });

  test('and leaves the type of the column as it is', async () => {
    const schema = typedSchema('decimal');
    expect((await openTransformers([{ name: 'dx_filter', parameter: { columnIndex: 0, paras: ['>', '1'] } }], schema)).schema).toBe(schema);
  });
});

describe('regular expressions of Java', () => {
  test.each<[string, string, boolean]>([
    ['(?i)ab.', 'ABC', true],
    ['(?s)a.b', 'a\nb', true],
    ['a.b', 'a\nb', false],
    ['\\Qa.b\\E+', 'a.b', true],
    ['\\Qa.b\\E', 'axb', false],
    ['\\p{Alpha}+', 'ab', true],
    ['[\\p{Digit}x]+', '1x', true],
    ['\\P{Digit}+', 'a1', false],
    ['\\s', '\u00a0', false],
    ['\\S', '\u00a0', true],
    ['\\h+', '\t\u00a0', true],
    ['1\\-2', '1-2', true],
    ['\\A\\d{3}\\z', '123', true],
    ['a|bc', 'bc', true],
    ['.', '😀', true],
    ['(?<y>\\d)\\k<y>', '11', true],
  ])('%s on %j: %s', async (pattern, text, matches) => {
    const [fate] = await transformed('dx_filter', { columnIndex: 0, paras: ['like', pattern] }, typedSchema('string'), [[text]]);
    expect(fate === 'filtered').toBe(matches);
  });

  test.each(['a++', '(?>a)', '[a[b]]', '(', '\\y'])('%s is refused, and not taken for something else', async (pattern) => {
    const opened = openTransformers(
      [{ name: 'dx_filter', parameter: { columnIndex: 0, paras: ['like', pattern] } }],
      typedSchema('string'),
    );
    await expect(opened).rejects.toMatchObject({
      code: 'JOB_INVALID',
      message: expect.stringContaining('regular expression cannot be used'),
    });
  });
});

describe('what is wrong is refused before the first row', () => {
  test.each<[string, object, string]>([
    ['dx_substr', { columnIndex: 5, paras: ['0', '1'] }, 'columnIndex 5 is out of bounds; the rows have 2 columns here: c0, c1'],
    ['dx_substr', { column: 'c7', paras: ['0', '1'] }, 'there is no column "c7"'],
    ['dx_filter', { columnIndex: 0, paras: ['>', 'ten'] }, 'the column "c0" is of type integer, and cannot be compared with "ten"'],
    ['dx_filter', { columnIndex: 0, paras: ['<', 'null'] }, 'cannot be compared with "null"'],
    ['cast', { column: 'c0', type: 'date', format: 'yyyy' }, '"format" says how a text is read'],
    ['cast', { column: 'c1', type: 'integer', format: 'yyyy' }, '"format" goes with the types'],
    ['cast', { column: 'c1', type: 'date', format: 'YYYY' }, '"YYYY" is not supported'],
    ['drop', { column: ['c0', 'c1'] }, 'no column is left'],
    ['drop', { column: ['c0', 'c0'] }, 'is named twice'],
    ['rename', { columns: { c0: 'c1' } }, 'two columns would be called "c1"'],
  ])('%s %j', async (name, parameter, message) => {
    await expect(openTransformers([{ name, parameter }], typedSchema('integer', 'string'))).rejects.toMatchObject({
      code: 'JOB_INVALID',
      message: expect.stringContaining(message),
    });
  });

  test.each<[string, object, string]>([
    ['dx_substr', { paras: ['0', '1'] }, 'one of "column"'],
    ['dx_substr', { column: 'a', columnIndex: 0, paras: ['0', '1'] }, 'one of "column"'],
    ['dx_substr', { columnIndex: 0, paras: ['0'] }, 'Expected ["start", "length"]'],
    ['dx_substr', { columnIndex: 0, paras: ['-1', '2'] }, '>=0'],
    ['dx_pad', { columnIndex: 0, paras: ['x', '1', 'a'] }, 'Expected "l" or "r"'],
    ['dx_pad', { columnIndex: 0, paras: ['l', '1', ''] }, 'not empty'],
    ['dx_filter', { columnIndex: 0, paras: ['=', ''] }, 'not empty'],
    ['dx_filter', { columnIndex: 0, paras: ['~', 'a'] }, 'one of like'],
    ['dx_digest', { columnIndex: 0, paras: ['sha256', 'toLowerCase'] }, 'Expected "md5" or "sha1"'],
    ['dx_groovy', { code: 'return record', extraPackage: [] }, 'write the code in JavaScript: {"name": "dx_js"'],
  ])('%s %j, by its options alone', async (name, parameter, message) => {
    const { plugin } = await resolvePlugin('transformer', name, '.');
    const result = plugin.options.safeParse(parameter);
    expect(JSON.stringify(result.error?.issues.map((issue) => issue.message))).toContain(JSON.stringify(message).slice(1, -1));
  });
});
