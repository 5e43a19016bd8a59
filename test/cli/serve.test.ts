import { statSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ServerEvent } from '../../core/cli/server-client.ts';
import { findRun } from '../../core/ledger/run-store.ts';
import type { RunStatus } from '../../core/serve/run-status.ts';
import { type DrayServer, startServer } from '../support/dray-server.ts';
import { providedPostgres } from '../support/provided-servers.ts';
import { runDray, startDray, writeJob } from '../support/run-dray.ts';
import { streamJob } from '../support/sample-jobs.ts';
import { postgresDatabase, readerOf, type TestDatabase, writerOf } from '../support/sql.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

let database: TestDatabase;
const rows = 100_000;

beforeAll(async () => {
  const postgres = providedPostgres();
  await postgres.createDatabase('serve');
  database = postgresDatabase(postgres, 'serve');
  await database.sql(
    'CREATE TABLE source (id int PRIMARY KEY, note varchar(200))',
    `INSERT INTO source SELECT seq, CONCAT(seq, ' ', REPEAT('x', 150)) FROM generate_series(1, ${rows}) AS s(seq)`,
    'ANALYZE source',
  );
});

/** A job of several tasks, which one after the other commit for some seconds. */
async function tableJob(table: string, setting: object = {}): Promise<string> {
  await database.sql(`CREATE TABLE ${table} (id int, note varchar(200))`);
  const job = {
    job: {
      setting: { speed: { channel: 1, record: 20_000 }, splitBytes: 1 << 20, ...setting },
      content: [{ reader: readerOf(database, 'source'), writer: writerOf(database, table) }],
    },
  };
  return writeJob(tempFolder(), job, `${table}.json`);
}

/** A job that lasts until somebody stops it. */
const endless = (name = 'endless.json') =>
  writeJob(tempFolder(), streamJob({ rows: 10_000_000, setting: { speed: { channel: 1, record: 1000 } } }), name);
const short = (name = 'short.json') => writeJob(tempFolder(), streamJob({ rows: 10 }), name);

const countIn = async (table: string) => (await database.sql(`SELECT count(*), count(DISTINCT id) FROM ${table}`))[0]!.map(Number);

/** Waits until a task of the run has committed; looks itself, because a command would take too long. */
function committed({ state }: DrayServer, run: string): Promise<void> {
  return until('a task commits', 30_000, async () => {
    const { tasks } = await findRun(state, run);
    expect([...tasks.values()].some((task) => task.committed !== undefined)).toBe(true);
  });
}

