import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { type ExpectedFault, expectFault } from '../support/faults.ts';
import { freePort } from '../support/free-port.ts';
import { providedMariadb, providedPostgres } from '../support/provided-servers.ts';
import type { DrayResult } from '../support/run-dray.ts';
import { runDray, writeJob } from '../support/run-dray.ts';
import { mysqlDatabase, postgresDatabase, readerOf, type TestDatabase, writerOf } from '../support/sql.ts';
import { tempFolder } from '../support/temp-folder.ts';

const databases: Record<'postgres' | 'mysql', TestDatabase> = {} as never;
let nobody = 0;

beforeAll(async () => {
  const [postgres, mariadb] = [providedPostgres(), providedMariadb()];
  await postgres.createDatabase('bad_input');
  databases.postgres = postgresDatabase(postgres, 'bad_input');
  databases.mysql = mysqlDatabase(mariadb, await mariadb.createDatabase('bad_input'));
  nobody = await freePort();
  const { host } = databases.mysql;
  for (const database of Object.values(databases)) {
    await database.sql(
      'CREATE TABLE good (id int PRIMARY KEY, word varchar(5))',
      "INSERT INTO good VALUES (1, 'one'), (2, 'two'), (3, 'three')",
      'CREATE TABLE three (id int PRIMARY KEY, word varchar(5), more int)',
      'CREATE TABLE target (id int PRIMARY KEY, word varchar(5))',
      ...(database.kind === 'postgres'
        ? ["CREATE USER poor PASSWORD 'poor-password'"]
        : [
            `CREATE USER 'poor'@'${host}' IDENTIFIED BY 'poor-password'`,
            `GRANT CREATE TEMPORARY TABLES ON ${database.name}.* TO 'poor'@'${host}'`,
          ]),
    );
  }
});

const stream = (columns: object[], rows = 1) => ({ name: 'streamreader', parameter: { column: columns, sliceRecordCount: rows } });
const twoColumns = stream([{ type: 'long', sequence: 100 }, { value: 'abc' }]);
const sink = { name: 'streamwriter', parameter: { print: false } };

function run(reader: object, writer: object, setting: object = {}): Promise<DrayResult> {
  return runDray(['run', '--json', '--channels', '1', writeJob(tempFolder(), { job: { setting, content: [{ reader, writer }] } })]);
}

type Fault = ExpectedFault & { readonly title: string; readonly options: (database: TestDatabase) => object };

