import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MariadbServer } from '../../test/support/mariadb-server.ts';
import type { PostgresServer } from '../../test/support/postgres-server.ts';

/** A job of the mix, in the order in which people submit them. */
export interface MixedJob {
  readonly name: string;
  readonly file: string;
  readonly priority: number;
  readonly rows: number;
  /** Table of the target database. */
  readonly target: string;
}

export interface MixedServers {
  readonly postgres: PostgresServer;
  readonly mysql: MariadbServer;
  /** Its true name on a server of somebody else's. */
  readonly mysqlDatabase: string;
}

/** One huge job first, of low priority, and forty-nine of 2,000 to 100,000 rows behind it; a fifth of these is important. */
const sizes = [2_000, 10_000, 30_000, 100_000];
const priorities = [2, 5, 2, 5, 8];
const hugeRows = 2_000_000;
const jobs = 50;

/** Deterministic: the same jobs each time. */
export async function writeMixedJobs(servers: MixedServers): Promise<MixedJob[]> {
  const folder = await mkdtemp(join(tmpdir(), 'dray-bench-mixed-'));
  return Promise.all(
    Array.from({ length: jobs }, async (_, number): Promise<MixedJob> => {
      const rows = number === 0 ? hugeRows : sizes[(number * 7) % sizes.length]!;
      const priority = number === 0 ? 2 : priorities[number % priorities.length]!;
      const isFromMysql = number > 0 && number % 2 === 0;
      const name = `job-${String(number).padStart(2, '0')}`;
      const file = join(folder, `${name}.json`);
      const target = `target_${number}`;
      const reader = isFromMysql
        ? mysqlEnd('reader', servers, 'source', `id <= ${rows}`)
        : postgresEnd('reader', servers, 'source', `id <= ${rows}`);
      const writer = postgresEnd('writer', servers, target);
      await writeFile(file, JSON.stringify({ job: { setting: { priority }, content: [{ reader, writer }] } }));
      return { name, file, priority, rows, target };
    }),
  );
}

/** Passwords that the job files name. */
export function mixedEnvironment({ postgres, mysql }: MixedServers): NodeJS.ProcessEnv {
  return { BENCH_PG_PASSWORD: postgres.password, BENCH_MYSQL_PASSWORD: mysql.password };
}

function postgresEnd(kind: 'reader' | 'writer', { postgres }: MixedServers, table: string, where?: string) {
  const jdbcUrl = `jdbc:postgresql://${postgres.host}:${postgres.port}/mixed`;
  return endOf(`postgresql${kind}`, postgres.user, 'BENCH_PG_PASSWORD', kind, { jdbcUrl, table, where });
}

function mysqlEnd(kind: 'reader', { mysql, mysqlDatabase }: MixedServers, table: string, where: string) {
  const jdbcUrl = `jdbc:mysql://${mysql.host}:${mysql.port}/${mysqlDatabase}`;
  return endOf(`mysql${kind}`, mysql.user, 'BENCH_MYSQL_PASSWORD', kind, { jdbcUrl, table, where });
}

function endOf(
  name: string,
  username: string,
  variable: string,
  kind: 'reader' | 'writer',
  { jdbcUrl, table, where }: { jdbcUrl: string; table: string; where?: string | undefined },
) {
  const connection = [{ jdbcUrl: kind === 'reader' ? [jdbcUrl] : jdbcUrl, table: [table] }];
  return {
    name,
    parameter: { username, password: `\${env:${variable}}`, column: ['*'], connection, ...(where === undefined ? {} : { where }) },
  };
}
