import { describe, expect, test } from 'vitest';
import { builtInPlugins, resolvePlugin } from '../../core/registry/registry.ts';
import type { Cell, Schema } from '../../core/sdk/index.ts';
import { type TransformerCase, transformerContract } from './transformer-contract.ts';

const schema: Schema = {
  columns: [
    { name: 'id', type: 'integer', isNullable: false },
    { name: 'word', type: 'string', isNullable: true },
    { name: 'data', type: 'bytes', isNullable: true },
  ],
};

type Facts = Omit<TransformerCase, 'plugin' | 'schema' | 'rows'>;

const rows: Cell[][] = [
  ['1', 'dataxTest', '\\x00ff'],
  ['22', 'tab\there\\', null],
  ['333', 'äöü€', '\\x'],
];
const [first, second, third] = rows as [Cell[], Cell[], Cell[]];
const word = (...texts: Cell[]) => texts.map((text, index) => [rows[index]![0]!, text, rows[index]![2]!]);
const shortRow: Cell[] = ['4', 'x', null];

const cases: Record<string, Facts> = {
  dx_substr: { parameter: { columnIndex: 1, paras: ['2', '5'] }, expected: word('taxTe', 'b\ther', 'ü€'), badRow: shortRow },
  dx_pad: { parameter: { columnIndex: 1, paras: ['l', 10, '-'] }, expected: word('-dataxTest', '-tab\there\\', '------äöü€') },
  dx_replace: { parameter: { columnIndex: 1, paras: [2, 3, '\n'] }, expected: word('da\nTest', 'ta\nere\\', 'äö\n'), badRow: shortRow },
  dx_filter: { parameter: { columnIndex: 0, paras: ['>=', '22'] }, expected: [first, undefined, undefined] },
  dx_digest: {
    parameter: { columnIndex: 1, paras: ['md5', 'toLowerCase'] },
    expected: word('2a289020f144a4b2304b87e02435ffaa', '00a0c2a2b439b3998edd086238287ddf', 'e007eea4feeb2395edae496b07d09de5'),
  },
  js: {
    parameter: {
      code: "if (row.id === '333') return false; row.word = JSON.parse(row.word === 'x' ? '' : '[\"\\\\u00e4\"]')[0] + row.word;",
    },
    expected: [['1', 'ädataxTest', '\\x00ff'], ['22', 'ätab\there\\', null], undefined],
    badRow: shortRow,
  },
  cast: { parameter: { column: 'id', type: 'decimal' }, expected: rows },
  drop: { parameter: { column: ['word'] }, expected: rows.map(([id, , data]) => [id!, data!]) },
  hash: {
    parameter: { column: 'word', algorithm: 'md5' },
    expected: word('2a289020f144a4b2304b87e02435ffaa', '00a0c2a2b439b3998edd086238287ddf', 'e007eea4feeb2395edae496b07d09de5'),
  },
  map: {
    parameter: { column: 'id', values: { 1: 'one', 22: null, 333: '' } },
    expected: [
      ['one', ...first.slice(1)],
      [null, ...second.slice(1)],
      ['', ...third.slice(1)],
    ],
    badRow: shortRow,
  },
  mask: { parameter: { column: ['word'], keepFirst: 1 }, expected: word('d********', 't********', 'ä***') },
  rename: { parameter: { columns: { word: 'text' } }, expected: rows },
};

test('there is a case for each built-in transformer that runs', async () => {
  const names = (await builtInPlugins('transformer')).map(({ plugin }) => plugin.name);
  expect(Object.keys(cases).sort()).toEqual(names.filter((name) => name !== 'dx_groovy').sort());
});

const builtIn = await builtInPlugins('transformer');
describe.each(Object.entries(cases))('%s', (name, facts) => {
  transformerContract({ plugin: builtIn.find(({ plugin }) => plugin.name === name)!.plugin, schema, rows, ...facts });
});

describe('the example of jobs/plugins', async () => {
  const { plugin } = await resolvePlugin('transformer', './plugins/join-columns.js', `${import.meta.dirname}/../../jobs`);
  transformerContract({
    plugin,
    parameter: { columns: ['word', 'id'], as: 'both', separator: '/' },
    schema,
    rows,
    expected: rows.map(([id, text, data]) => [data!, `${text}/${id}`]),
  });
});