describe('dray submit', () => {
  test('gives a job to the server, and its run is done there', async () => {
    const server = await startServer();
    const run = await server.submit(short());
    expect(await server.reaches(run, 'done')).toMatchObject({ run, job: 'short', rows: { written: 10 }, isResumable: false });
    expect(await server.report(run)).toMatchObject({ run, job: 'short', state: 'done', rows: { written: 10 } });
    expect((await server.dray('status')).stdout).toMatch(new RegExp(`^${run} +done .*short +10 rows`));
    expect((await server.dray('status', run)).stdout).toMatch(/state +done\n[\s\S]*rows +10 read, 10 written/);
  });

  test('waits with --wait, prints the reports, and has the exit code of the first that failed', async () => {
    const server = await startServer();
    const failing = writeJob(
      tempFolder(),
      { job: { content: [{ reader: readerOf(database, 'nowhere'), writer: streamJob().job.content[0]!.writer }] } },
      'failing.json',
    );
    const { exitCode, stdout, stderr } = await server.dray('submit', short(), failing, '--wait', '--json');
    expect(exitCode).toBe(3);
    const reports = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { job: string; state: string });
    expect(reports.map(({ job, state }) => `${job} ${state}`).sort()).toEqual(['failing failed', 'short done']);
    expect(stderr).toContain('TABLE_MISSING');
  });

  test('Ctrl-C ends the waiting, and not the run', async () => {
    const server = await startServer();
    const waiting = startDray(['submit', endless(), '--wait', '--state-dir', server.state]);
    await until('the run is submitted', 20_000, async () => expect(waiting.stderr()).toContain('submitted'));
    await until('it is followed', 20_000, async () => expect((await server.dray('status')).stdout).toContain('running'));
    waiting.signal('SIGINT');
    expect(await waiting.ended).toMatchObject({ exitCode: 130, stderr: expect.stringContaining('the runs go on at the server') });
    expect((await server.dray('status')).stdout).toContain('running');
  });

  test('names the mistake in a job file, with its place, and where variables come from', async () => {
    const server = await startServer();
    const path = writeJob(tempFolder(), { job: { content: [], chanel: 1 } });
    const refused = await server.dray('submit', path);
    expect(refused).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringContaining(`where:      ${path}:`) });
    const variable = writeJob(tempFolder(), JSON.stringify(streamJob()).replace('hello', '${env:ONLY_HERE}'));
    const { exitCode, stderr } = await runDray(['submit', variable], { env: { DRAY_STATE_DIR: server.state, ONLY_HERE: 'x' } });
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('environment of `dray serve`')]);
    expect((await server.dray('status')).stderr).toContain('nothing was submitted');
  });

  test.each([['submit', 'x.json'], ['status'], ['status', 'x'], ['cancel', 'x'], ['pause', 'x'], ['tune', 'x', '--channels', '2']])(
    'without a server, `dray %s` says how to start one',
    async (...args) => {
      const { exitCode, stdout, stderr } = await runDray([...args, '--state-dir', tempFolder()]);
      expect([exitCode, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(/^error NO_SERVER: no dray server is at work on .*\n {2}what to do: Start one with `dray serve`/);
    },
  );
});

