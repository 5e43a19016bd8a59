import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { LaneSpec, TaskSpec } from '../../core/task/spec.ts';
import type { PoolExecutor } from '../../core/worker/pool-executor.ts';
import type { Threads } from '../../core/worker/threads.ts';
import { fakeTask, listening } from '../support/fake-plugins.ts';
import { type MariadbServer, startMariadb } from '../support/mariadb-server.ts';
import { providedPostgres } from '../support/provided-servers.ts';
import { openLanes } from '../support/snapshot-lanes.ts';
import { mysqlDatabase, postgresDatabase, readerOf, type TestDatabase } from '../support/sql.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

type Kind = 'postgres' | 'mysql';
const databases: Record<Kind, TestDatabase> = {} as never;
const dist = join(import.meta.dirname, '..', '..', 'dist');
const never = new AbortController().signal;
let mariadb: MariadbServer;
/** Threads run compiled modules only. */
let pool: typeof PoolExecutor;
let threads: typeof Threads;

beforeAll(async () => {
  pool = ((await import(join(dist, 'core', 'worker', 'pool-executor.js'))) as { PoolExecutor: typeof PoolExecutor }).PoolExecutor;
  threads = ((await import(join(dist, 'core', 'worker', 'threads.js'))) as { Threads: typeof Threads }).Threads;
  const postgres = providedPostgres();
  await postgres.createDatabase('lanes');
  databases.postgres = postgresDatabase(postgres, 'lanes');
  mariadb = await startMariadb({ settings: ['--log-bin=binlog', '--server-id=1'] });
  databases.mysql = mysqlDatabase(mariadb, await mariadb.createDatabase('lanes'));
  for (const { sql } of Object.values(databases)) await sql('CREATE TABLE t (id int PRIMARY KEY)', 'INSERT INTO t VALUES (1), (2), (3)');
});

afterAll(() => mariadb.stop());

function executorOf(lanes: number): PoolExecutor {
  const all = new threads(lanes);
  const executor = new pool(lanes, all);
  onTestFinished(async () => {
    await executor.close();
    await all.close();
  });
  return executor;
}

function moduleOf(kind: 'reader' | 'writer', text: string) {
  const path = join(tempFolder(), `${kind}.js`);
  writeFileSync(path, text);
  return { plugin: { kind, name: 'fake', module: pathToFileURL(path).href, exportName: 'default', isBuiltIn: false }, options: {} };
}

/** A writer that commits the number of the reader's thread; before that it does what `beforeCommit` says. */
const writer = (beforeCommit = '') =>
  moduleOf(
    'writer',
    `import { threadId } from 'node:worker_threads';
     export default { kind: 'writer', name: 'fake', open: () => ({ openTask: async () => ({
       write: async () => {}, abort: async () => {}, commit: async () => { ${beforeCommit}; return threadId; } }) }) };`,
  );

const reader = (read: string) =>
  moduleOf('reader', `export default { kind: 'reader', name: 'fake', open: () => ({ read: async (split, out) => { ${read} } }) };`);

const deaths = {
  'process.exit': 'process.exit(7)',
  'an error that nobody catches': "setTimeout(() => { throw new Error('unheard') }, 1); await new Promise((r) => setTimeout(r, 5000))",
};

test.each(Object.entries(deaths))(
  'a thread that ends by %s is a failed task, and the lane goes on with another thread',
  async (_, death) => {
    const executor = executorOf(1);
    const { listener } = listening();
    const dead = await executor.run(0, fakeTask({ id: 4, reader: reader(death), writer: writer() }), listener, never);
    expect(dead).toMatchObject({
      state: 'failed',
      error: { code: 'WORKER_DIED', message: expect.stringContaining('the thread of task 4 ended') },
    });
    const next = await executor.run(0, fakeTask({ reader: reader("out.push(['a'])"), writer: writer() }), listener, never);
    expect(next).toMatchObject({ state: 'done', counters: { rowsWritten: 1 } });
  },
);

test('lanes are threads of their own, and the tasks of one share its thread', async () => {
  const executor = executorOf(2);
  expect(executor.lanes).toBe(2);
  const task = fakeTask({ reader: reader("out.push(['a'])"), writer: writer() });
  const threads = [];
  for (const lane of [0, 1, 0]) {
    const outcome = await executor.run(lane, task, listening().listener, never);
    threads.push(outcome.state === 'done' ? outcome.commit : outcome.error.message);
  }
  expect(threads[0]).toBe(threads[2]);
  expect(threads[0]).not.toBe(threads[1]);
});

