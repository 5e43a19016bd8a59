import { beforeAll, describe, expect, test } from 'vitest';
import { listRuns } from '../../../core/ledger/run-store.ts';
import { runDray, startDray, writeJob } from '../../support/run-dray.ts';
import { createDatabase, makeShards, type ShardSource } from '../../support/shard-source.ts';
import { type TestDatabase, writerOf } from '../../support/sql.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { until } from '../../support/until.ts';

const kinds = ['mysql', 'postgres'] as const;
const sources: Record<TestDatabase['kind'], ShardSource> = {} as never;
const targets: Record<TestDatabase['kind'], TestDatabase> = {} as never;
/** Rows of each of three tables. */
const rows = 45_000;
/** Databases in the order in which jobs name them. */
const order = [2, 0, 1];
const options = { shards: { collisions: 'keep-first' } };

beforeAll(async () => {
  for (const kind of kinds) {
    sources[kind] = await makeShards(kind, 'first', 3);
    targets[kind] = await createDatabase(kind, 'first_target');
    for (const [index, { sql }] of sources[kind].databases.entries()) {
      await sql(
        'CREATE TABLE dealt (id bigint PRIMARY KEY, origin int, note varchar(200))',
        `INSERT INTO dealt SELECT id, ${index}, REPEAT('x', 60) FROM (SELECT seq AS id FROM ${numbers(kind, 3 * rows)}) AS n WHERE ${isIn(index)}`,
        kind === 'postgres' ? 'ANALYZE dealt' : 'ANALYZE TABLE dealt',
      );
    }
  }
});

function numbers(kind: TestDatabase['kind'], count: number): string {
  return kind === 'postgres' ? `generate_series(1, ${count}) AS s(seq)` : `seq_1_to_${count}`;
}

/** Dealt by the remainder; but some stand in two tables, and some in all three. */
function isIn(index: number): string {
  return `(MOD(id, 3) = ${index} OR MOD(id, 50) = 7 OR (MOD(id, 70) = 11 AND ${index} <> 2))`;
}

/** The table whose row of that number stays. */
function firstWith(id: number): number {
  return order.find((index) => id % 3 === index || id % 50 === 7 || (id % 70 === 11 && index !== 2))!;
}

function copies(id: number): number {
  return order.filter((index) => id % 3 === index || id % 50 === 7 || (id % 70 === 11 && index !== 2)).length;
}

const ids = Array.from({ length: 3 * rows }, (_, index) => index + 1);

function readerOf(kind: TestDatabase['kind'], table: string, more: object = {}, databases: readonly number[] = order) {
  const { reader, urlOf, prefix } = sources[kind];
  const connection = databases.map((index) => ({ jdbcUrl: urlOf(`${prefix}0${index}`), table: [table] }));
  return reader(connection, { ...options, ...more });
}

async function emptyTarget(kind: TestDatabase['kind'], table: string, columns: string): Promise<void> {
  await targets[kind].sql(`DROP TABLE IF EXISTS ${table}`, `CREATE TABLE ${table} (${columns})`);
}

