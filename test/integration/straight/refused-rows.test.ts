import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { providedMariadb, providedPostgres } from '../../support/provided-servers.ts';
import { runDray, writeJob } from '../../support/run-dray.ts';
import { mysqlDatabase, postgresDatabase, readerOf, type TestDatabase, writerOf } from '../../support/sql.ts';
import { tempFolder } from '../../support/temp-folder.ts';

/** From 20,000 on a part is worth a task. */
const rowCount = 80_000;
let databases: Record<'postgres' | 'mysql', TestDatabase>;

beforeAll(async () => {
  await providedPostgres().createDatabase('straight');
  databases = {
    postgres: postgresDatabase(providedPostgres(), 'straight'),
    mysql: mysqlDatabase(providedMariadb(), await providedMariadb().createDatabase('straight')),
  };
  // Every twenty-thousandth has a word that is too long, which is found before it is sent.
  await databases.postgres.sql(
    'CREATE TABLE source (id int PRIMARY KEY, n int, word varchar(30))',
    `INSERT INTO source SELECT i, i, repeat('x', CASE WHEN i % 20000 = 0 THEN 30 ELSE 20 END) FROM generate_series(1, ${rowCount}) i`,
    'ANALYZE source',
    'CREATE TABLE alike AS SELECT id, n, word::text FROM source',
    'ALTER TABLE alike ADD PRIMARY KEY (id)',
    'ANALYZE alike',
  );
});

const ids = Array.from({ length: rowCount }, (_, index) => index + 1);
/** Rows that are there already. */
const isThere = (id: number) => id % 10_000 === 3;
const isTooLong = (id: number) => id % 20_000 === 0;

interface Given {
  readonly to: 'postgres' | 'mysql';
  readonly source: 'source' | 'alike';
  readonly guarantee: string;
  readonly table: string;
}

async function load({ to, source, guarantee, table }: Given, most: number) {
  const target = databases[to];
  await target.sql(
    `CREATE TABLE ${table} (id int PRIMARY KEY, n int, word ${source === 'source' ? 'varchar(25)' : 'text'})`,
    `INSERT INTO ${table} (id, n) VALUES ${ids
      .filter(isThere)
      .map((id) => `(${id}, -1)`)
      .join(', ')}`,
  );
  const setting = { speed: { channel: 2 }, splitBytes: 1 << 20, guarantee, errorLimit: { record: most } };
  const content = [{ reader: readerOf(databases.postgres, source, { splitPk: 'id' }), writer: writerOf(target, table) }];
  return runDray(['run', '--json', writeJob(tempFolder(), { job: { setting, content } })]);
}

const named = (one: Omit<Given, 'table'>, index: number): Given => ({ ...one, table: `t${index}` });

describe.each(
  [
    { to: 'postgres', source: 'alike', guarantee: 'at-least-once' },
    { to: 'postgres', source: 'source', guarantee: 'exactly-once' },
    { to: 'mysql', source: 'source', guarantee: 'at-least-once' },
    { to: 'mysql', source: 'alike', guarantee: 'exactly-once' },
  ].map((one, index) => named(one as Omit<Given, 'table'>, index)),
)('several tasks from $source into $to, $guarantee', (given) => {
  const isRefused = (id: number) => isThere(id) || (given.source === 'source' && isTooLong(id));
  const dirty = ids.filter(isRefused);

  test('exactly the rows that the target refuses are dirty, and all others are there once', async () => {
    const { exitCode, stderr, report } = await load(given, dirty.length);
    const rows = { read: rowCount, written: rowCount - dirty.length, dirty: dirty.length };
    expect({ exitCode, stderr, rows: report?.rows }).toMatchObject({ exitCode: 0, rows });
    const held = await databases[given.to].sql(`SELECT id, n FROM ${given.table} ORDER BY id`);
    expect(held.map((row) => row.map(Number))).toEqual(
      ids.filter((id) => isThere(id) || !isRefused(id)).map((id) => [id, isThere(id) ? -1 : id]),
    );
    expect(report!.tasks.length).toBeGreaterThan(2);
    const winners = new Map(report!.tasks.map(({ id, attempts }) => [id, attempts.at(-1)!.attempt]));
    const records = readFileSync(report!.quarantine!, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string; cells: { id: string } })
      .filter(({ id }) => winners.get(Number(id.split('.')[0])) === Number(id.split('.')[1]));
    expect(records.map(({ cells }) => Number(cells.id)).sort((a, b) => a - b)).toEqual(dirty);
    // The first one finds out; tasks that begin after it go batch by batch at once.
    const attempts = report!.tasks.map((task) => task.attempts.map(({ state, error }) => error?.code ?? state));
    expect(attempts).toContainEqual(['NOT_STRAIGHT', 'done']);
    expect(attempts).toContainEqual(['done']);
    for (const one of attempts) expect(one.join()).toMatch(/^(NOT_STRAIGHT,)?done$/);
  });
});

test('one more refused row than is allowed ends the run with DIRTY_LIMIT, and no task is there in part', async () => {
  const { exitCode, report } = await load({ to: 'postgres', source: 'source', guarantee: 'exactly-once', table: 'few' }, 2);
  expect({ exitCode, code: report?.error?.code }).toEqual({ exitCode: 5, code: 'DIRTY_LIMIT' });
  const [count] = await databases.postgres.sql('SELECT count(*) FROM few WHERE n > 0');
  const written = report!.tasks.filter(({ state }) => state === 'done').reduce((sum, task) => sum + task.rows.written, 0);
  expect(Number(count![0])).toBe(written);
});