describe('runs at the server', () => {
  test('wait for a slot and begin by priority, and say what they wait for', async () => {
    const server = await startServer(['--slots', '1']);
    const first = await server.submit(endless());
    await server.reaches(first, 'running');
    const low = await server.submit(short('low.json'), '--priority', '2');
    const raised = await server.submit(short('raised.json'), '--priority', '1');
    const high = await server.submit(short('high.json'), '--priority', '8');
    for (const run of [low, raised, high])
      expect(await server.reaches(run, 'waiting')).toMatchObject({
        waitsFor: expect.stringContaining('a slot'),
        slots: { running: 0, waiting: 1 },
      });
    expect((await server.dray('tune', raised, '--priority', '9')).stdout).toContain('priority 9');
    expect((await server.dray('cancel', first)).exitCode).toBe(0);
    const ended = await Promise.all([low, raised, high].map((run) => server.reaches(run, 'done')));
    const order = ended.sort((a, b) => (a.started! < b.started! ? -1 : 1)).map(({ job }) => job);
    expect(order).toEqual(['raised', 'high', 'low']);
    expect(await server.status(first)).toMatchObject({ state: 'cancelled', error: { code: 'CANCELLED' } });
  });

  test('are paused between two tasks, and go on', async () => {
    const server = await startServer();
    const run = await server.submit(await tableJob('paused'));
    await committed(server, run);
    expect((await server.dray('pause', run)).stdout).toContain('paused');
    const { slots } = await until('the running task has ended', 20_000, async () => {
      const status = await server.status(run);
      expect(status).toMatchObject({ state: 'paused', slots: { running: 0 }, waitsFor: expect.stringContaining('it is paused') });
      return status;
    });
    expect(slots!.waiting).toBeGreaterThan(0);
    const [before] = await countIn('paused');
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(rows);
    expect(await server.dray('resume', run)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(run) });
    await server.reaches(run, 'done');
    expect(await countIn('paused')).toEqual([rows, rows]);
    const { stdout } = await server.dray('log', run);
    expect(stdout).toMatch(/submitted to the server: .*paused\.json[\s\S]*its turn to begin has come[\s\S]*cut into \d+ tasks/);
    expect(stdout).toMatch(/task 0 \(.*\) started, attempt 1, thread 1: waited .* priority 5/);
    expect(stdout).toMatch(
      /task 0 \(.*\) committed [\d,]+ rows[\s\S]*changed by the user: paused[\s\S]*changed by the user: goes on[\s\S]*done, 100,000 rows/,
    );
  });

  test('are widened while they run', async () => {
    const server = await startServer(['--slots', '4']);
    const run = await server.submit(await tableJob('widened'));
    await committed(server, run);
    expect((await server.status(run)).slots).toMatchObject({ running: 1 });
    const { exitCode, stderr } = await server.dray('tune', run, '--channels', '3');
    expect([exitCode, stderr]).toEqual([0, '']);
    await until('three tasks run side by side', 20_000, async () => expect((await server.status(run)).slots!.running).toBe(3));
    await server.reaches(run, 'done');
    expect(await countIn('widened')).toEqual([rows, rows]);
    expect(await server.dray('tune', run)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--channels N') });
  });

  test('are cancelled while they wait and while they run, and not after their end', async () => {
    const server = await startServer(['--slots', '1']);
    const running = await server.submit(endless());
    await server.reaches(running, 'running');
    const waiting = await server.submit(short());
    await server.reaches(waiting, 'waiting');
    await server.dray('cancel', waiting);
    await server.reaches(waiting, 'cancelled');
    expect((await server.status(running)).state).toBe('running');
    expect((await server.ask('DELETE', `/runs/${running}`)).status).toBe(202);
    await server.reaches(running, 'cancelled');
    for (const command of ['cancel', 'pause'])
      expect(await server.dray(command, running)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('RUN_ENDED: the run') });
    expect(await server.dray('cancel', 'nonsense')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('RUN_UNKNOWN') });
  });

  test('are told of in the order of what happens, from their beginning to their end', async () => {
    const server = await startServer();
    const run = await server.submit(await tableJob('told'));
    const text = await (await server.ask('GET', `/runs/${run}/events`)).text();
    const events = [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!) as ServerEvent);
    expect(events.every((event) => event.run === run && event.job === 'told')).toBe(true);
    const types = events.map(({ type }) => type);
    expect([types[0], types.at(-1)]).toEqual(['submitted', 'ended']);
    expect(types).toEqual(expect.arrayContaining(['content', 'decision', 'progress']));
    // What others do on this machine is decided about, too.
    const decisions = events.flatMap((event) => (event.type === 'decision' ? event.message : []));
    expect(decisions).toContainEqual(expect.stringMatching(/^task 0 .* → thread 1: waited/));
    expect(events.at(-1)).toMatchObject({ state: 'done', rows: { written: rows } });
    const again = await server.ask('GET', `/runs/${run}/events`);
    expect((await again.text()).trimEnd().split('\n').at(-2)).toContain('"type":"ended"');
  });
});

