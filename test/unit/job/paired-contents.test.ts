import { expect, test } from 'vitest';
import { importedJob } from '../../../core/job/imported-job.ts';
import { parseJobText } from '../../../core/job/job-text.ts';
import { loadJob } from '../../../core/job/load-job.ts';
import { SecretMask } from '../../../core/job/secret-mask.ts';
import { writeJob } from '../../support/run-dray.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const source = 'jdbc:mysql://source:3306/shop';
const target = 'jdbc:postgresql://target:5432/shop';

function reader(parameter: object, name = 'mysqlreader') {
  return { name, parameter };
}

function writer(connection: readonly object[], options: object = {}) {
  return { name: 'postgresqlwriter', parameter: { ...options, connection } };
}

const tables = (...table: string[]) => reader({ connection: [{ jdbcUrl: [source], table }] });
const into = (...table: string[]) => writer([{ jdbcUrl: target, table }]);

async function load(contents: readonly object[], setting: object = {}) {
  const warnings: string[] = [];
  const path = writeJob(tempFolder(), { job: { setting: { errorLimit: { record: 0 }, ...setting }, content: contents } });
  const options = {
    parameters: {},
    environment: {},
    isLenient: false,
    mask: new SecretMask(),
    warn: (text: string) => warnings.push(text),
  };
  return { job: await loadJob(path, options), warnings };
}

/** What each content reads and writes. */
async function ways(content: object, setting: object = {}) {
  const { job } = await load([content], setting);
  return job.contents.map(({ reader: from, writer: to }) => [from, to].map(({ options }) => options.connection as object[]));
}

test('the n-th table of the reader goes into the n-th of the writer, ranges expanded, over all connections', async () => {
  const other = source.replace('source', 'other');
  const from = reader({
    connection: [
      { jdbcUrl: [source], table: ['b', 't_[08-10]'] },
      { jdbcUrl: [other], table: ['a, z'] },
    ],
  });
  const to = writer([
    { jdbcUrl: target, table: ['u_[0-2]', 'y'] },
    { jdbcUrl: `${target}_2`, table: ['c', 'd'] },
  ]);
  const pairs = [
    [source, 'b', target, 'u_0'],
    [source, 't_08', target, 'u_1'],
    [source, 't_09', target, 'u_2'],
    [source, 't_10', target, 'y'],
    [other, 'a', `${target}_2`, 'c'],
    [other, 'z', `${target}_2`, 'd'],
  ];
  expect(await ways({ reader: from, writer: to })).toEqual(
    pairs.map(([fromUrl, fromTable, toUrl, toTable]) => [
      [{ jdbcUrl: [fromUrl], table: [fromTable] }],
      [{ jdbcUrl: [toUrl], table: [toTable] }],
    ]),
  );
});

test('queries are paired like tables, whatever splitPk says, as DataX never cuts them', async () => {
  const querySql = ['SELECT 1', 'SELECT 2;'];
  const from = reader({ splitPk: 'id', connection: [{ jdbcUrl: [source], querySql }] });
  expect((await ways({ reader: from, writer: into('a', 'b') })).map(([read]) => read?.[0])).toEqual(
    querySql.map((query) => ({ jdbcUrl: [source], querySql: [query] })),
  );
});

test('pairs are contents with numbers of their own, and all else of the content is theirs', async () => {
  const content = {
    reader: reader({ where: 'id > 3', connection: [{ jdbcUrl: [source], table: ['a', 'b'] }] }),
    writer: writer([{ jdbcUrl: target, table: ['c', 'd'] }], { preSql: ['TRUNCATE @table'] }),
    transformer: [{ name: 'drop', parameter: { column: ['x'] } }],
  };
  const { job, warnings } = await load([{ reader: tables('x'), writer: into('y') }, content, { reader: tables('x'), writer: into('z') }]);
  expect(job.contents.map(({ entry, item }) => [entry, item])).toEqual([
    [0, 0],
    [1, 1],
    [2, 1],
    [3, 2],
  ]);
  for (const { reader: from, writer: to, transformers } of job.contents.slice(1, 3)) {
    expect(from.options).toMatchObject({ where: 'id > 3' });
    expect(to.options).toMatchObject({ preSql: ['TRUNCATE @table'] });
    expect(transformers).toHaveLength(1);
  }
  expect(warnings).toEqual([
    expect.stringContaining('job.content[1].writer names 2 tables: the n-th table of the reader goes into the n-th'),
  ]);
});

const cut = reader({ splitPk: 'id', connection: [{ jdbcUrl: [source], table: ['a', 'b'] }] });

test('tables that splitPk would cut are paired where DataX has no more channels than tables, and so cuts none', async () => {
  expect(await ways({ reader: cut, writer: into('c', 'd') }, { speed: { channel: 2 } })).toHaveLength(2);
});

const ofTask = 'job.content[0].writer names 2 tables, of which the n-th task of DataX writes the n-th, and';

test.each<[string, object, object, string]>([
  ['more tables of the reader', { reader: tables('a', 'b', 'c') }, {}, `${ofTask} the reader names 3`],
  ['fewer tables of the reader', { reader: tables('a') }, {}, `${ofTask} the reader names 1`],
  ['splitPk', { reader: cut }, { speed: { channel: 3 } }, `${ofTask} with "splitPk" and more channels than tables DataX cuts them`],
  ['splitPk, and no channels', { reader: cut }, {}, `${ofTask} with "splitPk" and more channels than tables`],
  ['an expression', { reader: tables('/^a/', 'b') }, {}, `${ofTask} which tables its patterns stand for`],
  [
    'databases',
    { reader: reader({ connection: [{ jdbcUrl: [source], database: ['a', 'b'], table: ['t'] }] }) },
    {},
    `${ofTask} which tables its patterns stand for`,
  ],
  ['tasks that are no tables', { reader: reader({ column: [{ value: 'a' }], sliceRecordCount: 1 }, 'streamreader') }, {}, 'are no tables'],
  ['a table twice', { reader: tables('a', 'b'), writer: into('c', 'c') }, {}, 'job.content[0].writer names a table twice'],
  [
    'one of several writers',
    { reader: tables('a', 'b'), writer: undefined, writers: [into('c', 'd'), into('e')] },
    {},
    'job.content[0].writers[0] names 2 tables, and has room for one',
  ],
  [
    'the writer of dirty records',
    { reader: tables('a'), writer: into('c') },
    { quarantine: { writer: into('d', 'e') } },
    'job.setting.quarantine.writer names 2 tables, and has room for one',
  ],
])('what is left to chance is refused in a sentence: %s', async (_, content, setting, message) => {
  await expect(load([{ writer: into('c', 'd'), ...content }], setting)).rejects.toMatchObject({
    code: 'JOB_INVALID',
    message: expect.stringContaining(message),
    place: expect.stringMatching(/job\.json:\d+:\d+/),
  });
});

test('an imported job keeps the pairs as one content', async () => {
  const text = JSON.stringify({ job: { setting: {}, content: [{ reader: tables('a', 'b'), writer: into('c', 'd') }] } }, null, 2);
  const { job } = await load([{ reader: tables('a', 'b'), writer: into('c', 'd') }]);
  const imported = importedJob(parseJobText('job.json', text), job);
  expect(imported.match(/emptyAsNull left out/g)).toHaveLength(1);
  expect(imported).not.toContain('DataX runs the first content only');
});
