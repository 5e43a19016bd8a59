import { beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { providedMariadb, providedPostgres } from '../support/provided-servers.ts';
import { runDray, writeJob } from '../support/run-dray.ts';
import { mysqlDatabase, postgresDatabase, readerOf, type TestDatabase, writerOf } from '../support/sql.ts';
import { tempFolder } from '../support/temp-folder.ts';

const databases: Record<'postgres' | 'mysql', TestDatabase> = {} as never;

beforeAll(async () => {
  const [postgres, mariadb] = [providedPostgres(), providedMariadb()];
  await postgres.createDatabase('read_options');
  databases.postgres = postgresDatabase(postgres, 'read_options');
  databases.mysql = mysqlDatabase(mariadb, await mariadb.createDatabase('read_options'));
  for (const { kind, sql } of Object.values(databases)) {
    const quote = (name: string) => (kind === 'postgres' ? `"${name}"` : `\`${name}\``);
    await sql(
      'CREATE TABLE people (id int PRIMARY KEY, name varchar(20), born date)',
      "INSERT INTO people VALUES (1, 'ada', '1815-12-10'), (2, NULL, '1912-06-23'), (3, '', NULL)",
      ...['00', '01', '02', '03', '10'].flatMap((part) => [
        `CREATE TABLE t_${part} (v varchar(9))`,
        `INSERT INTO t_${part} VALUES ('part ${part}')`,
      ]),
      `CREATE TABLE ${quote('Select')} (${quote('order')} int, ${quote('Mixed Case')} int)`,
      `INSERT INTO ${quote('Select')} VALUES (1, 2)`,
      'CREATE TABLE empty_one (id int PRIMARY KEY)',
      'CREATE TABLE many (id int PRIMARY KEY, v int)',
      kind === 'postgres'
        ? 'INSERT INTO many SELECT n, n % 7 FROM generate_series(1, 100000) n'
        : 'INSERT INTO many SELECT seq, seq % 7 FROM seq_1_to_100000',
      kind === 'postgres' ? 'ANALYZE many' : 'ANALYZE TABLE many',
    );
  }
});

/** What a reader delivers, as printed lines in a stable order. */
async function rowsOf(reader: object): Promise<string[]> {
  const writer = { name: 'streamwriter', parameter: { fieldDelimiter: '|' } };
  const { exitCode, stdout, stderr } = await runDray([
    'run',
    '--channels',
    '1',
    writeJob(tempFolder(), { job: { content: [{ reader, writer }] } }),
  ]);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  return stdout.trimEnd().split('\n').sort();
}

test('a schema in the address is the one in which tables are looked for, as with JDBC', async () => {
  const { sql, jdbcUrl } = databases.postgres;
  await sql('CREATE SCHEMA IF NOT EXISTS apart', 'CREATE TABLE apart.people (v text)', "INSERT INTO apart.people VALUES ('apart')");
  const reader = readerOf(databases.postgres, 'people');
  const connection = [{ jdbcUrl: `${jdbcUrl}?currentSchema=apart`, table: 'people' }];
  expect(await rowsOf({ ...reader, parameter: { ...reader.parameter, connection } })).toEqual(['apart']);
});

test('checkSlave: a server that can be written to is no replica that could be behind', async () => {
  const reader = readerOf(databases.mysql, 't_02', { checkSlave: 'true' });
  expect(await rowsOf(reader)).toEqual(['part 02']);
});

describe.each(['postgres', 'mysql'] as const)('%s', (kind) => {
  const from = (connection: object, options: object = {}) => {
    const { user, password, jdbcUrl } = databases[kind];
    return readerOf(databases[kind], '', { username: user, password, connection: [{ jdbcUrl: [jdbcUrl], ...connection }], ...options });
  };

  test('* is all columns, NULL and an empty text stay apart', async () => {
    expect(await rowsOf(from({ table: 'people' }, { column: '*' }))).toEqual(['1|ada|1815-12-10', '2|null|1912-06-23', '3||null']);
  });

  test('of several addresses the first that answers is used, also if one in front of it cannot even be read', async () => {
    const { host, jdbcUrl } = databases[kind];
    const scheme = kind === 'postgres' ? 'postgresql' : 'mysql';
    const jdbcUrls = [
      `jdbc:${scheme}://${host}:bad_port/read_options`,
      `jdbc:${scheme}://${host}:${await freePort()}/read_options`,
      jdbcUrl,
    ];
    expect(await rowsOf(from({ table: 't_01', jdbcUrl: jdbcUrls }))).toEqual(['part 01']);
  });

  test('a database that fails "preSql" is passed over; if all do, the sentence says so', async () => {
    const { jdbcUrl } = databases[kind];
    const other = `${jdbcUrl}?application=second`;
    const isZero = ['SELECT count(*) FROM empty_one', ''];
    expect(await rowsOf(from({ table: 't_01', jdbcUrl: [other, jdbcUrl] }, { preSql: isZero }))).toEqual(['part 01']);
    const job = { job: { content: [{ reader: from({ table: 't_01' }, { preSql: ['SELECT 1'] }), writer: { name: 'streamwriter' } }] } };
    const { exitCode, stderr } = await runDray(['run', writeJob(tempFolder(), job)]);
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining('fails "preSql"')]);
  });

  test('a blank "where" and a blank "splitPk" are none', async () => {
    expect(await rowsOf(from({ table: 't_01' }, { where: ' ', splitPk: '' }))).toEqual(['part 01']);
  });

  test('statements of "session" do not change what dates look like', async () => {
    const session = kind === 'postgres' ? ["SET DateStyle = 'German'"] : ["SET time_zone = '+08:00'"];
    expect(await rowsOf(from({ querySql: ['select born from people where id = 1；'] }, { session }))).toEqual(['1815-12-10']);
  });

  test('columns can be constants, expressions and * in any order', async () => {
    const column = ['upper(name)', "'a, b'", '42', 'NULL', 'id', '*', "concat(name, '!')"];
    expect((await rowsOf(from({ table: 'people' }, { column, where: 'id = 1' })))[0]).toBe('ADA|a, b|42|null|1|1|ada|1815-12-10|ada!');
  });

  test('a condition restricts the rows, whatever OR and semicolon it holds', async () => {
    expect(await rowsOf(from({ table: 'people' }, { column: ['id'], where: 'id = 1 OR id = 3;', splitPk: 'id' }))).toEqual(['1', '3']);
  });

  test('a query is read as it is', async () => {
    const querySql = ['SELECT id + 1 AS next, name FROM people WHERE id < 3 ORDER BY id DESC;'];
    expect(await rowsOf(from({ querySql }))).toEqual(['2|ada', '3|null']);
  });

  test('several queries are read one after the other', async () => {
    expect(await rowsOf(from({ querySql: ['SELECT 1 AS n', 'SELECT 2 AS n'] }))).toEqual(['1', '2']);
  });

  test('lists and ranges of tables are read, each table once', async () => {
    expect(await rowsOf(from({ table: ['t_[00-02]', 't_10'] }))).toEqual(['part 00', 'part 01', 'part 02', 'part 10']);
    expect(await rowsOf(from({ table: 't_03,t_10' }))).toEqual(['part 03', 'part 10']);
  });

  test('several connections are read', async () => {
    const { jdbcUrl } = databases[kind];
    const connection = [
      { jdbcUrl, table: 't_00' },
      { jdbcUrl: [jdbcUrl], querySql: "SELECT 'queried' AS v" },
    ];
    expect(await rowsOf(from({}, { connection }))).toEqual(['part 00', 'queried']);
  });

  test('names that are reserved words or mixed in case are found as they are written', async () => {
    expect(await rowsOf(from({ table: 'Select' }))).toEqual(['1|2']);
    expect(await rowsOf(from({ table: 'Select' }, { column: ['Mixed Case', 'order'] }))).toEqual(['2|1']);
  });

  test('an empty table is no rows, also when it could be cut', async () => {
    expect(await rowsOf(from({ table: 'empty_one' }))).toEqual(['']);
  });

  test('of several addresses the first that answers is used', async () => {
    const { jdbcUrl } = databases[kind];
    const dead = jdbcUrl.replace(/:\d+\//, `:${await freePort()}/`);
    expect(await rowsOf(from({ jdbcUrl: [dead, jdbcUrl], table: 't_00' }))).toEqual(['part 00']);
  });

  test('an address that answers with an error is not passed over', async () => {
    const { jdbcUrl } = databases[kind];
    const other = from({ jdbcUrl: [jdbcUrl.replace(/[^/]+$/, 'missing'), jdbcUrl], table: 't_00' });
    const sink = { name: 'streamwriter', parameter: {} };
    expect((await runDray(['run', writeJob(tempFolder(), { job: { content: [{ reader: other, writer: sink }] } })])).stderr).toContain(
      'DATABASE_MISSING',
    );
  });

  test('session statements hold for what is read', async () => {
    const session = kind === 'postgres' ? ["SET dray.who = 'me'"] : ["SET @who = 'me'"];
    const column = [kind === 'postgres' ? "current_setting('dray.who')" : '@who'];
    expect(await rowsOf(from({ table: 't_00' }, { column, session }))).toEqual(['me']);
  });

  test.each(['1', '2', '4'])('a table cut into ranges for %s channels arrives whole', async (channels) => {
    await databases[kind].sql('DROP TABLE IF EXISTS copy', 'CREATE TABLE copy (id int PRIMARY KEY, v int)');
    const job = {
      job: { content: [{ reader: readerOf(databases[kind], 'many', { where: 'v <> 3' }), writer: writerOf(databases[kind], 'copy') }] },
    };
    const { report } = await runDray(['run', '--json', '--channels', channels, writeJob(tempFolder(), job)]);
    expect(report?.state).toBe('done');
    if (channels === '1') expect(report!.tasks).toHaveLength(1);
    else expect(report!.tasks.length).toBeGreaterThan(3);
    const sums = (table: string) => databases[kind].sql(`SELECT count(*), sum(id), sum(v) FROM ${table} WHERE v <> 3`);
    expect(await sums('copy')).toEqual(await sums('many'));
  });

  test('every content of a job runs, each into its own target', async () => {
    const database = databases[kind];
    await database.sql(
      'DROP TABLE IF EXISTS a',
      'DROP TABLE IF EXISTS b',
      'CREATE TABLE a (v varchar(9))',
      'CREATE TABLE b (v varchar(9))',
    );
    const content = [
      { reader: readerOf(database, 't_00'), writer: writerOf(database, 'a') },
      { reader: readerOf(database, 't_01'), writer: writerOf(database, 'b') },
    ];
    const { report, exitCode } = await runDray(['run', '--json', writeJob(tempFolder(), { job: { content } })]);
    expect(exitCode).toBe(0);
    expect(report!.contents.map(({ state, rows }) => [state, rows.written])).toEqual([
      ['done', 1],
      ['done', 1],
    ]);
    expect(await database.sql("SELECT 'a', v FROM a UNION ALL SELECT 'b', v FROM b")).toEqual([
      ['a', 'part 00'],
      ['b', 'part 01'],
    ]);
  });

  test('a source that cannot be read keeps the targets of all contents as they are', async () => {
    const database = databases[kind];
    await database.sql('DROP TABLE IF EXISTS kept', 'CREATE TABLE kept (v varchar(9))', "INSERT INTO kept VALUES ('old')");
    const content = [
      { reader: readerOf(database, 't_00'), writer: writerOf(database, 'kept', { preSql: ['DELETE FROM @table'] }) },
      { reader: readerOf(database, 'nowhere'), writer: writerOf(database, 'kept') },
    ];
    expect((await runDray(['run', writeJob(tempFolder(), { job: { content } })])).exitCode).toBe(3);
    expect(await database.sql('SELECT v FROM kept')).toEqual([['old']]);
  });
});

test('a table of another schema or database is read by its qualified name', async () => {
  await databases.postgres.sql('CREATE SCHEMA aside', "CREATE TABLE aside.t AS SELECT 'aside'::text AS v");
  expect(await rowsOf(readerOf(databases.postgres, 'aside.t'))).toEqual(['aside']);
  const aside = await providedMariadb().createDatabase('read_options_aside');
  await databases.mysql.sql(`CREATE TABLE ${aside}.t (v varchar(9))`, `INSERT INTO ${aside}.t VALUES ('aside')`);
  expect(await rowsOf(readerOf(databases.mysql, `${aside}.t`))).toEqual(['aside']);
});