describe('the server of a state folder', () => {
  test('keeps its token in a file that only the user can read, and lets nobody in without it', async () => {
    const server = await startServer();
    const { token, port } = server.facts;
    expect(statSync(join(server.state, 'server.json')).mode & 0o777).toBe(0o600);
    const url = `http://127.0.0.1:${port}/runs`;
    const bare = await fetch(url);
    expect([bare.status, await bare.json()]).toEqual([403, { error: expect.objectContaining({ code: 'REQUEST_REFUSED' }) }]);
    expect((await fetch(url, { headers: { authorization: `Bearer ${token}x` } })).status).toBe(403);
    expect((await server.ask('GET', '/runs')).status).toBe(200);
    await server.submit(short());
    expect(server.running.stderr() + server.running.stdout()).not.toContain(token);
  });

  test.each([
    ['a foreign name', { host: 'evil.example:PORT' }, 403],
    ['another port', { host: '127.0.0.1:1' }, 403],
    ['a page of another site', { origin: 'http://evil.example' }, 403],
    ['a page without a site', { origin: 'null' }, 403],
    ['its own name', { host: 'localhost:PORT' }, 200],
    ['its own page', { origin: 'http://127.0.0.1:PORT' }, 200],
  ])('answers a request with the token that comes by %s as it should', async (_, wanted, status) => {
    const { facts } = await startServer();
    const headers = Object.fromEntries(Object.entries(wanted).map(([name, text]) => [name, text.replace('PORT', String(facts.port))]));
    const answered = await new Promise<number | undefined>((resolve, reject) => {
      const options = {
        host: '127.0.0.1',
        port: facts.port,
        path: '/runs',
        headers: { authorization: `Bearer ${facts.token}`, ...headers },
      };
      request(options, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end();
    });
    expect(answered).toBe(status);
  });

  test('names what is wrong with a request', async () => {
    const server = await startServer();
    const answers = async (method: string, path: string, body?: unknown) => {
      const response = await server.ask(method, path, body);
      const { error } = (await response.json()) as { error: { code: string; message: string } };
      return [response.status, error.code, error.message];
    };
    expect(await answers('POST', '/runs', '{')).toEqual([400, 'USAGE', 'the body of the request is no JSON']);
    expect(await answers('POST', '/runs', { file: '/x', priority: 11 })).toEqual([400, 'USAGE', expect.stringContaining('priority: ')]);
    expect(await answers('POST', '/runs', { file: '/x', nonsense: 1 })).toEqual([400, 'USAGE', expect.stringContaining('nonsense')]);
    expect(await answers('POST', '/runs', { file: 'x.json' })).toEqual([400, 'JOB_UNREADABLE', expect.stringContaining('absolute')]);
    expect(await answers('POST', '/runs', { file: '/dev/zero' })).toEqual([
      400,
      'JOB_UNREADABLE',
      expect.stringContaining('/dev/zero is none'),
    ]);
    expect(await answers('POST', '/runs', { file: '/x', parameters: { a: 'x'.repeat(300_000) } })).toEqual([
      413,
      'REQUEST_TOO_BIG',
      expect.stringContaining('262144 bytes'),
    ]);
    expect(await answers('GET', '/runs/nonsense')).toEqual([404, 'RUN_UNKNOWN', expect.stringContaining('nonsense')]);
    expect(await answers('GET', '/nonsense')).toEqual([404, 'USAGE', 'there is no GET /nonsense']);
    const run = await server.submit(endless());
    expect(await answers('GET', `/runs/${run}/report`)).toEqual([404, 'REPORT_MISSING', expect.stringContaining(run)]);
  });

  test('goes on when nobody reads any more what it says', async () => {
    const server = await startServer();
    server.running.child.stderr!.destroy();
    server.running.child.stdout!.destroy();
    const runs = [await server.submit(short()), await server.submit(short())];
    for (const run of runs) await server.reaches(run, 'done');
    expect(server.running.child.exitCode).toBeNull();
    server.running.signal('SIGTERM');
    expect((await server.running.ended).exitCode).toBe(143);
  });

  test('is the only one, until it is gone', async () => {
    const server = await startServer();
    const second = await server.dray('serve', '--port', '0');
    expect([second.exitCode, second.stderr]).toEqual([2, expect.stringMatching(/^error SERVER_EXISTS: .* process \d+ on .*, port \d+/)]);
    const other = await runDray(['serve', '--port', String(server.facts.port), '--state-dir', tempFolder()]);
    expect(other).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/^error PORT_UNUSABLE: port \d+ cannot be used: another/) });
    server.running.signal('SIGKILL');
    await server.running.ended;
    const third = await startServer([], { state: server.state });
    expect((await third.ask('GET', '/runs')).status).toBe(200);
  });
});

