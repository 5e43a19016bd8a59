import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { listRuns } from '../../core/ledger/run-store.ts';
import { providedMariadb, providedPostgres } from '../support/provided-servers.ts';
import { type DrayOptions, runDray, startDray, writeJob } from '../support/run-dray.ts';
import { streamJob } from '../support/sample-jobs.ts';
import { mysqlDatabase, postgresDatabase, readerOf, type TestDatabase, writerOf } from '../support/sql.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

const databases: Record<'postgres' | 'mysql', TestDatabase> = {} as never;
const rows = 60_000;
const kinds = ['postgres', 'mysql'] as const;

beforeAll(async () => {
  const [postgres, mariadb] = [providedPostgres(), providedMariadb()];
  await postgres.createDatabase('recovery');
  databases.postgres = postgresDatabase(postgres, 'recovery');
  databases.mysql = mysqlDatabase(mariadb, await mariadb.createDatabase('recovery'));
  for (const { kind, sql } of Object.values(databases)) {
    const numbers = kind === 'postgres' ? `generate_series(1, ${rows}) AS s(seq)` : `seq_1_to_${rows}`;
    await sql(
      'CREATE TABLE source (id int PRIMARY KEY, note varchar(200))',
      `INSERT INTO source SELECT seq, CONCAT(seq, ' ', REPEAT('x', 150)) FROM ${numbers}`,
      kind === 'postgres' ? 'ANALYZE source' : 'ANALYZE TABLE source',
    );
  }
});

/** A job of about ten tasks, each committed on its own. */
function job(
  from: TestDatabase,
  to: TestDatabase,
  table: string,
  { setting = {}, writer = {} }: { setting?: object; writer?: object } = {},
) {
  return {
    job: {
      setting: { speed: { channel: 2, record: 20_000 }, splitBytes: 1 << 20, ...setting },
      content: [{ reader: readerOf(from, 'source'), writer: writerOf(to, table, writer) }],
    },
  };
}

interface Runs {
  readonly runs: readonly {
    run: string;
    state: string;
    job: string;
    started: string;
    isResumable: boolean;
    tasks: { committed: number };
  }[];
}

async function runsOf(options: DrayOptions): Promise<Runs['runs']> {
  const { stdout } = await runDray(['runs', '--json'], options);
  return (JSON.parse(stdout) as Runs).runs;
}

/** Waits until a task of the newest run has committed; looks itself, because the command would take too long. */
function committed({ env }: DrayOptions): Promise<void> {
  return until('a task commits', 30_000, async () => {
    const [newest] = await listRuns(env!.DRAY_STATE_DIR!);
    expect([...(newest?.tasks.values() ?? [])].some((task) => task.committed !== undefined)).toBe(true);
  });
}

const count = async ({ sql }: TestDatabase, table: string) => {
  const [row] = await sql(`SELECT count(*), count(DISTINCT id) FROM ${table}`);
  return row!.map(Number);
};

describe.each(kinds.flatMap((from) => kinds.map((to) => [from, to] as const)))('%s → %s, killed and resumed', (from, to) => {
  test('every row is there once', async () => {
    const [source, target] = [databases[from], databases[to]];
    const table = `killed_from_${from}`;
    await target.sql(`CREATE TABLE ${table} (id int, note varchar(200))`);
    const folder = tempFolder();
    const options = { env: { DRAY_STATE_DIR: join(folder, 'state') } };
    const truncate = { preSql: ['TRUNCATE TABLE @table'] };
    const path = writeJob(
      folder,
      job(source, target, table, { setting: { guarantee: 'exactly-once', speed: { channel: 1, record: 20_000 } }, writer: truncate }),
    );
    const running = startDray(['run', path], options);
    await committed(options);
    running.signal('SIGKILL');
    await running.ended;
    const [killed] = await runsOf(options);
    expect(killed).toMatchObject({ state: 'interrupted', job: 'job', isResumable: true });
    const before = await count(target, table);
    expect(before[0]).toBeLessThan(rows);
    const { exitCode, report } = await runDray(['resume', killed!.run, '--json'], options);
    expect(exitCode).toBe(0);
    expect(report).toMatchObject({ run: killed!.run, state: 'done', guarantee: 'exactly-once', rows: { read: rows, written: rows } });
    expect(report!.tasks.some(({ isFromEarlierProcess }) => isFromEarlierProcess)).toBe(true);
    expect(await count(target, table)).toEqual([rows, rows]);
    expect(await runsOf(options)).toMatchObject([{ run: killed!.run, state: 'done', isResumable: false }]);
  });
});

