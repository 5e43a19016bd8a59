import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { findRun, listRuns } from '../../../core/ledger/run-store.ts';
import { providedMariadb, providedPostgres } from '../../support/provided-servers.ts';
import { runDray, startDray, writeJob } from '../../support/run-dray.ts';
import { mysqlDatabase, postgresDatabase, readerOf, type TestDatabase, writerOf } from '../../support/sql.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { until } from '../../support/until.ts';

const rows = 40_000;
let postgres: TestDatabase;
let mysql: TestDatabase;

beforeAll(async () => {
  await providedPostgres().createDatabase('fan_out');
  postgres = postgresDatabase(providedPostgres(), 'fan_out');
  mysql = mysqlDatabase(providedMariadb(), await providedMariadb().createDatabase('fan_out'));
  await postgres.sql(
    'CREATE TABLE source (id int PRIMARY KEY, note varchar(200))',
    `INSERT INTO source SELECT n, concat(n, ' ', repeat('x', 150)) FROM generate_series(1, ${rows}) AS s(n)`,
    'ANALYZE source',
  );
});

const keepsEven = { name: 'dx_filter', parameter: { columnIndex: 0, paras: ['not like', '.*[02468]$'] } };
const upperCase = { name: 'dx_replace', parameter: { columnIndex: 1, paras: ['0', '3', 'new'] } };

async function tables(name: string, noteType = 'varchar(200)'): Promise<void> {
  await mysql.sql(`CREATE TABLE ${name} (id int PRIMARY KEY, note varchar(200))`);
  await postgres.sql(`CREATE TABLE ${name} (id int PRIMARY KEY, note ${noteType})`);
}

function fanOutJob(
  name: string,
  folder: string,
  { postgresTarget = {}, setting = {} }: { postgresTarget?: object; setting?: object } = {},
) {
  return {
    job: {
      setting: { speed: { channel: 2, record: 20_000 }, splitBytes: 1 << 20, ...setting },
      content: [
        {
          reader: readerOf(postgres, 'source'),
          writers: [
            { ...writerOf(mysql, name), guarantee: 'exactly-once' },
            { ...writerOf(postgres, name), transformer: [upperCase], ...postgresTarget },
            {
              name: 'txtfilewriter',
              parameter: { path: folder, fileName: 'rows', fileFormat: 'text', fieldDelimiter: '\t', writeMode: 'truncate' },
            },
          ],
        },
      ],
    },
  };
}

const digestOf = (found: readonly (readonly unknown[])[]) => createHash('sha256').update(JSON.stringify(found)).digest('hex');
const digestIn = async ({ sql }: TestDatabase, query: string) => digestOf(await sql(query));
const all = (table: string) => `SELECT id, note FROM ${table} ORDER BY id`;
const replaced = "SELECT id, 'new' || substr(note, 4) FROM source ORDER BY id";

function digestOfFiles(folder: string): string {
  const names = readdirSync(folder).filter((name) => name.startsWith('rows') && !name.endsWith('.json'));
  const lines = names.flatMap((name) => readFileSync(join(folder, name), 'utf8').trimEnd().split('\n'));
  return digestOf(lines.map((line) => line.split('\t')).sort(([a], [b]) => Number(a) - Number(b)));
}

test('a table goes into MySQL, through transformers into PostgreSQL, and into files, and is read once', async () => {
  await tables('plain');
  const folder = tempFolder();
  const work = tempFolder();
  const { exitCode, report, stderr } = await runDray(['run', '--json', writeJob(work, fanOutJob('plain', folder))]);
  expect([exitCode, stderr]).toEqual([0, expect.not.stringContaining('warn')]);
  expect(report).toMatchObject({
    state: 'done',
    guarantee: 'at-least-once',
    rows: { read: rows, written: 3 * rows, dirty: 0, filtered: 0 },
  });
  const target = { state: 'done', rows: { read: rows, written: rows, dirty: 0, filtered: 0 } };
  expect(report!.contents).toMatchObject([
    {
      reader: 'postgres',
      writer: 'mysql, postgres, textfile',
      rows: { read: rows, written: 3 * rows },
      targets: [
        { ...target, writer: 'mysql', guarantee: 'exactly-once' },
        { ...target, writer: 'postgres', guarantee: 'at-least-once' },
        { ...target, writer: 'textfile' },
      ],
    },
  ]);
  const source = await digestIn(postgres, all('source'));
  expect(await digestIn(mysql, all('plain'))).toBe(source);
  expect(digestOfFiles(folder)).toBe(source);
  expect(await digestIn(postgres, all('plain'))).toBe(await digestIn(postgres, replaced));
});

