import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type MariadbServer, startMariadb } from '../support/mariadb-server.ts';
import { providedMariadb, providedPostgres } from '../support/provided-servers.ts';
import { type DrayResult, runDray, writeJob } from '../support/run-dray.ts';
import { mysqlDatabase, postgresDatabase, type TestDatabase, writerOf } from '../support/sql.ts';
import { tempFolder } from '../support/temp-folder.ts';

const databases: Record<'postgres' | 'mysql', TestDatabase> = {} as never;
const q = { postgres: (name: string) => `"${name}"`, mysql: (name: string) => `\`${name}\`` };

beforeAll(async () => {
  const [postgres, mariadb] = [providedPostgres(), providedMariadb()];
  await postgres.createDatabase('write_modes');
  databases.postgres = postgresDatabase(postgres, 'write_modes');
  databases.mysql = mysqlDatabase(mariadb, await mariadb.createDatabase('write_modes'));
});

/** Moves rows, given as CSV, into a table; types are the target's affair. */
async function write(csv: string, writer: object, setting: object = {}): Promise<DrayResult> {
  const folder = tempFolder();
  writeFileSync(join(folder, 'rows.csv'), csv);
  const reader = { name: 'txtfilereader', parameter: { path: join(folder, 'rows.csv') } };
  return runDray(['run', '--json', '--channels', '1', writeJob(folder, { job: { setting, content: [{ reader, writer }] } })]);
}

function expectDone({ report, stderr }: DrayResult, written: number): void {
  expect({ state: report?.state, written: report?.rows.written, stderr }).toMatchObject({ state: 'done', written });
}

let tables = 0;
/** A new table; `$` stands for its name. */
async function table(database: TestDatabase, ...statements: string[]): Promise<string> {
  const name = `t${++tables}`;
  await database.sql(...statements.map((statement) => statement.replaceAll('$', name)));
  return name;
}

