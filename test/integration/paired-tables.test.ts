import { beforeAll, expect, test } from 'vitest';
import { runDray, writeJob } from '../support/run-dray.ts';
import { createDatabase } from '../support/shard-source.ts';
import { connectionTo, readerOf, type TestDatabase } from '../support/sql.ts';
import { tempFolder } from '../support/temp-folder.ts';

const databases: Record<TestDatabase['kind'], TestDatabase> = {} as never;

beforeAll(async () => {
  for (const kind of ['mysql', 'postgres'] as const) {
    const database = await createDatabase(kind, 'paired');
    databases[kind] = database;
    for (const n of [1, 2, 3]) {
      await database.sql(
        `CREATE TABLE from_${n} (id int PRIMARY KEY, note varchar(20))`,
        `INSERT INTO from_${n} VALUES (1, 'one of ${n}'), (${n}0, 'ten of ${n}')`,
        `CREATE TABLE into_${n} (id int PRIMARY KEY, note varchar(20))`,
        `INSERT INTO into_${n} VALUES (1, 'old')`,
      );
    }
  }
});

test.each([
  ['mysql', 'postgres'],
  ['postgres', 'mysql'],
] as const)('%s to %s: several tables of a reader go into as many of a writer, each with its preSql', async (from, to) => {
  const [source, target] = [databases[from], databases[to]];
  const { username, password, connection } = connectionTo(target, 'into_3', 'into_[1-2]');
  const parameter = { username, password, connection, preSql: ['DELETE FROM @table'] };
  const path = writeJob(tempFolder(), {
    job: {
      setting: { speed: { channel: 2 } },
      content: [
        {
          reader: readerOf(source, 'from_[1-3]'),
          writer: { name: to === 'postgres' ? 'postgresqlwriter' : 'mysqlwriter', parameter },
        },
      ],
    },
  });
  const check = await runDray(['check', path]);
  expect(check.stdout).toContain('ok, 3 contents');
  const { exitCode, report } = await runDray(['run', path, '--json']);
  expect(exitCode).toBe(0);
  expect(report?.contents.map(({ rows }) => rows.written)).toEqual([2, 2, 2]);
  expect(report?.tasks.map(({ content, split }) => [content, split])).toEqual([
    [0, 'from_1'],
    [1, 'from_2'],
    [2, 'from_3'],
  ]);
  for (const [n, into] of [
    [1, 3],
    [2, 1],
    [3, 2],
  ]) {
    expect(await target.sql(`SELECT id, note FROM into_${into} ORDER BY id`)).toEqual([
      ['1', `one of ${n}`],
      [`${n}0`, `ten of ${n}`],
    ]);
  }
});
