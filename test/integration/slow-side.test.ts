import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type MariadbServer, startMariadb } from '../support/mariadb-server.ts';
import { runDray, writeJob } from '../support/run-dray.ts';
import { openLanes } from '../support/snapshot-lanes.ts';
import { mysqlDatabase, type TestDatabase, writerOf } from '../support/sql.ts';
import { tempFolder } from '../support/temp-folder.ts';

/* A server that gives up on everybody who keeps it waiting for a second; by default it does after one minute, or eight hours. */

const rows = 30_000;
let server: MariadbServer;
let database: TestDatabase;

beforeAll(async () => {
  server = await startMariadb({ settings: ['--net-write-timeout=1', '--net-read-timeout=1', '--wait-timeout=1'] });
  database = mysqlDatabase(server, await server.createDatabase('slow'));
  await database.sql(
    'CREATE TABLE big (id int PRIMARY KEY, word text)',
    `INSERT INTO big SELECT seq, repeat('a word ', 200) FROM seq_1_to_${rows}`,
    'CREATE TABLE drops (word varchar(20))',
  );
});

afterAll(() => server.stop());

test('a read survives a writer that takes nothing for longer than the server waits', async () => {
  const opened = await openLanes(database, 1, { connection: [{ jdbcUrl: [database.jdbcUrl], table: ['big'] }] });
  onTestFinished(() => opened.close());
  let pauses = 0;
  // Forty megabytes are more than sockets and batches hold: the server is in the middle of a row meanwhile.
  const read = await opened.read(0, opened.splits[0]!, {
    onBatch: async () => {
      if (pauses++ < 2) await sleep(4000);
    },
  });
  expect(new Set(read.map(([id]) => id)).size).toBe(rows);
  expect(pauses).toBeGreaterThan(2);
});

test('a load survives a reader that delivers a row only now and then', async () => {
  const column = [{ type: 'string', value: 'drop' }];
  const job = {
    job: {
      setting: { speed: { channel: 1, record: 1 } },
      content: [{ reader: { name: 'streamreader', parameter: { column, sliceRecordCount: 5 } }, writer: writerOf(database, 'drops') }],
    },
  };
  const { exitCode, stderr } = await runDray(['run', writeJob(tempFolder(), job)]);
  expect([exitCode, stderr]).toEqual([0, expect.stringContaining('5 written')]);
  expect(await database.sql('SELECT count(*) FROM drops')).toEqual([['5']]);
});