test('killed in the middle and resumed, every target has every row once', async () => {
  await tables('killed');
  const folder = tempFolder();
  const work = tempFolder();
  const env = { DRAY_STATE_DIR: join(work, 'state') };
  const setting = { guarantee: 'exactly-once-if-possible', speed: { channel: 2, record: 8000 } };
  const running = startDray(['run', writeJob(work, fanOutJob('killed', folder, { setting }))], { env });
  await until('a task commits', 30_000, async () => {
    const [newest] = await listRuns(env.DRAY_STATE_DIR);
    expect([...(newest?.tasks.values() ?? [])].filter(({ committed }) => committed !== undefined).length).toBeGreaterThan(1);
  });
  running.signal('SIGKILL');
  await running.ended;
  const [{ run } = { run: '' }] = await listRuns(env.DRAY_STATE_DIR);
  const { exitCode, report } = await runDray(['resume', run, '--json'], { env });
  expect([exitCode, report?.state]).toEqual([0, 'done']);
  expect(report!.contents[0]!.targets!.map(({ rows: { read, written } }) => [read, written])).toEqual(
    Array.from({ length: 3 }, () => [rows, rows]),
  );
  const source = await digestIn(postgres, all('source'));
  expect(await digestIn(mysql, all('killed'))).toBe(source);
  expect(digestOfFiles(folder)).toBe(source);
  expect(await digestIn(postgres, all('killed'))).toBe(await digestIn(postgres, replaced));
  expect([...(await findRun(env.DRAY_STATE_DIR, run)).contents.values()].map(({ isPublished }) => isPublished)).toEqual([true, true, true]);
});

test('under go-on the others end well beside a target with too many dirty records, and the exit code is that of its failure', async () => {
  await tables('narrow', 'varchar(20)');
  const folder = tempFolder();
  const job = fanOutJob('narrow', folder, { postgresTarget: { onFailure: 'go-on', errorLimit: { record: 3 } } });
  const { exitCode, report } = await runDray(['run', '--json', writeJob(tempFolder(), job)]);
  expect([exitCode, report?.error?.code]).toEqual([5, 'DIRTY_LIMIT']);
  expect(report!.contents[0]!.targets).toMatchObject([
    { state: 'done' },
    { state: 'failed', error: { code: 'DIRTY_LIMIT' } },
    { state: 'done' },
  ]);
  const source = await digestIn(postgres, all('source'));
  expect(await digestIn(mysql, all('narrow'))).toBe(source);
  expect(digestOfFiles(folder)).toBe(source);
  expect(await postgres.sql('SELECT count(*) FROM narrow')).toEqual([['0']]);
});

test('dirty records of a target are replayed into it alone, through its own transformers', async () => {
  await tables('mended', 'varchar(20)');
  const folder = tempFolder();
  const work = tempFolder();
  const env = { DRAY_STATE_DIR: join(work, 'state') };
  const postgresTarget = { errorLimit: { record: rows }, transformer: [keepsEven, upperCase] };
  const { exitCode, report } = await runDray(['run', '--json', writeJob(work, fanOutJob('mended', folder, { postgresTarget }))], { env });
  expect(exitCode).toBe(0);
  expect(report!.contents[0]!.targets!.map(({ rows: found }) => found)).toEqual([
    { read: rows, written: rows, dirty: 0, filtered: 0 },
    { read: rows, written: 0, dirty: rows / 2, filtered: rows / 2 },
    { read: rows, written: rows, dirty: 0, filtered: 0 },
  ]);
  await postgres.sql('ALTER TABLE mended ALTER note TYPE varchar(200)');
  expect((await runDray(['replay', report!.run], { env })).exitCode).toBe(0);
  expect(await digestIn(postgres, all('mended'))).toBe(
    await digestIn(postgres, "SELECT id, 'new' || substr(note, 4) FROM source WHERE id % 2 = 0 ORDER BY id"),
  );
  expect(await mysql.sql('SELECT count(*) FROM mended')).toEqual([[String(rows)]]);
});