test('threads that are made ready load plugins before there is a task, and are those that the lanes take', async () => {
  const all = new threads(2);
  const executor = new pool(1, all);
  onTestFinished(async () => {
    await executor.close();
    await all.close();
  });
  const note = join(tempFolder(), 'loaded');
  const plugin = moduleOf(
    'reader',
    `import { appendFileSync } from 'node:fs';
     import { threadId } from 'node:worker_threads';
     export default { kind: 'reader', name: 'fake',
       load: async () => appendFileSync(${JSON.stringify(note)}, threadId + ' '),
       open: () => ({ read: async (split, out) => out.push(['a']) }) };`,
  );
  const broken = moduleOf(
    'writer',
    "export default { kind: 'writer', name: 'fake', open() {}, load: () => Promise.reject(new Error('unheard')) };",
  );
  all.ready(1, [plugin.plugin, broken.plugin]);
  // What is there is enough.
  all.ready(1, [plugin.plugin]);
  await until('the plugin is loaded', 10_000, async () => expect(existsSync(note)).toBe(true));
  const outcome = await executor.run(0, fakeTask({ reader: plugin, writer: writer() }), listening().listener, never);
  expect(outcome).toMatchObject({ state: 'done', counters: { rowsWritten: 1 } });
  expect(readFileSync(note, 'utf8')).toBe(`${(outcome as { commit: number }).commit} `);
});

describe.each(['postgres', 'mysql'] as const)('%s', (kind) => {
  async function openSnapshot(width: number) {
    const database = databases[kind];
    const planned = await openLanes(database, 0, {}, 't');
    onTestFinished(() => planned.close());
    const { parameter } = readerOf(database, 't');
    const module = pathToFileURL(join(dist, 'plugins', kind, 'reader.js')).href;
    const { default: plugin } = (await import(module)) as { default: { options: { parse(given: object): Record<string, unknown> } } };
    const end = {
      plugin: { kind: 'reader' as const, name: kind, module, exportName: 'default', isBuiltIn: true },
      options: plugin.options.parse(parameter),
    };
    const executor = executorOf(width);
    const snapshot = await planned.main.openSnapshot!({ splits: planned.splits, readers: width });
    const spec: LaneSpec = { run: 'test', job: 'test', reader: end, snapshot: snapshot.token };
    const joined = await Promise.all(Array.from({ length: width }, (_, lane) => executor.join(lane, spec, never)));
    expect(joined).toEqual(Array.from({ length: width }, () => undefined));
    await snapshot.joined?.();
    const task = (facts: Partial<TaskSpec> = {}) =>
      fakeTask({
        reader: end,
        writer: writer(),
        source: planned.schema,
        target: { schema: planned.schema },
        split: planned.splits[0]!,
        ...facts,
      });
    return { executor, task };
  }

  test('the lanes of several threads read in one snapshot', async () => {
    const { executor, task } = await openSnapshot(2);
    await databases[kind].sql('INSERT INTO t VALUES (4)');
    onTestFinished(async () => void (await databases[kind].sql('DELETE FROM t WHERE id = 4')));
    for (const lane of [0, 1, 1]) {
      expect(await executor.run(lane, task(), listening().listener, never)).toMatchObject({ state: 'done', counters: { rowsRead: 3 } });
    }
  });

  test('a thread that dies takes its part of the snapshot with it, or its successor joins again', async () => {
    const { executor, task } = await openSnapshot(2);
    await databases[kind].sql('INSERT INTO t VALUES (4)');
    onTestFinished(async () => void (await databases[kind].sql('DELETE FROM t WHERE id = 4')));
    const dead = await executor.run(0, task({ writer: writer('process.exit(7)') }), listening().listener, never);
    expect(dead).toMatchObject({ state: 'failed', error: { code: 'WORKER_DIED' } });
    for (let again = 0; again < 2; again++) {
      const next = await executor.run(0, task(), listening().listener, never);
      if (kind === 'postgres') expect(next).toMatchObject({ state: 'done', counters: { rowsRead: 3 } });
      else expect(next).toMatchObject({ state: 'failed', error: { code: 'SNAPSHOT_LOST', side: 'source' } });
    }
    expect(await executor.run(1, task(), listening().listener, never)).toMatchObject({ state: 'done', counters: { rowsRead: 3 } });
  });

  test('nothing is left at the server when the lanes are closed', async () => {
    const { executor, task } = await openSnapshot(2);
    await Promise.all([0, 1].map((lane) => executor.run(lane, task(), listening().listener, never)));
    const count = async () => {
      const sessions =
        kind === 'postgres'
          ? "SELECT count(*) FROM pg_stat_activity WHERE datname = 'lanes' AND application_name = 'dray'"
          : "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = 'lanes' AND ID <> CONNECTION_ID()";
      return Number((await databases[kind].sql(sessions))[0]![0]);
    };
    const before = await count();
    await executor.close();
    await until('two sessions are gone', 5000, async () => expect(await count()).toBeLessThanOrEqual(before - 2));
  });
});