describe('a run that was stopped', () => {
  const options = () => ({ env: { DRAY_STATE_DIR: tempFolder() } });

  /** Runs a job until a task has committed, and stops it with Ctrl-C. */
  async function stopped(table: string, where: DrayOptions, facts: Parameters<typeof job>[3] = {}) {
    const target = databases.postgres;
    await target.sql(`CREATE TABLE ${table} (id int, note varchar(200))`);
    const path = writeJob(tempFolder(), job(target, target, table, facts), 'night.json');
    const running = startDray(['run', path], where);
    await committed(where);
    running.signal('SIGINT');
    const ended = await running.ended;
    return { path, ended, run: (await runsOf(where))[0]!.run };
  }

  test('with Ctrl-C says how to go on, and goes on', async () => {
    const where = options();
    const { ended, run } = await stopped('stopped', where);
    expect(ended.exitCode).toBe(130);
    expect(ended.stderr).toContain(`dray resume ${run}`);
    const { exitCode } = await runDray(['resume', run], where);
    expect(exitCode).toBe(0);
    expect(await count(databases.postgres, 'stopped')).toEqual([rows, rows]);
    expect(await runDray(['resume', run], where)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('RUN_NOT_RESUMABLE') });
  });

  test('is not resumed with another job file, whatever else has changed', async () => {
    const where = options();
    const { path, run } = await stopped('changed_file', where);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace('"record": 20000', '"record": 50000'));
    const refused = await runDray(['resume', run, '--json'], where);
    expect(refused.exitCode).toBe(2);
    expect(refused.report?.error).toMatchObject({ code: 'RUN_NOT_RESUMABLE', place: path });
    writeFileSync(path, text);
    expect((await runDray(['resume', run], where)).exitCode).toBe(0);
  });

  test('is not resumed into a table that has other columns now', async () => {
    const where = options();
    const { run } = await stopped('changed_table', where);
    await databases.postgres.sql('ALTER TABLE changed_table RENAME note TO remark');
    const { exitCode, stderr } = await runDray(['resume', run], where);
    expect(exitCode).toBe(4);
    expect(stderr).toContain('SCHEMA_CHANGED: the columns of the target');
  });

  test('is given up: what is staged goes away, and it cannot be resumed', async () => {
    const where = options();
    const { run } = await stopped('given_up', where, { writer: { publish: 'atomic' } });
    const staged = () => databases.postgres.sql(`SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE '%given_up'`);
    expect((await staged()).length).toBe(2);
    expect((await runDray(['discard', run], where)).exitCode).toBe(0);
    expect(await staged()).toEqual([['given_up']]);
    expect(await runDray(['resume', run], where)).toMatchObject({ exitCode: 2 });
  });
});

describe('dray rollback', () => {
  test.each(kinds)('brings back the table of %s that a run has replaced', async (kind) => {
    const target = databases[kind];
    await target.sql('CREATE TABLE replaced (id int PRIMARY KEY, note varchar(200))', "INSERT INTO replaced VALUES (1, 'old')");
    const where = { env: { DRAY_STATE_DIR: tempFolder() } };
    const path = writeJob(
      tempFolder(),
      job(databases.postgres, target, 'replaced', { setting: { speed: {} }, writer: { publish: 'atomic' } }),
    );
    const { report } = await runDray(['run', path, '--json'], where);
    expect(report?.state).toBe('done');
    expect(await count(target, 'replaced')).toEqual([rows, rows]);
    expect((await runDray(['rollback', report!.run], where)).exitCode).toBe(0);
    expect(await target.sql('SELECT id, note FROM replaced')).toEqual([['1', 'old']]);
    expect(await runDray(['rollback', report!.run], where)).toMatchObject({ stderr: expect.stringContaining('ROLLBACK_IMPOSSIBLE') });
  });

  test('says when nothing was kept', async () => {
    await databases.postgres.sql('CREATE TABLE plain (id int, note varchar(200))');
    const where = { env: { DRAY_STATE_DIR: tempFolder() } };
    const path = writeJob(tempFolder(), job(databases.postgres, databases.postgres, 'plain', { setting: { speed: {} } }));
    const { report } = await runDray(['run', path, '--json'], where);
    expect(await runDray(['rollback', report!.run], where)).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('ROLLBACK_IMPOSSIBLE'),
    });
  });
});

