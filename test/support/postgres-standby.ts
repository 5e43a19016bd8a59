import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from './free-port.ts';
import { answeringPostgres, type PostgresFacts, type PostgresServer, postgresAccess } from './postgres-server.ts';
import { giveTo, openPrivateServer, serverOwner } from './private-server.ts';

/**
 * Starts a standby of a private PostgreSQL, made from its files, which follows it over the network; about two seconds. It ends with this process even without
 * `stop`.
 */
export async function startStandby(primary: PostgresFacts): Promise<Omit<PostgresServer, 'kill'>> {
  const owner = serverOwner('postgres');
  const server = openPrivateServer('dray-standby-', owner, 'QUIT');
  const data = join(server.folder, 'data');
  const program = await copyWhileServing(primary, data);
  for (const name of ['postmaster.pid', 'postmaster.opts']) rmSync(join(data, name), { force: true });
  writeFileSync(join(data, 'standby.signal'), '');
  giveTo(owner, join(data, 'standby.signal'));

  const { host, user, password } = primary;
  const port = await freePort();
  const all: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    fsync: 'off',
    wal_receiver_status_interval: '1',
    primary_conninfo: `host=${host} port=${primary.port} user=${user} password=${password}`,
  };
  server.begin({
    prepare: ['true'],
    serve: [program, '-D', 'data', ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
  });
  const url = `postgres://${user}:${password}@${host}:${port}/postgres`;
  await answeringPostgres('the standby', server, url);
  return {
    ...postgresAccess({ host, port, user, password, url }),
    async stop() {
      await server.stop();
    },
  };
}

/** Copies the files of a server that goes on working. @returns path of its program */
async function copyWhileServing(primary: PostgresFacts, to: string): Promise<string> {
  const client = new pg.Client({ connectionString: primary.url });
  await client.connect();
  try {
    const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
    const from = rows[0]!.data_directory;
    await client.query("SELECT pg_backup_start('standby', true)");
    execFileSync('cp', ['-a', from, to]);
    const stopped = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)');
    writeFileSync(join(to, 'backup_label'), stopped.rows[0]!.labelfile);
    giveTo(serverOwner('postgres'), join(to, 'backup_label'));
    const [pid] = readFileSync(join(from, 'postmaster.pid'), 'utf8').split('\n');
    return readlinkSync(`/proc/${pid}/exe`);
  } finally {
    await client.end();
  }
}
