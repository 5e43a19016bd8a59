import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { KeyRange } from '../../core/sdk/index.ts';
import { freePort } from '../support/free-port.ts';
import { providedMariadb, providedPostgres } from '../support/provided-servers.ts';
import { runDray, writeJob } from '../support/run-dray.ts';
import { streamJob } from '../support/sample-jobs.ts';
import { connectionTo, mysqlDatabase, postgresDatabase, readerOf, type TestDatabase, writerOf } from '../support/sql.ts';
import { tempFolder } from '../support/temp-folder.ts';

const databases: Record<'postgres' | 'mysql', TestDatabase> = {} as never;
const bigRows = 110_000;

beforeAll(async () => {
  const [postgres, mariadb] = [providedPostgres(), providedMariadb()];
  await postgres.createDatabase('plan_cli');
  databases.postgres = postgresDatabase(postgres, 'plan_cli');
  databases.mysql = mysqlDatabase(mariadb, await mariadb.createDatabase('plan_cli'));
  for (const { kind, sql } of Object.values(databases)) {
    const numbers = (count: number) => (kind === 'postgres' ? `generate_series(1, ${count}) AS s(seq)` : `seq_1_to_${count}`);
    const analyze = kind === 'postgres' ? 'ANALYZE' : 'ANALYZE TABLE';
    await sql(
      ...['orders (id int PRIMARY KEY, note char(60))', 'keyless (id int, note char(60))'].map((table) => `CREATE TABLE ${table}`),
      ...['orders', 'keyless'].flatMap((table) => [
        `INSERT INTO ${table} SELECT seq * 3, 'a note' FROM ${numbers(bigRows)}`,
        `${analyze} ${table}`,
      ]),
      ...['one', 'two', 'three'].flatMap((table) => [
        `CREATE TABLE ${table} (id int PRIMARY KEY, note varchar(60))`,
        `INSERT INTO ${table} SELECT seq, 'a note' FROM ${numbers(10)}`,
        `${analyze} ${table}`,
      ]),
      'CREATE TABLE sparse (u int UNIQUE, note char(60))',
      `INSERT INTO sparse SELECT CASE WHEN seq % 10 = 0 THEN seq END, 'a note' FROM ${numbers(bigRows)}`,
      `${analyze} sparse`,
      'CREATE TABLE copies (id int PRIMARY KEY, note char(60))',
      "INSERT INTO copies VALUES (1, 'was there before')",
    );
  }
});

interface PlanJson {
  readonly contents: readonly {
    readonly table: string;
    readonly key: string | null;
    readonly bytesPerSecond: number | null;
    readonly method: string;
    readonly estimatedRows: number | null;
    readonly estimatedBytes: number | null;
    readonly tables: readonly {
      readonly table: string;
      readonly splits: number;
      readonly why: string;
      readonly notes: readonly string[];
    }[];
    readonly splits: readonly SplitJson[];
  }[];
  readonly seconds: number;
}

interface SplitJson {
  readonly name: string;
  readonly range: KeyRange | null;
  readonly members?: readonly SplitJson[];
  readonly estimatedRows: number | null;
}

function jobOf(reader: object, { writer = { name: 'streamwriter' } as object, setting = {} } = {}) {
  return { job: { setting: { speed: { channel: 2 }, ...setting }, content: [{ reader, writer: { parameter: {}, ...writer } }] } };
}

/** Plans a job, and parses what `--json` prints. */
async function planned(job: object, ...args: string[]) {
  const { exitCode, stdout, stderr } = await runDray(['plan', '--json', ...args, writeJob(tempFolder(), job)]);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  const plan = JSON.parse(stdout) as PlanJson;
  return { plan, content: plan.contents[0]!, stderr };
}

/** How many rows of the table are really in each of these ranges of its id. */
async function rowsIn({ sql }: TestDatabase, table: string, splits: readonly SplitJson[]): Promise<number[]> {
  const counts = splits.map(({ range }) => {
    const { from, to, excludesFrom, includesTo } = range!;
    const conditions = [
      ...(from === null ? [] : [`id ${excludesFrom ? '>' : '>='} ${from[0]}`]),
      ...(to === null ? [] : [`id ${includesTo ? '<=' : '<'} ${to[0]}`]),
    ];
    return `(SELECT count(*) FROM ${table} WHERE ${conditions.join(' AND ')})`;
  });
  const [row] = await sql(`SELECT ${counts.join(', ')}`);
  return row!.map(Number);
}

