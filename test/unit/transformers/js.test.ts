import { describe, expect, test } from 'vitest';
import type { Cell } from '../../../core/sdk/index.ts';
import { openTransformers, packed, transformed, typedSchema } from '../../support/through-chain.ts';

const texts = typedSchema('string', 'string');
const run = (code: string, rows: Cell[][], facts: object = {}) => transformed('dx_js', { code, ...facts }, texts, rows);

describe('code that changes rows', () => {
  test.each<[string, string, Cell[], Cell[] | string]>([
    ['an assignment as an expression', 'row.c0 = row.c0.toUpperCase()', ['a', 'b'], ['A', 'b']],
    ['an assignment of null keeps the row', 'row.c0 = null', ['a', 'b'], [null, 'b']],
    ['an assignment of false keeps the row', 'row.c0 = false', ['a', 'b'], ['false', 'b']],
    ['a body', "const t = row.c0; row.c0 = row.c1; row['c1'] = t;", ['a', 'b'], ['b', 'a']],
    ['a body that returns the row', 'row.c1 = row.c0 + 1; return row', ['1', 'b'], ['1', '11']],
    ['a number becomes its text', 'row.c0 = Number(row.c0) * 2', ['21', 'b'], ['42', 'b']],
    ['undefined becomes NULL', 'row.c0 = undefined', ['a', 'b'], [null, 'b']],
    ['NULL is null', 'row.c0 = row.c1 === null ? "yes" : "no"', ['a', null], ['yes', null]],
    ['all columns, where it is not clear which', 'for (const key of Object.keys(row)) row[key] += "!"', ['a', 'ä'], ['a!', 'ä!']],
    ['a pair that changes places', '[row.c0, row.c1] = [row.c1, row.c0];', ['a', 'b'], ['b', 'a']],
    ['what COPY text escapes', 'row.c0 = row.c0 + "\\t\\n\\\\"', ['\r', '\u0000'], ['\r\t\n\\', '\u0000']],
  ])('%s: %s', async (_what, code, cells, expected) => {
    expect(await run(code, [cells])).toEqual([expected]);
  });

  test.each<[string, (Cell[] | string)[]]>([
    ["row.c0 !== 'b'", [['a', '1'], 'filtered']],
    ["row.c0 === 'b' ? null : row", [['a', '1'], 'filtered']],
    ["if (row.c0 === 'b') return false;", [['a', '1'], 'filtered']],
    ["return row.c0 === 'b' ? null : true", [['a', '1'], 'filtered']],
    ["row.c1.includes(';') || row.c0 !== 'b'", [['a', '1'], 'filtered']],
  ])('drops a row with %s', async (code, expected) => {
    expect(
      await run(code, [
        ['a', '1'],
        ['b', '2'],
      ]),
    ).toEqual(expected);
  });

  test('keeps the type of a column, and refuses what is none of it', async () => {
    const schema = typedSchema('integer', 'date', 'bytes');
    const code = "row.c0 = row.c0 === '1' ? '007' : 'seven'; row.c1 = '2026-02-03'; row.c2 = '\\\\xAB';";
    const rows = [
      ['1', null, null],
      ['2', '2026-01-01', '\\x00'],
    ];
    expect(await transformed('js', { code }, schema, rows)).toEqual([
      ['7', '2026-02-03', '\\xab'],
      'transformer 1 (js): the code makes something that is no integer',
    ]);
  });

  test('decodes only the columns that it names', async () => {
    const chain = await openTransformers([{ name: 'js', parameter: { code: 'row.c0 = 1' } }], texts);
    expect(chain.schema.columns).toEqual([{ name: 'c0', type: 'string', isNullable: true }, texts.columns[1]]);
    await chain.close();
  });

  test('keeps what it remembers from row to row for itself', async () => {
    expect(
      await run('globalThis.n = (globalThis.n ?? 0) + 1; row.c0 = globalThis.n', [
        ['a', ''],
        ['b', ''],
      ]),
    ).toEqual([
      ['1', ''],
      ['2', ''],
    ]);
    expect(await run('row.c0 = typeof globalThis.n', [['a', '']])).toEqual([['undefined', '']]);
  });
});

