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
import {
  loadOrdersIntoMysql,
  loadOrdersIntoPostgres,
  orderColumns,
  orderRows,
  ordersMysqlDdl,
  ordersPostgresDdl,
} from '../../benchmarks/fixtures/orders.ts';
import { startMariadb } from '../support/mariadb-server.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { providedMariadb, providedPostgres } from '../support/provided-servers.ts';
import { until } from '../support/until.ts';

const rowCount = 25_000;
/** Everything but NULL arrives as a string or a number. */
const asText = (value: unknown): string | null => (typeof value === 'string' || typeof value === 'number' ? String(value) : null);
/** Servers print doubles in their own way (1e21, 1e+21): compare what they mean. */
const withCanonicalWeight = (row: (string | null)[]) => row.map((cell, c) => (c === 5 && cell !== null ? String(Number(cell)) : cell));

test('PostgreSQL accepts the orders, counts them and gives them back exactly', async () => {
  const postgres = providedPostgres();
  await postgres.createDatabase('servers_test');
  const url = postgres.urlFor('servers_test');
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(ordersPostgresDdl('orders'));
  const progress: number[] = [];
  await loadOrdersIntoPostgres(url, 'orders', rowCount, (rows) => progress.push(rows));

  expect(progress).toEqual([10_000, 20_000, 25_000]);
  expect((await client.query('SELECT count(*)::int AS n FROM orders')).rows).toEqual([{ n: rowCount }]);
  await client.query("SET timezone = 'UTC'");
  const cells = orderColumns.map((column) => `${column}::text`).join(', ');
  const { rows } = await client.query<(string | null)[]>({ text: `SELECT ${cells} FROM orders ORDER BY orders.id`, rowMode: 'array' });
  expect(differences(rows.map(withCanonicalWeight))).toEqual([]);
  await client.end();
});

test('MariaDB accepts the orders, counts them and gives them back exactly', async () => {
  const mariadb = providedMariadb();
  const url = mariadb.urlFor(await mariadb.createDatabase('servers_test'));
  const connection = await mysql.createConnection({ uri: url, supportBigNumbers: true, bigNumberStrings: true, dateStrings: true });
  await connection.query(ordersMysqlDdl('orders'));
  const progress: number[] = [];
  await loadOrdersIntoMysql(url, 'orders', rowCount, (rows) => progress.push(rows));

  expect(progress).toEqual([10_000, 20_000, 25_000]);
  const [counted] = await connection.query<mysql.RowDataPacket[]>('SELECT count(*) AS n FROM orders');
  expect(Number(counted[0]?.n)).toBe(rowCount);
  await connection.query("SET time_zone = '+00:00'");
  const cells = `id, customer_id, order_no, status, amount, weight, created_at, updated_at,
    IF(is_paid, 'true', IF(is_paid IS NULL, NULL, 'false')), CAST(attributes AS CHAR), CONCAT('\\\\x', LOWER(HEX(token))), note`;
  const [rows] = await connection.query<mysql.RowDataPacket[][]>({ sql: `SELECT ${cells} FROM orders ORDER BY id`, rowsAsArray: true });
  expect(differences(rows.map((row) => withCanonicalWeight(row.map(asText)).map(trimmedTime)))).toEqual([]);
  await connection.end();
});

/** What differs from the fixture, at most ten cells: a diff of 25,000 rows would take a minute to print. */
function differences(rows: readonly (string | null)[][]): string[] {
  const found: string[] = [];
  for (const [n, expected] of [...orderRows(1, rowCount)].entries()) {
    for (const [column, cell] of expected.entries()) {
      const actual = rows[n]?.[column];
      if (actual !== cell) found.push(`${orderColumns[column]} of row ${n + 1}: ${JSON.stringify(actual)}, not ${JSON.stringify(cell)}`);
    }
  }
  return found.slice(0, 10);
}

/** MariaDB prints all six digits of a fraction and no time zone. */
function trimmedTime(cell: string | null, column: number): string | null {
  if (cell === null || (column !== 6 && column !== 7)) return cell;
  return cell.replace(/\.?0+$/, (zeros) => (cell.includes('.') ? '' : zeros)) + (column === 7 ? '+00' : '');
}

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
    await connection.query(ordersMysqlDdl('orders'));
    await connection.end();
    await expect(loadOrdersIntoMysql(url, 'orders', 10)).rejects.toThrow(/local/i);
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
