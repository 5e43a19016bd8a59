import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { listenedDatabase } from '../../support/split-statements.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { type Database, mysqlDatabase, postgresDatabase } from '../types/databases.ts';
import { type ColumnPair, runTrip, tableWriter } from '../types/trips.ts';
import { createThreeWays, differences, moveThreeWays } from './three-ways.ts';

const sources = { mysql: mysqlDatabase, postgres: postgresDatabase };

async function databases(kind: keyof typeof sources): Promise<[source: Database, target: Database]> {
  const [source, target] = await Promise.all([sources[kind](), mysqlDatabase()]);
  onTestFinished(async () => void (await Promise.all([source.end(), target.end()])));
  return [source, target];
}

interface Dirty {
  readonly row: number;
  readonly attempt: number;
  readonly cells: Readonly<Record<string, string | null>>;
}

/** What the last attempt has put aside, without what tells runs apart, and without the column that makes all rows text. */
function kept(file: string | undefined): unknown[] {
  const lines = readFileSync(file!, 'utf8').trimEnd().split('\n');
  const records = lines.map((line) => JSON.parse(line) as Dirty & { id: string });
  const last = Math.max(...records.map(({ attempt }) => attempt));
  const ofTarget = ([name]: readonly [string, unknown]) => /^(?:id|raw|c\d+)$/.test(name);
  return records
    .filter(({ attempt }) => attempt === last)
    .map(({ id: _id, attempt: _attempt, cells, ...record }) => ({
      ...record,
      cells: Object.fromEntries(Object.entries(cells).filter(ofTarget)),
    }));
}

/** Each has a value that the target takes, and one that it would bend, which is found on the way. */
const bent: Record<keyof typeof sources, ColumnPair[]> = {
  mysql: [
    { from: 'decimal(12,4)', to: 'decimal(12,2)', values: ['1.25', '1.005'] },
    { from: 'varchar(9)', to: 'char(9)', values: ["'a'", "'a '"] },
    { from: 'timestamp NULL', to: 'timestamp', values: ["'2024-02-29 12:00:00'", "'2024-02-29 12:00:01'"] },
  ],
  postgres: [
    { from: 'double precision', to: 'double', values: ['1.5', "'-0'"] },
    { from: 'numeric(12,4)', to: 'decimal(12,2)', values: ['1.25', '1.005'] },
    { from: 'boolean', to: 'tinyint(1)', values: ['true', 'false'] },
    { from: 'timestamptz', to: 'timestamp', values: ["'2024-02-29 12:00:00'", "'2024-02-29 12:00:01'"] },
  ],
};
/** The same, and one that the server refuses. */
const refused: Record<keyof typeof sources, ColumnPair[]> = {
  mysql: [...bent.mysql, { from: 'varbinary(9)', to: 'varbinary(2)', values: ["x'00ff'", "x'00ff80'"] }],
  postgres: [...bent.postgres, { from: 'bytea', to: 'varbinary(2)', values: [String.raw`'\x00ff'`, String.raw`'\x00ff80'`] }],
};

const raw = [Buffer.from([0, 9, 10, 0x5c, 0xff]), Buffer.from([0xe4, 0x0a, 0x80])];

test.each([
  ['mysql', bent.mysql, 2, 1],
  ['postgres', bent.postgres, 2, 1],
  ['mysql', refused.mysql, 3, 2],
  ['postgres', refused.postgres, 3, 2],
] as const)(
  'rows of %s that are refused on their way or by the server are the dirty records that they are in text',
  async (kind, columns, dirty, attempts) => {
    const [source, target] = await databases(kind);
    await createThreeWays(source, target, raw, columns);
    // Each odd value in a row of its own, which has bytes and an instant, too.
    await source.execute('DELETE FROM source WHERE id = 2');
    const good = columns.map(({ values }) => values[0]!);
    const bytes = kind === 'mysql' ? "x'090a5cff'" : String.raw`'\x090a5cff'`;
    for (const [index, { values }] of columns.entries())
      await source.execute(`INSERT INTO source VALUES (${[10 + index, bytes, ...good.with(index, values[1]!)].join(', ')})`);
    const { results, loads } = await moveThreeWays(source, target, { width: columns.length, errorLimit: 9 });
    const rows = { read: 2 + columns.length, written: 2 + columns.length - dirty, dirty };
    for (const { exitCode, report } of Object.values(results))
      expect({ exitCode, rows: report?.rows }).toMatchObject({ exitCode: 0, rows });
    expect(await differences(target, columns)).toEqual({ rows: rows.written, differing: [] });
    const records = kept(results.as_text.report!.quarantine);
    expect(records).toHaveLength(dirty);
    expect(kept(results.by_reader.report!.quarantine)).toEqual(records);
    expect(kept(results.by_task.report!.quarantine)).toEqual(records);
    expect(results.by_reader.report!.tasks[0]!.attempts).toHaveLength(attempts);
    // Of the reader's rows those that would be bent are found in them; the task leaves a batch with one of them as it is.
    expect(loads.by_reader[0]).toBe(kind === 'mysql' ? 'bare' : 'text');
  },
);