describe('code that fails', () => {
  test.each<[string, string, string]>([
    ['throws', 'row.c0.c1.c2', 'TypeError'],
    ['throws with the cell in its message', "throw new Error('bad ' + row.c0)", 'transformer 1 (js): Error'],
    ['throws no error', "throw 'nothing'", 'transformer 1 (js): Error: nothing'],
    ['gives a cell an object', 'row.c0 = {}', 'c0 is given what is no text, number, truth value or null'],
    ['gives the row another key', "row['c' + 9] = 1;", 'object is not extensible'],
    ['returns another object', 'return {}', 'the code returns another object than row; change row itself'],
    ['changes a column behind the back', 'row.c0 /* here */ = 1;', 'c0 is changed in a way that cannot be foreseen'],
    ['makes half of a surrogate pair', "row.c0 = '\\ud800'", 'surrogate'],
  ])('makes a row dirty that %s', async (_what, code, message) => {
    expect(await run(code, [['xyzzy', 'b']])).toEqual([expect.stringContaining(message)]);
  });

  test.each<[string, string, string]>([
    ['is no JavaScript', 'row.c0 = ', '"code" is no JavaScript'],
    ['closes what it has not opened', '1) , (2', 'is no JavaScript'],
    ['names a column that is not there', 'row.c7 = 1', 'there is no column "c7"'],
    ['is an expression that changes the row and may also decide', "row.c0 === '1' && (row.c1 = null)", 'not clear whether'],
  ])('is refused before the first row if it %s', async (_what, code, message) => {
    await expect(run(code, [['a', 'b']])).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining(message) });
  });

  test('says in which line it is wrong', async () => {
    await expect(run('row.c0 = 1;\nrow.c1 = ;', [])).rejects.toThrow('(line 2)');
  });

  test.each([
    ['an expression', '(() => { while (true); })()'],
    ['a body that catches everything', 'for (;;) { try { while (true); } catch {} }'],
    ['a regular expression that goes astray', "/^(a+)+$/.test('a'.repeat(60) + 'b')"],
  ])('is stopped after its time: %s', async (_what, code) => {
    await expect(run(code, [['a', 'b']], { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'CODE_FAILED',
      message: 'the code took longer than 50 ms for one batch of rows, and was stopped',
    });
  });

  test('is stopped at the end of its memory', async () => {
    const code = 'const all = []; for (;;) all.push({ all });';
    await expect(run(code, [['a', 'b']], { memoryMb: 8 })).rejects.toMatchObject({
      code: 'CODE_FAILED',
      message: expect.stringContaining('8 MB'),
    });
  });
});

describe('the sandbox', () => {
  test.each(['process', 'require', 'fetch', 'module', 'Buffer', 'setTimeout', 'WebAssembly', 'console', 'navigator', 'Deno'])(
    'has no %s',
    async (name) => {
      expect(await run(`row.c0 = typeof ${name}`, [['a', 'b']])).toEqual([['undefined', 'b']]);
    },
  );

  test.each([
    "row.c0 = typeof this.constructor.constructor('return process')()",
    "row.c0 = typeof row.constructor.constructor('return process')();",
    "row.c0 = typeof globalThis.constructor.constructor('return this.process ?? process')()",
    "row.c0 = typeof new Error().constructor.constructor('return process')()",
    "row.c0 = typeof (0, eval)('process')",
  ])('is not left by %s', async (code) => {
    const [fate] = await run(code, [['a', 'b']]);
    expect(fate).toEqual(Array.isArray(fate) ? ['undefined', 'b'] : expect.stringContaining('Error'));
  });

  test('imports nothing', async () => {
    const code =
      "globalThis.found ??= 'nothing'; import('node:fs').then(() => { globalThis.found = 'a module'; }, () => {}); row.c0 = globalThis.found;";
    expect(
      await run(
        code,
        Array.from({ length: 3 }, () => ['a', 'b']),
      ),
    ).toEqual(Array.from({ length: 3 }, () => ['nothing', 'b']));
  });

  test('does not share what code does to the language with anybody', async () => {
    await run("String.prototype.toUpperCase = () => 'broken'; Array.prototype.push = null; row.c0 = 'x'", [['a', 'b']]);
    expect(await run('row.c0 = row.c0.toUpperCase()', [['a', 'b']])).toEqual([['A', 'b']]);
    expect('a'.toUpperCase()).toBe('A');
  });
});

test('a batch of many rows goes through at once', async () => {
  const rows = Array.from({ length: 5000 }, (_, row) => [String(row), `name ${row}`]);
  const chain = await openTransformers(
    [{ name: 'js', parameter: { code: "row.c1 = row.c1.toUpperCase(); if (row.c0.endsWith('7')) return false;" } }],
    texts,
  );
  const { batch, filtered } = chain.run(packed(texts, rows));
  expect(filtered).toBe(500);
  expect(batch!.row(7)).toEqual(['8', 'NAME 8']);
  await chain.close();
});
