import { beforeAll, describe, expect, test } from 'vitest';
import { startServer } from '../support/dray-server.ts';
import { providedPostgres } from '../support/provided-servers.ts';
import { writeJob } from '../support/run-dray.ts';
import { streamJob } from '../support/sample-jobs.ts';
import { postgresDatabase, readerOf, type TestDatabase, writerOf } from '../support/sql.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

let database: TestDatabase;

beforeAll(async () => {
  const postgres = providedPostgres();
  await postgres.createDatabase('serve_secrets');
  database = postgresDatabase(postgres, 'serve_secrets');
  await database.sql(
    'CREATE TABLE source (id int PRIMARY KEY, note varchar(200))',
    "INSERT INTO source SELECT seq, CONCAT(seq, ' ', REPEAT('x', 150)) FROM generate_series(1, 100000) AS s(seq)",
    'ANALYZE source',
  );
});

describe('secrets', () => {
  const secret = 'sEcReT_of_serve';

  test('of a job are in nothing that the server sends, says or writes down', async () => {
    const server = await startServer([], { env: { HIDDEN: secret } });
    const reader = readerOf(database, 'source', { session: ['${env:HIDDEN}'] });
    const path = writeJob(tempFolder(), { job: { content: [{ reader, writer: streamJob().job.content[0]!.writer }] } }, 'secretive.json');
    const run = await server.submit(path);
    expect((await server.reaches(run, 'failed')).error).toMatchObject({ message: expect.stringContaining('near "***"') });
    const sent = await Promise.all(['', '/report', '/events'].map(async (what) => (await server.ask('GET', `/runs/${run}${what}`)).text()));
    const said = await Promise.all(
      [
        ['log', run],
        ['status', run],
        ['runs', '--json'],
      ].map((args) => server.dray(...args)),
    );
    for (const text of [...sent, ...said.map(({ stdout, stderr }) => stdout + stderr), server.running.stderr()]) {
      expect(text).toMatch(/\*\*\*|SQL_FAILED/);
      expect(text).not.toContain(secret);
    }
  });

  test('given with -p are not kept: a resumed server asks for them', async () => {
    const server = await startServer();
    await database.sql('CREATE TABLE hidden (id int, note varchar(200))');
    const reader = readerOf(database, 'source', { password: '${word}' });
    const setting = { speed: { channel: 1, record: 2000 } };
    const path = writeJob(tempFolder(), { job: { setting, content: [{ reader, writer: writerOf(database, 'hidden') }] } }, 'asks.json');
    const run = await server.submit(path, '-p', `word=${database.password}`);
    await server.reaches(run, 'running');
    server.running.signal('SIGKILL');
    await server.running.ended;
    const next = await startServer(['--resume'], { state: server.state });
    await until('it says what it needs', 20_000, async () => expect(next.running.stderr()).toContain('-p word=…'));
    expect(next.running.stderr()).toContain(`${run} asks is not resumed`);
    const resumed = await next.ask('POST', `/runs/${run}/resume`, { parameters: { word: database.password } });
    expect(resumed.status).toBe(200);
    await next.reaches(run, 'running');
  });
});