describe.each(kinds)('%s: of rows with the same key the one of the first table is read', (kind) => {
  test('whatever the order of tasks, however the tables are cut', async () => {
    // Without a key: nothing but the reader sorts it out.
    await emptyTarget(kind, 'dealt', 'id bigint, origin int, note varchar(200)');
    const path = writeJob(tempFolder(), {
      job: {
        setting: { speed: { channel: 3 }, splitBytes: 1 << 20 },
        content: [{ reader: readerOf(kind, 'dealt'), writer: writerOf(targets[kind], 'dealt') }],
      },
    });
    const plan = JSON.parse((await runDray(['plan', path, '--json'])).stdout) as { contents: { leftOut: number; splits: object[] }[] };
    const { exitCode, stderr, report } = await runDray(['run', path, '--json']);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    const leftOut = ids.reduce((sum, id) => sum + copies(id) - 1, 0);
    expect(report?.contents[0]).toMatchObject({ leftOut, rows: { read: ids.length, written: ids.length, dirty: 0 } });
    expect(plan.contents[0]!.leftOut).toBe(leftOut);
    expect(plan.contents[0]!.splits.length).toBeGreaterThan(6);
    expect(stderr).toContain(`${leftOut.toLocaleString('en-US')} rows are left out, because an earlier table has their primary key: `);
    expect(stderr).toMatch(/\d of \S*00\/dealt \(id 7, 11, 57, 107, 157, …\); [\d,]+ of \S*01\/dealt \(id 7, 11, 57, 81, 107, …\)/);
    const landed = await targets[kind].sql('SELECT id, origin FROM dealt ORDER BY id');
    expect(landed.length).toBe(ids.length);
    expect(landed.filter(([id, origin]) => firstWith(Number(id)) !== Number(origin))).toEqual([]);
  });

  test('of tables that one task reads, and the first is the one that passes "where"', async () => {
    const { databases } = sources[kind];
    for (const [index, { sql }] of databases.entries()) {
      await sql(
        'DROP TABLE IF EXISTS few',
        'CREATE TABLE few (id int PRIMARY KEY, note varchar(9))',
        `INSERT INTO few VALUES (-1, 'a${index}'), (5, '${index === 2 ? 'gone' : `b${index}`}'), (${10 + index}, 'c${index}')`,
      );
    }
    const path = writeJob(tempFolder(), {
      job: { content: [{ reader: readerOf(kind, 'few', { where: "note <> 'gone'" }), writer: { name: 'streamwriter', parameter: {} } }] },
    });
    const { exitCode, stdout, stderr } = await runDray(['run', path]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stdout.trimEnd().split('\n').sort()).toEqual(['-1\ta2', '10\tc0', '11\tc1', '12\tc2', '5\tb0']);
    expect(stderr).toContain('left out 3 rows');
  });

  test('and stays, where the target would take the last one', async () => {
    await emptyTarget(kind, 'dealt', 'id bigint PRIMARY KEY, origin int, note varchar(200)');
    const path = writeJob(tempFolder(), {
      job: {
        setting: { speed: { channel: 2 } },
        content: [{ reader: readerOf(kind, 'dealt'), writer: writerOf(targets[kind], 'dealt', { writeMode: 'update' }) }],
      },
    });
    const { exitCode, stderr } = await runDray(['run', path]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    const landed = await targets[kind].sql('SELECT id, origin FROM dealt ORDER BY id');
    expect(landed.filter(([id, origin]) => firstWith(Number(id)) !== Number(origin))).toEqual([]);
  });

  test('also by a resumed run, whatever the first table has by then', async () => {
    await emptyTarget(kind, 'dealt', 'id bigint PRIMARY KEY, origin int, note varchar(200)');
    const folder = tempFolder();
    const path = writeJob(folder, {
      job: {
        setting: { speed: { channel: 1, record: 60_000 }, splitBytes: 1 << 20 },
        content: [{ reader: readerOf(kind, 'dealt'), writer: writerOf(targets[kind], 'dealt') }],
      },
    });
    const run = { env: { DRAY_STATE_DIR: folder } };
    const running = startDray(['run', path], run);
    await until('a task commits', 30_000, async () => {
      const [first] = await listRuns(folder);
      expect([...(first?.tasks.values() ?? [])].some(({ committed }) => committed !== undefined)).toBe(true);
    });
    running.signal('SIGINT');
    expect((await running.ended).exitCode).toBe(130);
    const landed = (await targets[kind].sql('SELECT id FROM dealt')).map(([id]) => Number(id));
    const [shared] = landed.filter((id) => copies(id) === 3);
    const firstDatabase = sources[kind].databases[order[0]!]!;
    await firstDatabase.sql(`DELETE FROM dealt WHERE id = ${shared}`);
    const [stopped] = await listRuns(folder);
    const { exitCode, stderr, report } = await runDray(['resume', stopped!.run, '--json'], run);
    await firstDatabase.sql(`INSERT INTO dealt VALUES (${shared}, ${order[0]}, REPEAT('x', 60))`);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(report?.contents[0]?.leftOut).toBe(ids.reduce((sum, id) => sum + copies(id) - 1, 0));
    const all = await targets[kind].sql('SELECT id, origin FROM dealt ORDER BY id');
    expect(all.length).toBe(ids.length);
    expect(all.filter(([id, origin]) => firstWith(Number(id)) !== Number(origin))).toEqual([]);
  });

  test('up to a number of rows, above which nothing is loaded', async () => {
    const most = 100_000;
    const { databases } = sources[kind];
    for (const index of [0, 1]) {
      await databases[index]!.sql(
        'DROP TABLE IF EXISTS many',
        'CREATE TABLE many (id int PRIMARY KEY, origin int)',
        `INSERT INTO many SELECT seq * 3, ${index} FROM ${numbers(kind, most)}`,
        `INSERT INTO many VALUES (${3 * most + 1 + index}, ${index})`,
      );
    }
    await emptyTarget(kind, 'many', 'id int, origin int');
    const content = [{ reader: readerOf(kind, 'many', {}, [0, 1]), writer: writerOf(targets[kind], 'many') }];
    const path = writeJob(tempFolder(), { job: { content } });
    const { exitCode, stderr, report } = await runDray(['run', path, '--json']);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(report?.contents[0]?.leftOut).toBe(most);
    const counted = 'SELECT origin, count(*) FROM many GROUP BY origin ORDER BY origin';
    expect(await targets[kind].sql(counted)).toEqual([
      ['0', String(most + 1)],
      ['1', '1'],
    ]);
    await databases[1]!.sql(`INSERT INTO many VALUES (${3 * most + 1}, 1)`);
    await targets[kind].sql('DELETE FROM many');
    const refused = await runDray(['run', path]);
    expect(refused.exitCode).toBe(3);
    expect(refused.stderr).toContain('SHARDS_COLLIDE');
    expect(refused.stderr).toMatch(/more than 100,000 rows of \S+01\/many and others have primary keys that earlier tables have/);
    expect(await targets[kind].sql('SELECT * FROM many')).toEqual([]);
  });

  test('only where there are keys of one whole number', async () => {
    for (const { sql } of sources[kind].databases) {
      await sql('DROP TABLE IF EXISTS words', 'CREATE TABLE words (id varchar(9) PRIMARY KEY)');
    }
    const content = [{ reader: readerOf(kind, 'words'), writer: { name: 'streamwriter', parameter: {} } }];
    const { exitCode, stderr } = await runDray(['check', writeJob(tempFolder(), { job: { content } })]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('"keep-first" compares primary keys of one whole number');
  });
});

test('mysql: numbers without a sign are told apart to the last digit', async () => {
  const most = 18446744073709551615n;
  for (const [index, { sql }] of sources.mysql.databases.entries()) {
    await sql(
      'DROP TABLE IF EXISTS wide',
      'CREATE TABLE wide (id bigint unsigned PRIMARY KEY, origin int)',
      `INSERT INTO wide VALUES (5, ${index}), (${most - BigInt(index)}, ${index}), (${most - 9n}, ${index}), (${2n ** 63n - 1n + BigInt(index)}, ${index})`,
    );
  }
  const content = [{ reader: readerOf('mysql', 'wide'), writer: { name: 'streamwriter', parameter: {} } }];
  const { exitCode, stdout, stderr } = await runDray(['run', writeJob(tempFolder(), { job: { content } })]);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  const own = order.flatMap((index) => [`${most - BigInt(index)}\t${index}`, `${2n ** 63n - 1n + BigInt(index)}\t${index}`]);
  expect(stdout.trimEnd().split('\n').sort()).toEqual([...own, '5\t2', `${most - 9n}\t2`].sort());
});