/** What can be wrong with a connection, from either side. */
const connectionFaults: Omit<Fault, 'exitCode'>[] = [
  { title: 'a wrong password', code: 'LOGIN_REFUSED', says: /refuses the login of /, options: () => ({ password: 'not-the-password' }) },
  { title: 'an unknown user', code: 'LOGIN_REFUSED', says: 'noone', options: () => ({ username: 'noone' }) },
  {
    title: 'a server that is not there',
    code: 'CONNECT_FAILED',
    says: 'nothing listens there',
    options: at((url) => url.replace(/:\d+\//, `:${nobody}/`)),
  },
  {
    title: 'a host that is not there',
    code: 'CONNECT_FAILED',
    says: 'the host name is unknown',
    options: at((url) => url.replace('127.0.0.1', 'no-such-host.invalid')),
  },
  {
    title: 'a database that is not there',
    code: 'DATABASE_MISSING',
    says: 'no database "elsewhere"',
    options: at((url) => url.replace(/[^/]+$/, 'elsewhere'), 'root'),
  },
  { title: 'a table that is not there', code: 'TABLE_MISSING', says: 'there is no table "nowhere"', options: at((url) => url, 'nowhere') },
  { title: 'a column that is not there', code: 'COLUMN_MISSING', says: 'wrod', options: () => ({ column: ['id', 'wrod'] }) },
  {
    title: 'a mistake in "session"',
    code: 'SQL_FAILED',
    says: 'a statement of "session" failed',
    where: 'SET nonsense',
    options: () => ({ session: ['SET nonsense = = 1'] }),
  },
  {
    title: 'a certificate authority that is not there',
    code: 'TLS_FAILED',
    says: '/no/such/ca.pem',
    options: () => ({ tls: { ca: '/no/such/ca.pem' } }),
  },
];

/** Options with another address or table. */
function at(change: (jdbcUrl: string) => string, table?: string) {
  return ({ jdbcUrl }: TestDatabase) => ({ connection: [{ jdbcUrl: [change(jdbcUrl)], table: [table ?? 'good'] }] });
}

describe.each(['postgres', 'mysql'] as const)('%s', (kind) => {
  test.each(connectionFaults)('as source: $title', async ({ options, ...fault }) => {
    const result = await run(readerOf(databases[kind], 'good', options(databases[kind])), sink);
    expectFault(result, { exitCode: 3, ...fault });
    expect(result.report?.error?.side).toBe('source');
  });

  test.each(connectionFaults)('as target: $title', async ({ options, ...fault }) => {
    const result = await run(twoColumns, writerOf(databases[kind], 'target', options(databases[kind])));
    expectFault(result, { exitCode: 4, ...fault });
    expect(result.report?.error?.side).toBe('target');
  });

  test.each<Fault>([
    { title: 'a jdbcUrl that is none', exitCode: 2, code: 'JOB_INVALID', says: 'cannot be read', options: at(() => 'localhost:5432/shop') },
    {
      title: 'a jdbcUrl without database',
      exitCode: 2,
      code: 'JOB_INVALID',
      says: 'names no database',
      options: at((url) => url.replace(/\/[^/]+$/, '')),
    },
    {
      title: 'a jdbcUrl of another system',
      exitCode: 2,
      code: 'JOB_INVALID',
      says: 'cannot be read',
      options: at((url) => url.replace(/jdbc:\w+/, 'jdbc:oracle')),
    },
    {
      title: 'neither table nor query',
      exitCode: 2,
      code: 'JOB_INVALID',
      says: 'expected a "table" or a "querySql"',
      options: ({ jdbcUrl }) => ({ connection: [{ jdbcUrl }] }),
    },
    {
      title: 'an expression that is no SQL',
      exitCode: 3,
      code: 'SQL_FAILED',
      says: 'read the columns of good',
      options: () => ({ column: ['id +'] }),
    },
    { title: 'a condition that is no SQL', exitCode: 3, code: 'SQL_FAILED', options: () => ({ where: 'id >' }) },
    { title: 'a splitPk that is not there', exitCode: 3, code: 'COLUMN_MISSING', says: 'splitPk', options: () => ({ splitPk: 'idd' }) },
    {
      title: 'a query that is no SQL',
      exitCode: 3,
      code: 'SQL_FAILED',
      says: 'querySql',
      options: ({ jdbcUrl }) => ({ connection: [{ jdbcUrl, querySql: ['SELEC 1'] }] }),
    },
    {
      title: 'a right that is missing',
      exitCode: 3,
      code: kind === 'postgres' ? 'PERMISSION_DENIED' : 'TABLE_MISSING',
      options: () => ({ username: 'poor', password: 'poor-password' }),
    },
  ])('as source: $title', async ({ options, ...fault }) => {
    expectFault(await run(readerOf(databases[kind], 'good', options(databases[kind])), sink), fault);
  });

  test.each<Fault>([
    {
      title: 'a mistake in "preSql"',
      exitCode: 4,
      code: 'SQL_FAILED',
      says: 'a statement of "preSql" failed',
      where: 'DELETE FORM target',
      options: () => ({ preSql: ['DELETE FORM @table'] }),
    },
    {
      title: 'a mistake in "postSql"',
      exitCode: 4,
      code: 'SQL_FAILED',
      says: 'a statement of "postSql" failed',
      options: () => ({ preSql: ['DELETE FROM @table'], postSql: ['nonsense'] }),
    },
    { title: 'a column named twice', exitCode: 2, code: 'JOB_INVALID', says: 'stands twice', options: () => ({ column: ['id', 'ID'] }) },
    {
      title: 'two tables',
      exitCode: 2,
      code: 'JOB_INVALID',
      says: 'names 2 tables',
      options: ({ jdbcUrl }) => ({ connection: [{ jdbcUrl, table: ['target', 'good'] }] }),
    },
    { title: 'a write mode that is none', exitCode: 2, code: 'JOB_INVALID', says: 'writeMode', options: () => ({ writeMode: 'upsert' }) },
    {
      title: 'fewer columns in the reader',
      exitCode: 2,
      code: 'COLUMN_COUNT',
      says: '2 columns (c0, c1) and the writer takes 3 (id, word, more)',
      options: at((url) => url, 'three'),
    },
    {
      title: 'fewer columns in the writer',
      exitCode: 2,
      code: 'COLUMN_COUNT',
      says: 'the writer takes 1 (id)',
      options: () => ({ column: ['id'] }),
    },
    {
      title: 'a right that is missing',
      exitCode: 4,
      code: kind === 'postgres' ? 'PERMISSION_DENIED' : 'TABLE_MISSING',
      options: () => ({ username: 'poor', password: 'poor-password' }),
    },
  ])('as target: $title', async ({ options, ...fault }) => {
    expectFault(await run(twoColumns, writerOf(databases[kind], 'target', options(databases[kind]))), fault);
  });

  test.each<[string, object, string | RegExp, string?]>([
    ['a text that is too long', { value: 'geheimes' }, /5 characters|too long/, 'word'],
    ['NULL in a column that takes none', {}, /^NULL/, 'id'],
    ['a number out of range', { value: '99999999999', type: 'long' }, /number out of range/, 'id'],
    ['a text that is no number', { value: 'geheim' }, /not a value of the column's type/, 'id'],
    ['a fraction in whole numbers', { value: '10.5', type: 'double' }, 'a fraction in a whole-number column', 'id'],
  ])('%s is a dirty record: named, counted against errorLimit, without its value', async (_, cell, cause, column = 'word') => {
    const database = databases[kind];
    await database.sql('DELETE FROM target');
    const bad = column === 'id' ? [cell, { value: 'x' }] : [{ value: '7', type: 'long' }, cell];
    const strict = await run(stream(bad), writerOf(database, 'target'));
    expectFault(strict, { exitCode: 5, code: 'DIRTY_LIMIT', says: '1 dirty record and none is allowed' });
    const told = strict.stderr.split('\n').find((line) => line.includes('dirty record: row 1 of slice 0'))!;
    expect(told).toContain('was refused by the target: ');
    expect(told.split('target: ')[1]).toMatch(cause);
    expect(strict.stderr + strict.stdout).not.toMatch(/geheim|99999999999|10\.5/);

    const allowed = await run(stream(bad, 2), writerOf(database, 'target'), { errorLimit: { record: 2 } });
    expect(allowed).toMatchObject({ exitCode: 0, report: { state: 'done', rows: { read: 2, written: 0, dirty: 2, filtered: 0 } } });
    expect(await database.sql('SELECT count(*) FROM target')).toEqual([['0']]);
  });

  test('of a key that is there already only the second row is dirty, and nothing is left over when that is not allowed', async () => {
    const database = databases[kind];
    await database.sql('DELETE FROM target', "INSERT INTO target VALUES (3, 'old')");
    const rows = stream([{ type: 'long', sequence: 1 }, { value: 'new' }], 5);
    expectFault(await run(rows, writerOf(database, 'target')), { exitCode: 5, code: 'DIRTY_LIMIT' });
    expect(await database.sql('SELECT id, word FROM target')).toEqual([['3', 'old']]);
    const { report, stderr } = await run(rows, writerOf(database, 'target'), { errorLimit: { percentage: 0.2 } });
    expect(report).toMatchObject({ state: 'done', rows: { read: 5, written: 4, dirty: 1 } });
    expect(stderr).toContain('dirty record: row 3 of slice 0');
    expect(stderr).toContain('a key that is there already');
    expect(await database.sql('SELECT count(*) FROM target')).toEqual([['5']]);
  });
});

test('a NUL character is dirty at PostgreSQL, which has none, and arrives at MySQL', async () => {
  const rows = stream([{ value: '1', type: 'long' }, { value: 'a\0b' }]);
  for (const database of Object.values(databases)) await database.sql('DELETE FROM target');
  expectFault(await run(rows, writerOf(databases.postgres, 'target')), { exitCode: 5, code: 'DIRTY_LIMIT' });
  expect((await run(rows, writerOf(databases.mysql, 'target'))).exitCode).toBe(0);
  expect(await databases.mysql.sql('SELECT hex(word) FROM target')).toEqual([['610062']]);
});

describe('files', () => {
  const from = (path: string, options: object = {}) => ({ name: 'txtfilereader', parameter: { path, ...options } });
  const into = (path: string, options: object = {}) => ({
    name: 'txtfilewriter',
    parameter: { path, fileName: 'out', writeMode: 'nonConflict', ...options },
  });

  /** Moves a file that is wrong into a folder, which must be empty afterwards. */
  async function fileFault(name: string, content: Buffer | string | undefined, options: object = {}): Promise<DrayResult> {
    const folder = tempFolder();
    const file = join(folder, name);
    if (content !== undefined) writeFileSync(file, content);
    const out = join(folder, 'out');
    mkdirSync(out);
    const result = await run(from(file, options), into(out));
    expect(readdirSync(out)).toEqual([]);
    return result;
  }

  test('a file that is not there', async () => {
    expectFault(await fileFault('none.csv', undefined), { exitCode: 3, code: 'PATH_MISSING', where: 'none.csv' });
  });

  test('a pattern that nothing matches', async () => {
    expectFault(await fileFault('*.csv', undefined), { exitCode: 3, code: 'PATH_MISSING', where: '*.csv' });
  });

  test('a file that cannot be read', async () => {
    const folder = tempFolder();
    const file = join(folder, 'loop.csv');
    symlinkSync(file, file);
    expectFault(await run(from(file), into(folder)), { exitCode: 3, code: 'FILE_FAILED', where: 'loop.csv' });
    expect(readdirSync(folder)).toEqual(expect.not.arrayContaining([expect.stringContaining('out')]));
  });

  const packed = gzipSync(Buffer.from('1,a\n'.repeat(50_000)));
  test.each([
    ['that is no gzip', Buffer.from('1,a\n2,b\n')],
    ['that is cut off', packed.subarray(0, packed.length - 20)],
    ['with a wrong checksum', Buffer.from(packed.map((byte, index) => (index === packed.length - 6 ? byte ^ 1 : byte)))],
    ['with garbage in the middle', Buffer.from(packed.map((byte, index) => (index > 60 && index < 80 ? 255 : byte)))],
  ])('a gzip file %s', async (_, content) => {
    expectFault(await fileFault('in.csv.gz', content), { exitCode: 3, code: 'FILE_BROKEN', where: 'in.csv.gz' });
  });

  test('a quote that nobody closes', async () => {
    expectFault(await fileFault('in.csv', `1,a\n2,"${'b,c\n'.repeat(100)}`), { exitCode: 3, code: 'FILE_BROKEN', where: 'in.csv' });
  });

  test('bytes that are not UTF-8 make their row dirty, and only that', async () => {
    const folder = tempFolder();
    const file = join(folder, 'in.csv');
    writeFileSync(file, Buffer.concat([Buffer.from('1,ok\n2,'), Buffer.from([0xe4, 0x62]), Buffer.from('\n3,ok\n')]));
    expectFault(await run(from(file), into(folder)), { exitCode: 5, code: 'DIRTY_LIMIT' });
    const { report, stderr } = await run(from(file), into(folder), { errorLimit: { record: 1 } });
    expect(report).toMatchObject({ state: 'done', rows: { read: 3, written: 2, dirty: 1 } });
    expect(stderr).toMatch(/dirty record: row 2 of .*in\.csv .*was refused by the source: .*UTF-8/);
  });

  test('a line with more or fewer cells than the others is dirty', async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'in.csv'), '1,a\n2\n3,c,more\n4,d\n');
    const { report, stderr } = await run(from(join(folder, 'in.csv')), into(join(folder, 'out')), { errorLimit: { record: 2 } });
    expect(report).toMatchObject({ state: 'done', rows: { read: 4, written: 2, dirty: 2 } });
    expect(stderr).toContain('dirty record: row 2 of ');
    expect(stderr).toContain('dirty record: row 3 of ');
  });

  test('a folder that cannot be made', async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'file'), '');
    const reader = stream([{ value: 'a' }]);
    expectFault(await run(reader, into(join(folder, 'file'))), { exitCode: 4, code: 'FILE_FAILED', where: join(folder, 'file') });
    expectFault(await run(reader, into(join(folder, 'file', 'below'))), { exitCode: 4, code: 'FILE_FAILED', where: join(folder, 'file') });
  });

  test('files of an earlier run that must not be replaced', async () => {
    const folder = tempFolder();
    const reader = stream([{ value: 'a' }]);
    expect((await run(reader, into(folder))).exitCode).toBe(0);
    expectFault(await run(reader, into(folder)), { exitCode: 4, code: 'FILE_EXISTS', where: folder });
  });

  test('an encoding that nobody knows', async () => {
    expectFault(await fileFault('in.csv', '1\n', { encoding: 'UTF-9' }), { exitCode: 2, code: 'JOB_INVALID', says: 'UTF-9' });
  });
});