describe.each(['postgres', 'mysql'] as const)('%s', (kind) => {
  const people = [
    'CREATE TABLE $ (id int PRIMARY KEY, name varchar(20), age int DEFAULT 7)',
    "INSERT INTO $ VALUES (1, 'ada', 36), (2, 'bob', 40)",
  ];
  const rowsOf = async (name: string) =>
    (await databases[kind].sql(`SELECT * FROM ${name}`)).sort((a, b) => (String(a) < String(b) ? -1 : 1));

  test('update changes the given columns of rows that are there, and inserts the others', async () => {
    const name = await table(databases[kind], ...people);
    expectDone(await write('2,bert\n3,cleo\n', writerOf(databases[kind], name, { writeMode: 'update', column: ['id', 'name'] })), 2);
    expect(await rowsOf(name)).toEqual([
      ['1', 'ada', '36'],
      ['2', 'bert', '40'],
      ['3', 'cleo', '7'],
    ]);
  });

  test('replace puts the new row in the place of the old one: columns not given have their defaults', async () => {
    const name = await table(databases[kind], ...people);
    expectDone(await write('2,bert\n3,cleo\n', writerOf(databases[kind], name, { writeMode: 'replace', column: ['id', 'name'] })), 2);
    expect(await rowsOf(name)).toEqual([
      ['1', 'ada', '36'],
      ['2', 'bert', '7'],
      ['3', 'cleo', '7'],
    ]);
  });

  test('the mode may be written in any case, and a mode that leaves rows out is refused', async () => {
    const name = await table(databases[kind], ...people);
    expectDone(await write('3,cleo,1\n', writerOf(databases[kind], name, { writeMode: ' INSERT ' })), 1);
    const ignoring = await write('3,cleo,1\n', writerOf(databases[kind], name, { writeMode: 'insert ignore' }));
    expect(ignoring.report).toMatchObject({ error: { code: 'JOB_INVALID', message: expect.stringContaining('"insert ignore"') } });
  });

  test('with emptyAsNull an empty text is NULL in columns of numbers, and stays what it is in others', async () => {
    const name = await table(databases[kind], 'CREATE TABLE $ (id int, n decimal(9,2), d double precision, t varchar(9))');
    const csv = '1,,,\n2,1.50,2,x\n,,,y\n';
    expectDone(await write(csv, writerOf(databases[kind], name, { emptyAsNull: true })), 3);
    expect(await databases[kind].sql(`SELECT id, n, d, t FROM ${name} ORDER BY t`)).toEqual([
      ['1', null, null, ''],
      ['2', '1.50', '2', 'x'],
      [null, null, null, 'y'],
    ]);
    const without = await write(csv, writerOf(databases[kind], name));
    expect(without.report).toMatchObject({ error: { code: 'DIRTY_LIMIT' } });
  });

  test('statements of "session" do not let the server bend rows', async () => {
    const name = await table(databases[kind], 'CREATE TABLE $ (t varchar(3), at timestamp)');
    const session = {
      mysql: ["SET SESSION sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES'", "SET time_zone = '+08:00'"],
      postgres: ["SET TimeZone = 'Asia/Shanghai'", "SET DateStyle = 'SQL, DMY'", 'SET standard_conforming_strings = off'],
    }[kind];
    expectDone(await write('a\\b,2026-02-01 10:00:00\n', writerOf(databases[kind], name, { session })), 1);
    expect(await databases[kind].sql(`SELECT t, CAST(at AS char(19)) FROM ${name}`)).toEqual([['a\\b', '2026-02-01 10:00:00']]);
    const long = await write('abcd,2026-02-01 10:00:00\n', writerOf(databases[kind], name, { session }));
    expect(long.report).toMatchObject({ error: { code: 'DIRTY_LIMIT' } });
  });

  test.each(['update', 'replace'])('%s: of several rows with one key the last one counts', async (writeMode) => {
    const name = await table(databases[kind], ...people);
    const csv = ['5,first,1', '2,bert,41', '5,second,2', '2,bill,42', '5,last,3'].join('\n');
    expectDone(await write(`${csv}\n`, writerOf(databases[kind], name, { writeMode })), 5);
    expect(await rowsOf(name)).toEqual([
      ['1', 'ada', '36'],
      ['2', 'bill', '42'],
      ['5', 'last', '3'],
    ]);
  });

  test.each(['update', 'replace'])('%s goes by all columns of a composite key, in whatever order they are listed', async (writeMode) => {
    const name = await table(
      databases[kind],
      'CREATE TABLE $ (a int, b varchar(5), v varchar(5), PRIMARY KEY (b, a))',
      "INSERT INTO $ VALUES (1, 'x', 'old'), (1, 'y', 'old'), (2, 'x', 'old')",
    );
    expectDone(await write('new,1,y\nnew,2,y\n', writerOf(databases[kind], name, { writeMode, column: ['v', 'a', 'b'] })), 2);
    expect(await rowsOf(name)).toEqual([
      ['1', 'x', 'old'],
      ['1', 'y', 'new'],
      ['2', 'x', 'old'],
      ['2', 'y', 'new'],
    ]);
  });

  test('update of a table that is all key leaves what is there, and adds the rest', async () => {
    const name = await table(databases[kind], 'CREATE TABLE $ (a int PRIMARY KEY)', 'INSERT INTO $ VALUES (1)');
    expectDone(await write('1\n2\n', writerOf(databases[kind], name, { writeMode: 'update' })), 2);
    expect(await rowsOf(name)).toEqual([['1'], ['2']]);
  });

  test.each(['update', 'replace'])('%s: a row that is refused is dirty, and its neighbours arrive', async (writeMode) => {
    const name = await table(databases[kind], ...people);
    const { report, stderr } = await write('2,bert,41\n3,x,none\n4,dora,1\n', writerOf(databases[kind], name, { writeMode }), {
      errorLimit: { record: 1 },
    });
    expect(report).toMatchObject({ state: 'done', rows: { read: 3, written: 2, dirty: 1 } });
    expect(stderr).toMatch(/dirty record: row 2 of /);
    expect(await rowsOf(name)).toEqual([
      ['1', 'ada', '36'],
      ['2', 'bert', '41'],
      ['4', 'dora', '1'],
    ]);
  });

  test('generated columns are left out of *, computed by the server, and refused when they are named', async () => {
    const name = await table(
      databases[kind],
      'CREATE TABLE $ (id int PRIMARY KEY, a int, twice int GENERATED ALWAYS AS (a * 2) STORED, b int)',
    );
    for (const writeMode of ['insert', 'update', 'replace']) {
      expectDone(await write('1,5,6\n', writerOf(databases[kind], name, { writeMode })), 1);
      expect(await rowsOf(name)).toEqual([['1', '5', '10', '6']]);
    }
    const { report } = await write('2,5,9\n', writerOf(databases[kind], name, { column: ['id', 'a', 'twice'] }));
    expect(report?.error).toMatchObject({ code: 'COLUMN_MISSING', message: expect.stringContaining('twice') });
  });

  test('counters and identity columns take the values they are given', async () => {
    const identity = kind === 'postgres' ? 'int GENERATED ALWAYS AS IDENTITY' : 'int AUTO_INCREMENT';
    for (const writeMode of ['insert', 'update', 'replace']) {
      const name = await table(databases[kind], `CREATE TABLE $ (id ${identity} PRIMARY KEY, a int)`);
      expectDone(await write('0,1\n70,2\n', writerOf(databases[kind], name, { writeMode })), 2);
      expect(await rowsOf(name)).toEqual([
        ['0', '1'],
        ['70', '2'],
      ]);
    }
  });

  test('preSql runs before the target is looked at, postSql after the rows are there, both with @table', async () => {
    const name = await table(databases[kind], 'CREATE TABLE $_log (n int)', 'CREATE TABLE $ (id int)');
    const writer = writerOf(databases[kind], name, {
      preSql: ['DROP TABLE @table', 'CREATE TABLE @table (id int, word varchar(9))'],
      postSql: [`INSERT INTO @table_log SELECT count(*) FROM @table`, "UPDATE @table SET word = 'posted'"],
    });
    expectDone(await write('1,a\n2,b\n', writer), 2);
    expect(await rowsOf(name)).toEqual([
      ['1', 'posted'],
      ['2', 'posted'],
    ]);
    expect(await rowsOf(`${name}_log`)).toEqual([['2']]);
  });

  test('postSql does not run when the job fails', async () => {
    const name = await table(databases[kind], 'CREATE TABLE $ (id int)');
    expect((await write('x\n', writerOf(databases[kind], name, { postSql: ['DROP TABLE @table'] }))).exitCode).toBe(5);
    expect(await rowsOf(name)).toEqual([]);
  });

  test('session statements hold for the connections that write', async () => {
    const name = await table(
      databases[kind],
      `CREATE TABLE $ (id int, who varchar(40) DEFAULT ${kind === 'postgres' ? "current_setting('dray.who')" : "('x')"})`,
    );
    const session =
      kind === 'postgres' ? ["SET dray.who = 'me'"] : ["SET sql_mode = ''", 'SET sql_mode = STRICT_ALL_TABLES', "SET @who = 'me'"];
    if (kind === 'mysql') await databases.mysql.sql(`CREATE TRIGGER ${name}_who BEFORE INSERT ON ${name} FOR EACH ROW SET NEW.who = @who`);
    expectDone(await write('1\n', writerOf(databases[kind], name, { column: ['id'], session })), 1);
    expect(await rowsOf(name)).toEqual([['1', 'me']]);
  });

  test('names that are reserved words, mixed in case, or hold blanks and quotes are written and upserted', async () => {
    const quote = q[kind];
    const name = `Order ${++tables}`;
    const odd = kind === 'postgres' ? 'wei"rd' : 'wei`rd';
    const columns = ['select', 'Mixed Case', odd].map((column) => quote(column.replace(/["`]/g, '$&$&')));
    await databases[kind].sql(`CREATE TABLE ${quote(name)} (${columns[0]} int PRIMARY KEY, ${columns[1]} int, ${columns[2]} int)`);
    for (const [index, writeMode] of ['insert', 'update', 'replace'].entries()) {
      expectDone(await write(`1,2,${index}\n`, writerOf(databases[kind], name, { writeMode })), 1);
      expectDone(
        await write(`1,${index}\n`, writerOf(databases[kind], name, { writeMode: 'update', column: ['select', 'Mixed Case'] })),
        1,
      );
      expect(await rowsOf(quote(name))).toEqual([['1', String(index), writeMode === 'insert' ? '0' : String(index)]]);
    }
  });

  test('a write mode that needs a key says so when there is none, or it is not among the columns', async () => {
    const keyless = await table(databases[kind], 'CREATE TABLE $ (id int)');
    const keyed = await table(databases[kind], ...people);
    if (kind === 'mysql') return expectDone(await write('1\n1\n', writerOf(databases.mysql, keyless, { writeMode: 'update' })), 2);
    for (const [name, column] of [
      [keyless, ['*']],
      [keyed, ['age']],
    ] as const) {
      const { exitCode, report } = await write('1\n', writerOf(databases.postgres, name, { writeMode: 'update', column }));
      expect({ exitCode, code: report?.error?.code }).toEqual({ exitCode: 2, code: 'JOB_INVALID' });
    }
  });
});

test('a table of another schema is written by its qualified name', async () => {
  await databases.postgres.sql('CREATE SCHEMA other', 'CREATE TABLE other.there (id int PRIMARY KEY)', 'CREATE TABLE there (id int)');
  expectDone(await write('1\n2\n', writerOf(databases.postgres, 'other.there', { writeMode: 'update' })), 2);
  expect(await databases.postgres.sql('SELECT (SELECT count(*) FROM other.there), (SELECT count(*) FROM there)')).toEqual([['2', '0']]);

  const elsewhere = await providedMariadb().createDatabase('write_modes_other');
  await databases.mysql.sql(`CREATE TABLE ${elsewhere}.there (id int PRIMARY KEY)`);
  expectDone(await write('1\n2\n', writerOf(databases.mysql, `${elsewhere}.there`)), 2);
  expect(await databases.mysql.sql(`SELECT count(*) FROM ${elsewhere}.there`)).toEqual([['2']]);
});

test('a table that cannot roll back is written row by row, with a warning', async () => {
  const name = await table(databases.mysql, 'CREATE TABLE $ (id int PRIMARY KEY, word varchar(3)) ENGINE=MyISAM');
  const { report, stderr } = await write('1,one\n2,toolong\n1,dup\n3,two\n', writerOf(databases.mysql, name), {
    errorLimit: { record: 2 },
  });
  expect(report).toMatchObject({ state: 'done', rows: { read: 4, written: 2, dirty: 2 } });
  expect(stderr).toContain(`warning ${name} is a MyISAM table, which cannot roll back`);
  expect(await databases.mysql.sql(`SELECT * FROM ${name} ORDER BY id`)).toEqual([
    ['1', 'one'],
    ['3', 'two'],
  ]);
});

describe('a server that forbids LOAD DATA LOCAL', () => {
  let server: MariadbServer;
  let database: TestDatabase;

  beforeAll(async () => {
    server = await startMariadb({ settings: ['--local-infile=0', '--max-allowed-packet=1M'] });
    database = mysqlDatabase(server, await server.createDatabase('strict'));
    return () => server.stop();
  });

  test('gets INSERT statements, with a warning, and the same rows: quotes, backslashes, NULL and megabytes', async () => {
    const name = await table(database, 'CREATE TABLE $ (id int PRIMARY KEY, word longtext)');
    const words = ["it's", '\\', '\\N', "\\'", 'ta\tb', '', 'x'.repeat(700_000), 'y'.repeat(700_000), '漢😀'];
    const csv = words.map((word, id) => `${id},"${word}"\n`).join('');
    const result = await write(`${csv}99,\\N\n`, writerOf(database, name));
    expectDone(result, words.length + 1);
    expect(result.stderr).toContain('warning the server forbids LOAD DATA LOCAL');
    expect(await database.sql(`SELECT word FROM ${name} ORDER BY id`)).toEqual([...words, null].map((word) => [word]));
  });

  test('finds exactly the bad rows, also where a batch needs several statements', async () => {
    const name = await table(database, 'CREATE TABLE $ (id int PRIMARY KEY, word varchar(2000))');
    const rows = Array.from({ length: 3000 }, (_, id) => `${id === 2500 ? 'bad' : id === 2900 ? 17 : id},${'w'.repeat(1000)}\n`);
    const { report, stderr } = await write(rows.join(''), writerOf(database, name), { errorLimit: { record: 2 } });
    expect(report).toMatchObject({ state: 'done', rows: { read: 3000, written: 2998, dirty: 2 } });
    expect(stderr).toContain('dirty record: row 2501 of ');
    expect(stderr).toContain('dirty record: row 2901 of ');
    expect(await database.sql(`SELECT count(*), sum(id) FROM ${name}`)).toEqual([['2998', String((2999 * 3000) / 2 - 2500 - 2900)]]);
  });

  test('is refused when the job insists on LOAD DATA', async () => {
    const name = await table(database, 'CREATE TABLE $ (id int PRIMARY KEY)');
    const { exitCode, report } = await write('1\n', writerOf(database, name, { load: 'local-infile' }));
    expect({ exitCode, code: report?.error?.code }).toEqual({ exitCode: 4, code: 'PERMISSION_DENIED' });
  });
});
