import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { expectFault } from '../support/faults.ts';
import { startMariadb } from '../support/mariadb-server.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { serverOwner } from '../support/private-server.ts';
import { providedMariadb, providedPostgres } from '../support/provided-servers.ts';
import { type DrayResult, runDray, writeJob } from '../support/run-dray.ts';
import { mysqlDatabase, postgresDatabase, readerOf, type TestDatabase, writerOf } from '../support/sql.ts';
import { tempFolder } from '../support/temp-folder.ts';

let certificates: Certificates;
const stops: (() => Promise<void>)[] = [];

/** Which names the certificate of a server is for. */
type Names = 'address' | 'localhost' | 'elsewhere';
const alternatives: Record<Names, string[]> = {
  address: ['IP:127.0.0.1'],
  localhost: ['DNS:localhost'],
  elsewhere: ['DNS:db.example.com', 'IP:192.0.2.1'],
};
const servers: Record<'postgres' | 'mysql', Partial<Record<Names, TestDatabase>>> = { postgres: {}, mysql: {} };
const plain: Record<'postgres' | 'mysql', TestDatabase> = {} as never;

async function startSecure(names: Names): Promise<void> {
  const forPostgres = certificates.issue(`postgres-${names}`, alternatives[names], serverOwner('postgres'));
  const forMariadb = certificates.issue(`mariadb-${names}`, alternatives[names], serverOwner('mysql'));
  const [postgres, mariadb] = await Promise.all([
    startPostgres({ settings: { ssl: 'on', ssl_cert_file: forPostgres.cert, ssl_key_file: forPostgres.key } }),
    startMariadb({
      settings: [
        `--ssl-cert=${forMariadb.cert}`,
        `--ssl-key=${forMariadb.key}`,
        `--ssl-ca=${certificates.ca}`,
        '--require-secure-transport=0',
      ],
    }),
  ]);
  stops.push(postgres.stop, mariadb.stop);
  await postgres.createDatabase('tls');
  servers.postgres[names] = postgresDatabase(postgres, 'tls');
  servers.mysql[names] = mysqlDatabase(mariadb, await mariadb.createDatabase('tls'));
  for (const { sql } of [servers.postgres[names], servers.mysql[names]])
    await sql('CREATE TABLE t (v varchar(99))', "INSERT INTO t VALUES ('secure')");
}

beforeAll(async () => {
  certificates = makeCertificates();
  plain.postgres = postgresDatabase(providedPostgres(), 'postgres');
  plain.mysql = mysqlDatabase(providedMariadb(), 'mysql');
  for (const names of ['address', 'localhost', 'elsewhere'] as const) await startSecure(names);
});

afterAll(async () => {
  await Promise.all(stops.map((stop) => stop()));
  certificates.remove();
});

const sink = { name: 'streamwriter', parameter: {} };

function run(reader: object, writer: object): Promise<DrayResult> {
  return runDray(['run', '--json', '--channels', '1', writeJob(tempFolder(), { job: { content: [{ reader, writer }] } })]);
}

describe.each(['postgres', 'mysql'] as const)('%s', (kind) => {
  /** Reads by an address or a name, with these TLS options; the row says whether the connection was encrypted. */
  function read(names: Names, tls: unknown, host = '127.0.0.1'): Promise<DrayResult> {
    const database = servers[kind][names]!;
    const cipher =
      kind === 'postgres'
        ? '(SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid())'
        : "(SELECT IF(VARIABLE_VALUE = '', 'false', 'true') FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'SSL_CIPHER')";
    const connection = [{ jdbcUrl: [database.jdbcUrl.replace('127.0.0.1', host)], table: ['t'] }];
    return run(readerOf(database, 't', { tls, connection, column: ['v', cipher] }), sink);
  }

  function expectRead({ exitCode, stderr }: DrayResult, isEncrypted: boolean): void {
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: `secure\t${isEncrypted}\n` });
  }

  test('without "tls" the connection is plain', async () => {
    expectRead(await read('address', false), false);
  });

  test('a certificate of an unknown authority is refused, on both sides', async () => {
    expectFault(await read('address', true), { exitCode: 3, code: 'TLS_FAILED', says: 'no trusted TLS connection' });
    const source = { name: 'streamreader', parameter: { column: [{ value: 'a' }], sliceRecordCount: 1 } };
    expectFault(await run(source, writerOf(servers[kind].address!, 't', { tls: true })), { exitCode: 4, code: 'TLS_FAILED' });
  });

  test('the same certificate is trusted when its authority is named, by address and by name', async () => {
    expectRead(await read('address', { ca: certificates.ca }), true);
    expectRead(await read('localhost', { ca: certificates.ca }, 'localhost'), true);
  });

  test('a trusted authority is not enough: the certificate must be for this host', async () => {
    for (const [names, host] of [
      ['elsewhere', '127.0.0.1'],
      ['elsewhere', 'localhost'],
      ['localhost', '127.0.0.1'],
    ] as const) {
      expectFault(await read(names, { ca: certificates.ca }, host), { exitCode: 3, code: 'TLS_FAILED' });
    }
  });

  test('"servername" says which other name the certificate is for', async () => {
    for (const host of ['127.0.0.1', 'localhost']) {
      expectRead(await read('elsewhere', { ca: certificates.ca, servername: 'db.example.com' }, host), true);
      expectFault(await read('elsewhere', { ca: certificates.ca, servername: 'other.example.com' }, host), {
        exitCode: 3,
        code: 'TLS_FAILED',
      });
    }
  });

  test('"verify": false encrypts, and accepts any certificate', async () => {
    expectRead(await read('elsewhere', { verify: false }), true);
  });

  test('the parameter of the JDBC URL asks for TLS as well, and verifies', async () => {
    const { jdbcUrl } = servers[kind].address!;
    const connection = [{ jdbcUrl: [`${jdbcUrl}?${kind === 'postgres' ? 'sslmode=require' : 'useSSL=true'}`], table: ['t'] }];
    expectFault(await run(readerOf(servers[kind].address!, 't', { connection }), sink), { exitCode: 3, code: 'TLS_FAILED' });
  });

  test('a server without TLS is refused when TLS is asked for, and the password does not travel', async () => {
    for (const tls of [true, { verify: false }]) {
      expectFault(await run(readerOf(plain[kind], 'x', { tls }), sink), { exitCode: 3, code: 'TLS_FAILED' });
    }
  });
});