/** Some twenty batches. */
const rowCount = 20_000;
const ids = Array.from({ length: rowCount }, (_, index) => index + 1);

/** Loads rows of a CSV file, of which some have another text for the time. */
async function load(odd: Readonly<Record<number, string>>) {
  const database = await mysqlDatabase();
  onTestFinished(() => database.end());
  await database.execute('CREATE TABLE target (id int PRIMARY KEY, at timestamp(3) NULL, token varbinary(9), word text)');
  const { database: listened, statements, close } = await listenedDatabase(database);
  onTestFinished(close);
  const folder = tempFolder();
  const time = '2024-02-29 12:00:00.125+00';
  writeFileSync(
    join(folder, 'in.csv'),
    ids.map((id) => `${id},${odd[id] ?? time},\\x09ff${String(id).padStart(6, '0')},${'é'.repeat(1000)}\n`).join(''),
  );
  const column = ['string', 'string', 'bytes', 'string'].map((type, index) => ({ index, type }));
  const parameter = { path: join(folder, 'in.csv'), fileFormat: 'csv', column };
  const { exitCode, report } = await runTrip(folder, { name: 'txtfilereader', parameter }, tableWriter(listened, 'target'), 10);
  expect({ exitCode, read: report?.rows.read }).toEqual({ exitCode: 0, read: rowCount });
  const times = await database.query('SELECT at, count(*) FROM target GROUP BY at ORDER BY 2 DESC');
  const [sums] = await database.query(
    "SELECT count(*), sum(id), sum(token = UNHEX(CONCAT('09ff', LPAD(id, 6, '0')))), count(DISTINCT word) FROM target",
  );
  return {
    loads: statements.flatMap((sql) =>
      (/LOAD DATA[^(]*\(`id`, (`at`|@c1)/.exec(sql) ?? []).slice(1).map((at) => (at === '@c1' ? 'text' : 'bare')),
    ),
    attempts: report!.tasks[0]!.attempts.length,
    dirty: report!.rows.dirty,
    times,
    sums,
  };
}

const all = ['2024-02-29 12:00:00.125', String(rowCount)];
const sumOfIds = (without: readonly number[]) => {
  const taken = ids.filter((id) => !without.includes(id));
  return [String(taken.length), String(taken.reduce((sum, id) => sum + id, 0)), String(taken.length), '1'];
};

test('all rows of a file go bare by one statement', async () => {
  expect(await load({})).toEqual({ loads: ['bare'], attempts: 1, dirty: 0, times: [all], sums: sumOfIds([]) });
});

test('a batch with a value that would be bent goes as text, between bare ones', async () => {
  const loaded = await load({ 7000: '2024-02-29 12:00:00.1255+00', 15000: '2024-02-29 12:00:00.1255' });
  const times = [['2024-02-29 12:00:00.125', String(rowCount - 2)]];
  expect(loaded).toEqual({ loads: ['bare', 'text', 'bare', 'text', 'bare'], attempts: 1, dirty: 2, times, sums: sumOfIds([7000, 15_000]) });
});

test('after some batches with such values all go as text', async () => {
  const odd = [2000, 6000, 10_000, 14_000];
  const loaded = await load(Object.fromEntries(odd.map((id) => [id, '2024-02-29 12:00:00.1255+00'])));
  expect(loaded).toMatchObject({ attempts: 1, dirty: 4, sums: sumOfIds(odd) });
  expect(loaded.loads.at(-1)).toBe('text');
  expect(loaded.loads).toHaveLength(8);
});

test('a row that the server refuses is found when the task goes as text', async () => {
  const loaded = await load({ 7000: '2024-02-30 12:00:00' });
  expect(loaded).toMatchObject({ attempts: 2, dirty: 1, sums: sumOfIds([7000]) });
  expect([loaded.loads[0], new Set(loaded.loads.slice(1))]).toEqual(['bare', new Set(['text'])]);
});