describe('what a server leaves', () => {
  test('after kill -9 is listed, and with --resume it goes on: what ran and what waited', async () => {
    const server = await startServer(['--slots', '1']);
    const ran = await server.submit(
      await tableJob('killed', { guarantee: 'exactly-once', speed: { channel: 1, record: 8000 } }),
      '--priority',
      '9',
    );
    await committed(server, ran);
    const waited = await server.submit(short(), '--priority', '3');
    const paused = await server.submit(short('paused.json'));
    await server.reaches(paused, 'waiting');
    await server.dray('pause', paused);
    expect((await server.reaches(waited, 'waiting')).priority).toBe(3);
    await server.dray('tune', waited, '--priority', '7');
    server.running.signal('SIGKILL');
    await server.running.ended;
    const { stdout } = await server.dray('runs', '--json');
    const left = (JSON.parse(stdout) as { runs: { run: string; state: string; isResumable: boolean }[] }).runs;
    expect(left.map(({ run, state, isResumable }) => [run, state, isResumable])).toEqual(
      expect.arrayContaining([ran, waited, paused].map((run) => [run, 'interrupted', true])),
    );
    const looking = await startServer([], { state: server.state });
    await until('they are listed', 20_000, async () => {
      for (const run of [ran, waited]) expect(looking.running.stderr()).toContain(`interrupted: ${run}`);
    });
    expect((await looking.status(ran)).state).toBe('interrupted');
    looking.running.signal('SIGINT');
    expect((await looking.running.ended).exitCode).toBe(130);
    const next = await startServer(['--resume'], { state: server.state });
    await next.reaches(paused, 'paused');
    expect(await next.reaches(waited, 'done')).toMatchObject({ priority: 7, rows: { written: 10 } });
    expect((await next.dray('resume', paused)).stdout).toContain(paused);
    await next.reaches(paused, 'done');
    await next.reaches(ran, 'done');
    expect((await next.report(ran)).tasks.some(({ isFromEarlierProcess }) => isFromEarlierProcess)).toBe(true);
    expect(await countIn('killed')).toEqual([rows, rows]);
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('after %s can be resumed, also a run of which nothing was committed yet', async (signal, code) => {
    const server = await startServer();
    const table = `stopped_${code}`;
    const ran = await server.submit(await tableJob(table));
    const young = await server.submit(endless());
    await committed(server, ran);
    await server.reaches(young, 'running');
    server.running.signal(signal);
    const { exitCode, stderr } = await server.running.ended;
    expect(exitCode).toBe(code);
    expect(stderr).toContain('2 runs can be resumed: `dray serve --resume`');
    expect(await server.dray('status')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('NO_SERVER') });
    const next = await startServer(['--resume'], { state: server.state });
    await until('the young one goes on', 40_000, async () => expect((await next.status(young)).rows?.written).toBeGreaterThan(0));
    // On a machine that others keep busy there may be one slot, and it would never leave that.
    await next.ask('DELETE', `/runs/${young}`);
    await next.reaches(ran, 'done');
    expect(await countIn(table)).toEqual([rows, rows]);
  });

  test('is resumed over HTTP, too, but not a run that was cancelled before it had committed anything', async () => {
    const server = await startServer();
    const run = await server.submit(await tableJob('taken_up'));
    const other = await server.submit(endless());
    await server.reaches(other, 'running');
    await server.ask('POST', `/runs/${other}/cancel`);
    expect(await server.reaches(other, 'cancelled')).toMatchObject({ isResumable: false });
    expect((await server.ask('POST', `/runs/${other}/resume`)).status).toBe(409);
    await committed(server, run);
    await server.ask('POST', `/runs/${run}/cancel`);
    expect(await server.reaches(run, 'cancelled')).toMatchObject({ isResumable: true });
    expect(((await (await server.ask('POST', `/runs/${run}/resume`)).json()) as RunStatus).run).toBe(run);
    await server.reaches(run, 'done');
    expect(await countIn('taken_up')).toEqual([rows, rows]);
  });
});
