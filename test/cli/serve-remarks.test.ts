import pg from 'pg';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import type { ServerEvent } from '../../core/cli/server-client.ts';
import type { RunStatus } from '../../core/serve/run-status.ts';
import { startServer } from '../support/dray-server.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { startDray, writeJob } from '../support/run-dray.ts';
import { streamJob } from '../support/sample-jobs.ts';
import { postgresDatabase, readerOf, type TestDatabase } from '../support/sql.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

let postgres: PostgresServer;
let database: TestDatabase;
let server: string;

beforeAll(async () => {
  // Its budgets and its health are looked at: others' tests would be seen in them.
  postgres = await startPostgres();
  await postgres.createDatabase('remarks');
  database = postgresDatabase(postgres, 'remarks');
  server = `${database.host}:${database.port}`;
  await database.sql(
    'CREATE TABLE source (id int PRIMARY KEY, note varchar(200))',
    "INSERT INTO source SELECT seq, REPEAT('x', 150) FROM generate_series(1, 100000) AS s(seq)",
    'ANALYZE source',
  );
  return () => postgres.stop();
});

/** A job that reads from the server for a minute, several tasks one after the other. */
function slowJob(name: string, setting: object = {}): string {
  const job = {
    setting: { speed: { channel: 2, record: 1500 }, splitBytes: 1 << 20, ...setting },
    content: [{ reader: readerOf(database, 'source'), writer: streamJob().job.content[0]!.writer }],
  };
  return writeJob(tempFolder(), { job }, `${name}.json`);
}

/** Queries that run until the test has ended. */
async function keepBusy(queries: number): Promise<void> {
  const { host, port, user, password, name } = database;
  for (let count = 0; count < queries; count++) {
    const client = new pg.Client({ host, port, user, password, database: name });
    client.on('error', () => undefined);
    await client.connect();
    client.query('SELECT pg_sleep(600)').catch(() => undefined);
    onTestFinished(async () => {
      await database.sql(`SELECT pg_terminate_backend(${(client as unknown as { processID: number }).processID})`);
      await client.end().catch(() => undefined);
    });
  }
}

test('a run that waits for the budget of a server says for which one', async () => {
  const { submit, reaches, dray, ask, status } = await startServer(['--slots', '4']);
  const setting = { source: { maxConnections: 1 } };
  const first = await submit(slowJob('first', setting));
  await reaches(first, 'running');
  const second = await submit(slowJob('second', setting));
  const waitsFor = `a place at source ${server}: 1 of 1 tasks run there`;
  await until('it waits', 20_000, async () => expect(await status(second)).toMatchObject({ state: 'waiting', waitsFor }));
  expect((await dray('status')).stdout).toMatch(new RegExp(`${second} .* waits for ${waitsFor}`));
  expect((await dray('status', second)).stdout).toContain(`waits for  ${waitsFor}`);
  const { runs } = JSON.parse((await dray('status', '--json')).stdout) as { runs: RunStatus[] };
  expect(runs.find(({ run }) => run === second)).toMatchObject({ waitsFor });
  await ask('POST', `/runs/${first}/cancel`);
  const running = await reaches(second, 'running');
  expect(running).not.toHaveProperty('waitsFor');
});

test('a run that will be late says so in its status, in its events and to those who wait for it', async () => {
  const { status, dray, ask, state } = await startServer(['--slots', '4']);
  const waiting = startDray(['submit', slowJob('late', { finishWithin: '10s' }), '--wait', '--state-dir', state]);
  onTestFinished(() => waiting.signal('SIGKILL'));
  const words = /will miss its 10 s by \d+/;
  const run = await until('it is submitted', 20_000, async () => /\d{8}-\d{6}-[0-9a-f]{6}/.exec(waiting.stderr())![0]);
  await until('it will be late', 30_000, async () => expect((await status(run)).remark).toMatch(words));
  expect((await dray('status')).stdout).toMatch(new RegExp(`${run} +running .*${words.source}`));
  expect((await dray('status', run)).stdout).toMatch(new RegExp(`remark +${words.source}`));
  await until('who waits for it is told', 30_000, async () => expect(waiting.stderr()).toMatch(words));
  const told = readEvents(await ask('GET', '/events'));
  expect(await told((event) => event.type === 'progress' && event.remark !== undefined)).toMatchObject({
    run,
    remark: expect.stringMatching(words),
  });
});

test('a run that a server slows down says which server, and why', async () => {
  const { submit, status, dray } = await startServer(['--slots', '4']);
  await keepBusy(6);
  const run = await submit(slowJob('slowed', { source: { maxThreadsRunning: 3 } }));
  const words = new RegExp(`source ${server} slowed to \\d.*: \\d+ threads running, limit 3`);
  await until('it is slowed down', 30_000, async () => expect((await status(run)).remark).toMatch(words));
  expect((await dray('status', run)).stdout).toMatch(words);
  expect((JSON.parse((await dray('status', run, '--json')).stdout) as RunStatus).remark).toMatch(words);
});

/** Reads server-sent events until one is as wanted. */
function readEvents(response: Response): (isWanted: (event: ServerEvent) => boolean) => Promise<ServerEvent | undefined> {
  return async (isWanted) => {
    let text = '';
    const decoder = new TextDecoder();
    for await (const piece of response.body!) {
      text += decoder.decode(piece, { stream: true });
      const events = [...text.matchAll(/^data: (.*)\n/gm)].map(([, data]) => JSON.parse(data!) as ServerEvent);
      const found = events.find(isWanted);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}
