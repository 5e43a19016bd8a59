import { beforeAll, expect, test } from 'vitest';
import type { RunReport } from '../../../core/report/report.ts';
import { type MariadbServer, startMariadb } from '../../support/mariadb-server.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres-server.ts';
import { runDray, writeJob } from '../../support/run-dray.ts';
import { streamJob } from '../../support/sample-jobs.ts';
import { mysqlDatabase, postgresDatabase, type TestDatabase } from '../../support/sql.ts';
import { tempFolder } from '../../support/temp-folder.ts';

type Kind = TestDatabase['kind'];
const kinds: readonly Kind[] = ['mysql', 'postgres'];
const rows = 100_000;
const [username, password] = ['reader', 'reads'];
/** Two servers of each kind. */
const servers: Record<Kind, TestDatabase[]> = { mysql: [], postgres: [] };

async function startDatabase(kind: Kind): Promise<[TestDatabase, MariadbServer | PostgresServer]> {
  if (kind === 'mysql') {
    const mariadb = await startMariadb();
    return [mysqlDatabase(mariadb, await mariadb.createDatabase('several')), mariadb];
  }
  const postgres = await startPostgres();
  await postgres.createDatabase('several');
  return [postgresDatabase(postgres, 'several'), postgres];
}

beforeAll(async () => {
  const started = await Promise.all([...kinds, ...kinds].map(async (kind) => [kind, await startDatabase(kind)] as const));
  for (const [kind, [database]] of started) {
    servers[kind].push(database);
    const numbers = kind === 'mysql' ? `seq_1_to_${rows}` : `generate_series(1, ${rows}) AS s(seq)`;
    await database.sql(
      'CREATE TABLE t (id int PRIMARY KEY, note varchar(200))',
      `INSERT INTO t SELECT seq, REPEAT('x', 200) FROM ${numbers}`,
      kind === 'mysql' ? 'ANALYZE TABLE t' : 'ANALYZE t',
      // One who may log in to both.
      ...(kind === 'mysql'
        ? [`CREATE USER ${username} IDENTIFIED BY '${password}'`, `GRANT ALL ON *.* TO ${username}`]
        : [`CREATE USER ${username} PASSWORD '${password}'`, `GRANT SELECT ON t TO ${username}`]),
    );
  }
  return () => Promise.all(started.map(([, [, server]]) => server.stop()));
});

test.each(kinds)('%s: a task counts at the server that its table is read from, and not at the others of its content', async (kind) => {
  const reader = {
    name: kind === 'mysql' ? 'mysqlreader' : 'postgresqlreader',
    parameter: {
      username,
      password,
      column: ['*'],
      connection: servers[kind].map(({ jdbcUrl }) => ({ jdbcUrl: [jdbcUrl], table: ['t'] })),
    },
  };
  const setting = { splitBytes: 1 << 20, speed: { channel: 4 }, source: { maxConnections: 1 } };
  const content = [{ reader, writer: streamJob().job.content[0]!.writer }];
  const { exitCode, stdout, stderr } = await runDray(['run', writeJob(tempFolder(), { job: { setting, content } }), '--verbose', '--json']);
  expect(exitCode, stderr).toBe(0);
  expect((JSON.parse(stdout) as RunReport).rows.written).toBe(2 * rows);
  const names = servers[kind].map(({ host, port }) => `${host}:${port}`);
  const starts = stderr.split('\n').filter((line) => line.includes('→ thread'));
  const counted = starts.map((line) => names.filter((name) => line.includes(`${name} 1/1`)).join(' and '));
  // Of both tables, the rows that have come meanwhile.
  expect(starts.at(-1)).toContain('new rows of 2 tables');
  expect(counted.pop()).toBe(names.join(' and '));
  expect(counted.length).toBeGreaterThan(4);
  expect(new Set(counted)).toEqual(new Set(names));
});