describe.each(['postgres', 'mysql'] as const)('a table of %s', (kind) => {
  const method = kind === 'postgres' ? /^(histogram|sample)$/ : /^index dives$/;

  test('is planned as JSON of a stable shape, with ranges that hold every row once', async () => {
    const { plan, content, stderr } = await planned(jobOf(readerOf(databases[kind], 'orders')));
    expect(stderr).toBe('');
    expect(plan).toStrictEqual({ contents: [expect.any(Object)], seconds: expect.any(Number) });
    const split = { name: expect.stringMatching(/^orders .*id/), estimatedRows: expect.any(Number), estimatedBytes: expect.any(Number) };
    const value = [expect.stringMatching(/^\d+$/)];
    const range = { columns: ['id'], includesNull: false };
    expect(content).toStrictEqual({
      table: 'orders',
      key: 'id',
      why: expect.stringMatching(/^primary key, integer/),
      method: expect.stringMatching(method),
      estimatedRows: expect.any(Number),
      estimatedBytes: expect.any(Number),
      shards: 0,
      bytesPerSecond: null,
      tables: [
        {
          table: 'orders',
          shard: null,
          key: 'id',
          why: expect.any(String),
          method: expect.stringMatching(method),
          estimatedRows: expect.any(Number),
          estimatedBytes: expect.any(Number),
          splits: 5,
          evenness: expect.any(Number),
          dives: expect.any(Number),
          seeks: expect.any(Number),
          notes: [],
        },
      ],
      splits: [
        { ...split, range: { ...range, from: null, to: value } },
        ...Array(3).fill({ ...split, range: { ...range, from: value, to: value } }),
        { ...split, range: { ...range, from: value, to: [String(3 * bigRows)], includesTo: true } },
        { ...split, range: { ...range, from: [String(3 * bigRows)], to: null, excludesFrom: true } },
      ],
    });
    const counts = await rowsIn(databases[kind], 'orders', content.splits);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(bigRows);
    expect(Math.max(...counts)).toBeLessThan((2 * bigRows) / 5);
    expect(Math.abs(content.estimatedRows! - bigRows)).toBeLessThan(bigRows / 10);
    expect(content.splits.at(-1)!.estimatedRows).toBe(0);
  });

  test('is planned in words for people: how it is cut and why, and each task', async () => {
    const { exitCode, stdout, stderr } = await runDray(['plan', writeJob(tempFolder(), jobOf(readerOf(databases[kind], 'orders')))]);
    expect([exitCode, stderr]).toEqual([0, '']);
    const about = 'about [\\d,]+ rows, [\\d.]+ [kM]B';
    const lines = [
      `content 1: ${kind} → stream, ${about} in 6 tasks`,
      `  table orders: ${about}`,
      '    cut by id \\(primary key, integer.*\\) into 5 ranges, by [a-z ]+\\(\\d+ index dives?, \\d+ lookups\\); the largest is \\d\\.\\d\\d × the mean',
      `  task 0: id < \\d+, ${about}`,
      ...[1, 2, 3].map((task) => `  task ${task}: \\d+ <= id < \\d+, ${about}`),
      `  task 4: \\d+ <= id <= ${3 * bigRows}, ${about}`,
      `  task 5: id > ${3 * bigRows}, rows still to come`,
      '',
      'planned in [\\d.]+ s',
      '',
    ];
    expect(stdout).toMatch(new RegExp(`^${lines.join('\n')}$`));
  });

  test('is cut into more tasks for more channels, and by the bytes that the job file asks for', async () => {
    const reader = readerOf(databases[kind], 'orders');
    const splitsOf = async (job: object, ...args: string[]) => (await planned(job, ...args)).content.tables[0]!.splits;
    expect(await splitsOf(jobOf(reader), '--channels', '1')).toBe(1);
    expect(await splitsOf(jobOf(reader, { setting: { speed: { channel: 1 }, splitBytes: 1 << 20 } }))).toBe(5);
    expect(await splitsOf(jobOf(reader, { setting: { speed: { channel: 1 }, splitBytes: 8 << 20 } }))).toBe(2);
    expect(await splitsOf(jobOf(reader, { setting: { speed: { channel: 1 } } }), '--channels', '8')).toBe(5);
  });

  test('is cut by how fast a thread was before, and the plan and the run agree on that', async () => {
    const stateDir = tempFolder();
    writeFileSync(join(stateDir, 'speeds.json'), JSON.stringify({ [`${kind} → stream`]: { bytesPerSecond: 50_000, runs: 3 } }));
    const job = jobOf(readerOf(databases[kind], 'orders'), { setting: { speed: { channel: 1 } } });
    const { content } = await planned(job, '--state-dir', stateDir);
    expect(content.bytesPerSecond).toBe(50_000);
    expect(content.splits.length).toBeGreaterThan(2);
    const file = writeJob(tempFolder(), job);
    const { stdout } = await runDray(['plan', '--state-dir', stateDir, file]);
    expect(stdout).toContain('  a thread has moved 50.0 kB/s between these systems: no task should read more than 4.2 MB');
    const { report } = await runDray(['run', '--json', '--state-dir', stateDir, file]);
    expect(report).toMatchObject({ state: 'done', contents: [{ reader: kind, writer: 'stream' }] });
    expect(report!.tasks).toHaveLength(content.splits.length);
    const own = await planned(
      jobOf(readerOf(databases[kind], 'orders'), { setting: { speed: { channel: 1 }, splitBytes: 64 << 20 } }),
      '--state-dir',
      stateDir,
    );
    expect([own.content.bytesPerSecond, own.content.splits.length]).toEqual([null, 1]);
  });

  test('of which most rows have no key says so, and counts them where they are read', async () => {
    const { content, stderr } = await planned(jobOf(readerOf(databases[kind], 'sparse')));
    expect(stderr).toBe('');
    expect(content.tables[0]!.notes).toEqual([expect.stringMatching(/^about [\d,]+ rows of sparse have no u: one task reads them all$/)]);
    const [first, ...others] = content.splits;
    expect(first!.range).toMatchObject({ from: null, includesNull: true });
    expect(first!.estimatedRows! / bigRows).toBeGreaterThan(0.85);
    expect(others.every(({ range }) => !range!.includesNull)).toBe(true);
    expect(Math.abs(content.estimatedRows! - bigRows)).toBeLessThan(bigRows / 10);
  });

  test('that is small shares a task with others', async () => {
    const tables = connectionTo(databases[kind], 'one', 'two', 'three');
    const { content } = await planned(
      jobOf({ name: `${kind}reader`.replace('postgres', 'postgresql'), parameter: { ...tables, column: ['*'] } }),
    );
    expect(content).toMatchObject({ table: 'one, two, three', method: 'whole' });
    expect(content.tables.map(({ why }) => why)).toEqual(['it is small', 'it is small', 'it is small']);
    expect(content.splits).toHaveLength(1);
    expect(content.splits[0]).toMatchObject({ name: 'one, two and 1 more', range: null });
    expect(content.splits[0]!.members!.map(({ name }) => name)).toEqual(['one', 'two', 'three']);
  });

  test('leaves its target as it is', async () => {
    const writer = writerOf(databases[kind], 'copies', { column: ['*'], preSql: ['DELETE FROM @table'], postSql: ['DROP TABLE @table'] });
    await planned(jobOf(readerOf(databases[kind], 'orders'), { writer }));
    expect(await databases[kind].sql('SELECT id, note FROM copies')).toEqual([['1', expect.stringContaining('was there before')]]);
  });

  test('is planned though nobody answers at the target', async () => {
    const nowhere = { ...databases[kind], jdbcUrl: databases[kind].jdbcUrl.replace(/:\d+\//, `:${await freePort()}/`) };
    const { content } = await planned(
      jobOf(readerOf(databases[kind], 'orders'), { writer: writerOf(nowhere, 'copies', { column: ['*'] }) }),
    );
    expect(content.splits).toHaveLength(6);
  });

  test('that is a query is scanned for the column that splitPk names, which is said before', async () => {
    const { user: username, password, jdbcUrl } = databases[kind];
    const connection = [{ jdbcUrl: [jdbcUrl], querySql: ['SELECT id, note FROM orders WHERE id > 30'] }];
    const parameter = { username, password, connection, splitPk: 'id' };
    const { content, stderr } = await planned(jobOf({ ...readerOf(databases[kind], ''), parameter }));
    expect(stderr).toBe('note planning reads querySql once, because nothing else tells where the values of id lie\n');
    expect(content).toMatchObject({ table: 'querySql', key: 'id', method: 'scan', estimatedRows: bigRows - 10 });
    const counts = await rowsIn(databases[kind], '(SELECT id FROM orders WHERE id > 30) AS source', content.splits);
    expect(counts).toEqual(content.splits.map(({ estimatedRows }) => estimatedRows));
    expect(counts.length).toBeGreaterThan(1);
  });

  test('that does not exist ends it with exit code 3, an error, and nothing on stdout but JSON if that was wanted', async () => {
    const path = writeJob(tempFolder(), jobOf(readerOf(databases[kind], 'nowhere_to_be_found')));
    const { exitCode, stdout, stderr } = await runDray(['plan', path]);
    expect([exitCode, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(/^error TABLE_MISSING: .*nowhere_to_be_found/);
    const json = await runDray(['plan', '--json', path]);
    expect(json.exitCode).toBe(3);
    expect(JSON.parse(json.stdout)).toMatchObject({ contents: [], error: { code: 'TABLE_MISSING', side: 'source' } });
  });
});

describe('a table without any key', () => {
  test('is one task in MySQL, and that is said', async () => {
    const job = jobOf(readerOf(databases.mysql, 'keyless'));
    const { content } = await planned(job);
    expect(content).toMatchObject({ table: 'keyless', key: null, method: 'whole', why: 'it has no key by which it could be cut' });
    expect(content.splits).toMatchObject([{ name: 'keyless', range: null }]);
    const { stdout } = await runDray(['plan', writeJob(tempFolder(), job)]);
    expect(stdout).toContain('    read as a whole: it has no key by which it could be cut\n');
    expect(stdout).toMatch(/ in 1 task\n/);
  });

  test('is cut by its blocks in PostgreSQL', async () => {
    const { content } = await planned(jobOf(readerOf(databases.postgres, 'keyless')));
    expect(content).toMatchObject({ key: 'ctid', method: 'blocks', why: 'the table has no unique key that can be cut' });
    expect(content.splits.map(({ name }) => name.replace(/\d+(?=,0)/g, 'n'))).toEqual([
      'keyless ctid < (n,0)',
      ...Array(3).fill('keyless (n,0) <= ctid < (n,0)'),
      'keyless ctid >= (n,0)',
    ]);
    for (const { range } of content.splits) expect(range).not.toHaveProperty('state');
  });
});

test('every content of a job is planned', async () => {
  const [first, second] = [jobOf(readerOf(databases.postgres, 'orders')), jobOf(readerOf(databases.mysql, 'one'))];
  const job = { job: { ...first.job, content: [...first.job.content, ...second.job.content] } };
  const { plan } = await planned(job);
  expect(plan.contents.map(({ table, splits }) => [table, splits.length])).toEqual([
    ['orders', 6],
    ['one', 1],
  ]);
  const { stdout } = await runDray(['plan', writeJob(tempFolder(), job)]);
  expect(stdout).toContain('content 1: postgres → stream');
  expect(stdout).toContain('content 2: mysql → stream');
});

test('of many tasks the first twenty are listed, and all of them with --all', async () => {
  const path = writeJob(tempFolder(), streamJob());
  const { stdout } = await runDray(['plan', '--channels', '25', path]);
  expect(stdout.match(/^ {2}task \d+: /gm)).toHaveLength(20);
  expect(stdout).toContain('  … and 5 tasks more (--all lists them)\n');
  const all = await runDray(['plan', '--all', '--channels', '25', path]);
  expect(all.stdout.match(/^ {2}task \d+: /gm)).toHaveLength(25);
  expect(all.stdout).not.toContain('more (--all');
});

test.each([
  ['a file that is no JSON', '{"job": {', 'JOB_SYNTAX'],
  ['a job without content', { job: { content: [] } }, 'JOB_INVALID'],
  ['a plugin that nobody knows', jobOf({ name: 'orakelreader', parameter: {} }), 'PLUGIN_UNKNOWN'],
])('%s is refused with exit code 2', async (_, job, code) => {
  const { exitCode, stdout, stderr } = await runDray(['plan', writeJob(tempFolder(), job)]);
  expect([exitCode, stdout]).toEqual([2, '']);
  expect(stderr).toContain(`error ${code}: `);
});

test('a file that is not there is refused with exit code 2, with JSON if that was wanted', async () => {
  const { exitCode, stdout, stderr } = await runDray(['plan', '--json', '/no/such/job.json']);
  expect(exitCode).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject({ contents: [], error: { code: 'JOB_UNREADABLE' } });
  expect(stderr).toMatch(/^error JOB_UNREADABLE: /);
});

test('a source where nobody answers ends it with exit code 3', async () => {
  const nowhere = { ...databases.mysql, jdbcUrl: `jdbc:mysql://127.0.0.1:${await freePort()}/nowhere` };
  const { exitCode, stderr } = await runDray(['plan', writeJob(tempFolder(), jobOf(readerOf(nowhere, 'orders')))]);
  expect(exitCode).toBe(3);
  expect(stderr).toMatch(/^error CONNECT_FAILED: /);
});

test('dray plan takes one file, and its help has an example', async () => {
  expect(await runDray(['plan'])).toMatchObject({ exitCode: 2, stdout: '' });
  expect(await runDray(['plan', 'a.json', 'b.json'])).toMatchObject({ exitCode: 2, stdout: '' });
  expect((await runDray(['plan', '--help'])).stdout).toContain('dray plan orders.json');
});
