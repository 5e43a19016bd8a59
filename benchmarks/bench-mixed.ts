import mysql from 'mysql2/promise';
import pg from 'pg';
import { startMariadb } from '../test/support/mariadb-server.ts';
import { startPostgres } from '../test/support/postgres-server.ts';
import { type MixedJob, type MixedServers, mixedEnvironment, writeMixedJobs } from './mixed/mixed-jobs.ts';
import { controlled, type Ends, fixedCount } from './mixed/policies.ts';

/*
 * `npm run bench:mixed [-- RUNS]`: 50 jobs, one of them huge, three priorities; under one controller, and in their order with a fixed number of channels.
 */
const sourceRows = 2_000_000;
const policies = [controlled, fixedCount(2, 2)];
const say = (text: string) => void process.stderr.write(`${text}\n`);

async function main(): Promise<void> {
  const runs = Number(process.argv[2] ?? 3);
  const [postgres, mariadb] = await Promise.all([startPostgres(), startMariadb()]);
  try {
    await postgres.createDatabase('mixed');
    const servers: MixedServers = { postgres, mysql: mariadb, mysqlDatabase: await mariadb.createDatabase('mixed') };
    const jobs = await writeMixedJobs(servers);
    await makeTables(servers, jobs);
    const results = new Map<string, Ends[]>(policies.map(({ name }) => [name, []]));
    for (let run = 0; run < runs; run++) {
      for (const policy of policies) {
        await emptyTargets(servers, jobs);
        const ends = await policy.run(jobs, mixedEnvironment(servers));
        await checkTargets(servers, jobs);
        results.get(policy.name)!.push(ends);
        say(`${policy.name}: ${Math.max(...ends.values()).toFixed(1)} s`);
      }
    }
    process.stdout.write(`${tableOf(results, jobs)}\n`);
  } finally {
    await Promise.all([postgres.stop(), mariadb.stop()]);
  }
}

async function makeTables({ postgres, mysql: mariadb, mysqlDatabase }: MixedServers, jobs: readonly MixedJob[]): Promise<void> {
  const columns = 'id int primary key, name varchar(100) not null, amount decimal(12, 2) not null, at timestamp not null';
  await inPostgres(postgres.urlFor('mixed'), [
    `create table source (${columns})`,
    `insert into source select i, repeat(md5(i::text), 3), i * 1.25, timestamp '2026-01-01' + i * interval '1 second' from generate_series(1, ${sourceRows}) i`,
    'vacuum analyze source',
    ...jobs.map(({ target }) => `create table ${target} (${columns})`),
  ]);
  const connection = await mysql.createConnection({ uri: mariadb.urlFor(mysqlDatabase) });
  await connection.query(`create table source (${columns.replace('timestamp', 'datetime')})`);
  await connection.query(
    `insert into source select seq, repeat(md5(seq), 3), seq * 1.25, '2026-01-01' + interval seq second from seq_1_to_${sourceRows / 10}`,
  );
  await connection.query('analyze table source');
  await connection.end();
}

async function emptyTargets({ postgres }: MixedServers, jobs: readonly MixedJob[]): Promise<void> {
  await inPostgres(postgres.urlFor('mixed'), [`truncate ${jobs.map(({ target }) => target).join(', ')}`, 'checkpoint']);
}

/** A run that has moved anything else than what it should does not count. */
async function checkTargets({ postgres }: MixedServers, jobs: readonly MixedJob[]): Promise<void> {
  const client = new pg.Client({ connectionString: postgres.urlFor('mixed') });
  await client.connect();
  try {
    for (const { name, target, rows } of jobs) {
      const { rows: found } = await client.query<{ count: string; sum: string }>(`select count(*), sum(id) from ${target}`);
      const { count, sum } = found[0]!;
      if (Number(count) !== rows || Number(sum) !== (rows * (rows + 1)) / 2) throw new Error(`${name} has ${count} rows of ${rows}`);
    }
  } finally {
    await client.end();
  }
}

async function inPostgres(connectionString: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

function tableOf(results: ReadonlyMap<string, readonly Ends[]>, jobs: readonly MixedJob[]): string {
  const levels = [...new Set(jobs.map(({ priority }) => priority))].sort((a, b) => b - a);
  const lines = [
    `| policy | ${levels.map((level) => `mean end, priority ${level}`).join(' | ')} | all done |`,
    `| --- | ${levels.map(() => '--- |').join(' ')} --- |`,
  ];
  for (const [name, runs] of results) {
    const means = levels.map((level) =>
      median(
        runs.map((ends) =>
          meanEnd(
            ends,
            jobs.filter(({ priority }) => priority === level),
          ),
        ),
      ),
    );
    lines.push(
      `| ${name} | ${means.map((mean) => `${mean.toFixed(1)} s`).join(' | ')} | ${median(runs.map((ends) => Math.max(...ends.values()))).toFixed(1)} s |`,
    );
  }
  return lines.join('\n');
}

function meanEnd(ends: Ends, jobs: readonly MixedJob[]): number {
  return jobs.reduce((sum, { name }) => sum + ends.get(name)!, 0) / jobs.length;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}

await main();