describe('dirty records', () => {
  test.each(kinds)('are kept, and loaded into %s when their reason is gone', async (kind) => {
    const target = databases[kind];
    await target.sql('CREATE TABLE tight (id int PRIMARY KEY, note varchar(155))');
    await target.sql('CREATE TABLE refused (run text, content int, task int, split text, place int, col text, cause text, cells text)');
    const where = { env: { DRAY_STATE_DIR: tempFolder() } };
    const setting = {
      speed: {},
      errorLimit: { percentage: 0.9 },
      guarantee: 'exactly-once',
      quarantine: { writer: writerOf(target, 'refused') },
    };
    const path = writeJob(tempFolder(), job(databases.mysql, target, 'tight', { setting }));
    const { report } = await runDray(['run', path, '--json'], where);
    // `9999 xxx…` has 155 characters.
    const dirty = rows - 9999;
    expect(report).toMatchObject({ state: 'done', rows: { read: rows, written: 9999, dirty } });
    expect(await target.sql('SELECT count(*), min(cause), count(DISTINCT run) FROM refused')).toEqual([
      [String(dirty), 'more than 155 characters', '1'],
    ]);
    expect(await runDray(['replay', report!.run], where)).toMatchObject({ exitCode: 5 });
    const lines = readFileSync(report!.quarantine!, 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(dirty);
    const [first] = lines.map((line) => JSON.parse(line) as { id: string; cells: { note: string } });
    writeFileSync(
      report!.quarantine!,
      `${JSON.stringify({ ...first, cells: { ...first!.cells, note: 'mended' } })}\n${lines.slice(1).join('\n')}\n`,
    );
    expect(await runDray(['replay', report!.run], where)).toMatchObject({ exitCode: 5, stderr: expect.stringContaining('1 row loaded') });
    await target.sql(kind === 'postgres' ? 'ALTER TABLE tight ALTER note TYPE varchar(200)' : 'ALTER TABLE tight MODIFY note varchar(200)');
    const { exitCode, stdout } = await runDray(['replay', report!.run, '--json'], where);
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { loaded: dirty - 1, refused: [] }]);
    expect(await count(target, 'tight')).toEqual([rows, rows]);
    expect(await target.sql("SELECT count(*) FROM tight WHERE note = 'mended'")).toEqual([['1']]);
  });
});

describe('secrets', () => {
  test('given with -p are not written down, and are asked for again', async () => {
    const where = { env: { DRAY_STATE_DIR: tempFolder(), HIDDEN: 'sEcReT-of-test' } };
    await databases.postgres.sql('CREATE TABLE secretive (id int, note varchar(200))');
    const secretly = job(databases.postgres, databases.postgres, 'secretive', { setting: { speed: {} } });
    secretly.job.content[0]!.reader.parameter.password = '${word}';
    const path = writeJob(tempFolder(), secretly);
    const { report } = await runDray(['run', path, '-p', `word=${databases.postgres.password}`, '--json'], where);
    expect(report?.state).toBe('done');
    const journal = readFileSync(join(where.env.DRAY_STATE_DIR, 'runs', report!.run, 'journal.jsonl'), 'utf8');
    expect(journal).not.toContain(databases.postgres.password);
    expect(JSON.parse(journal.split('\n')[0]!)).toMatchObject({ parameters: {}, secretParameters: ['word'] });
    expect(await runDray(['replay', report!.run], where)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('-p word=…') });
  });
});

describe('dray runs', () => {
  test('says so when there are none', async () => {
    const folder = tempFolder();
    const { stderr, stdout, exitCode } = await runDray(['runs', '--state-dir', folder]);
    expect([exitCode, stdout + stderr]).toEqual([0, `no runs in ${folder}\n`]);
    expect(JSON.parse((await runDray(['runs', '--json', '--state-dir', folder])).stdout)).toEqual({ runs: [] });
  });

  test('a home that cannot be written to is no reason not to run', async () => {
    const path = writeJob(tempFolder(), streamJob({ rows: 3 }));
    const env = { HOME: '/dev/null', DRAY_STATE_DIR: undefined, XDG_STATE_HOME: undefined };
    const { exitCode, stderr } = await runDray(['run', path], { env });
    expect([exitCode, stderr]).toEqual([
      0,
      expect.stringMatching(/^warning the state of the run cannot be kept in \/dev\/null.*it is kept in .*dray-state-/),
    ]);
  });

  test('a state folder that was named and cannot be used is an error', async () => {
    const file = writeJob(tempFolder(), 'no folder', 'file');
    const path = writeJob(tempFolder(), job(databases.postgres, databases.postgres, 'source'));
    expect(await runDray(['run', path, '--state-dir', file])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('STATE_UNUSABLE'),
    });
  });
});
