import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { copySteps, loadIntoMysql } from '../../benchmarks/fixtures/load.ts';
import { mysqlDdl } from '../../plugins/fixture/ddl.ts';
import { orders } from '../../plugins/fixture/orders.ts';
import { startMariadb } from '../support/mariadb-server.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { until } from '../support/until.ts';

test('settings reach a second private server of each kind', async () => {
  const [postgres, mariadb] = await Promise.all([
    startPostgres({ settings: { wal_level: 'logical' } }),
    startMariadb({ settings: ['--local-infile=0'] }),
  ]);
  try {
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    const shown = await client.query("SELECT current_setting('wal_level') AS wal, current_setting('fsync') AS fsync");
    expect(shown.rows).toEqual([{ wal: 'logical', fsync: 'off' }]);
    await client.end();

    const url = mariadb.urlFor(await mariadb.createDatabase('second'));
    const connection = await mysql.createConnection(url);
    await connection.query(mysqlDdl(orders, 'orders'));
    await connection.end();
    await expect(loadIntoMysql(url, 'orders', orders, copySteps(orders, 10))).rejects.toThrow(/local/i);
  } finally {
    await Promise.all([postgres.stop(), mariadb.stop()]);
  }
});

test('a server that cannot start says why and leaves no folder', async () => {
  const temporary = await temporaryFolder();
  vi.stubEnv('TMPDIR', temporary);
  await expect(startPostgres({ settings: { wal_level: 'nonsense' } })).rejects.toThrow(/invalid value for parameter "wal_level"/);
  await expect(startMariadb({ settings: ['--nonsense'] })).rejects.toThrow(/unknown option '--nonsense'/);
  vi.unstubAllEnvs();
  expect(await readdir(temporary)).toEqual([]);
});

describe('a process that goes without stopping its servers takes them along', () => {
  const support = pathToFileURL(join(import.meta.dirname, '..', '..', 'dist', 'test', 'support')).href;
  const starting = `
    import { startPostgres } from '${support}/postgres-server.js';
    import { startMariadb } from '${support}/mariadb-server.js';
    const [postgres, mariadb] = await Promise.all([startPostgres(), startMariadb({ settings: [] })]);
    console.log(postgres.port, mariadb.port);`;
  const waiting = 'setInterval(() => {}, 1000)';

  for (const { when, ending, signal, code } of [
    { when: 'when SIGINT ends it', ending: waiting, signal: 'SIGINT', code: null },
    { when: 'when SIGTERM ends it', ending: waiting, signal: 'SIGTERM', code: null },
    { when: 'when SIGKILL ends it', ending: waiting, signal: 'SIGKILL', code: null },
    { when: 'when it throws', ending: 'throw new Error("on purpose")', signal: null, code: 1 },
    { when: 'when it runs out of work, with its own exit code', ending: 'process.exitCode = 3', signal: null, code: 3 },
  ] as const) {
    test(when, async () => {
      const temporary = await temporaryFolder();
      const child = spawn(process.execPath, ['--input-type=module', '-e', `${starting}\n${ending}`], {
        stdio: ['ignore', 'pipe', 'ignore'],
        env: { ...process.env, TMPDIR: temporary },
      });
      const exited = once(child, 'exit');
      const [line]: unknown[] = await once(child.stdout, 'data');
      const ports = String(line).trim().split(' ').map(Number);
      expect(ports).toHaveLength(2);
      if (signal !== null) {
        expect(await Promise.all(ports.map(isFree))).toEqual([false, false]);
        expect(await readdir(temporary)).toHaveLength(2);
        child.kill(signal);
      }
      expect(await exited).toEqual([code, signal]);

      await until('servers and folders are gone', 10_000, async () => {
        expect(await readdir(temporary)).toEqual([]);
        expect(await Promise.all(ports.map(isFree))).toEqual([true, true]);
      });
    });
  }
});

/** A folder that stands in for /tmp, so that servers of other runs on this machine do not count; gone after the test. */
async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dray-test-'));
  await chmod(folder, 0o1777);
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** True if nobody listens on the port of 127.0.0.1. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(false);
    }).on('error', () => resolve(true));
  });
}
