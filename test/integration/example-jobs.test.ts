import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { providedMariadb, providedPostgres } from '../support/provided-servers.ts';
import { type DrayResult, runDray } from '../support/run-dray.ts';
import { type S3Server, startS3 } from '../support/s3-server.ts';
import { allRows, makeShards } from '../support/shard-source.ts';
import { mysqlDatabase, postgresDatabase, type TestDatabase } from '../support/sql.ts';
import { type SshdServer, startSshd } from '../support/sshd-server.ts';
import { tempFolder } from '../support/temp-folder.ts';

const jobs = join(import.meta.dirname, '..', '..', 'jobs');
let postgres: TestDatabase;
let mysql: TestDatabase;
let sshd: SshdServer;
let s3: S3Server;
let bucket: string;

beforeAll(async () => {
  [sshd, s3] = await Promise.all([startSshd(), startS3()]);
  bucket = await s3.createBucket('examples');
  await providedPostgres().createDatabase('example_jobs');
  postgres = postgresDatabase(providedPostgres(), 'example_jobs');
  mysql = mysqlDatabase(providedMariadb(), await providedMariadb().createDatabase('example_jobs'));
  const orders =
    'CREATE TABLE orders (id int PRIMARY KEY, customer varchar(20), amount decimal(10, 2), placed_at timestamp, note varchar(50))';
  await postgres.sql(orders, 'CREATE TABLE events (id bigint, happened_at timestamp, what text, source text)');
  await mysql.sql(
    orders.replace('timestamp', 'datetime'),
    "INSERT INTO orders SELECT seq, CONCAT('customer ', seq), seq / 4, '2026-11-20 12:00:00' + INTERVAL seq MINUTE, NULL FROM seq_1_to_3000",
    "INSERT INTO orders VALUES (0, 'nobody', 0, '2026-11-20 12:00:00', 'left out by the condition')",
    ...Array.from(
      { length: 16 },
      (_, part) => `CREATE TABLE events_${String(part).padStart(2, '0')} AS SELECT ${part} AS id, NOW() AS at, 'it''s; "so"' AS what`,
    ),
  );
});

afterAll(async () => {
  await Promise.all([sshd?.stop(), s3?.stop()]);
});

const told = new Set<string>();

/** Runs an example with the variables that its first lines name. */
async function run(job: string, parameters: Record<string, string> = {}): Promise<DrayResult> {
  told.add(job);
  const text = readFileSync(join(jobs, job), 'utf8');
  const address = ({ host, port, name }: TestDatabase) => `${host}:${port}/${name}`;
  const all: Record<string, string> = {
    postgres: address(postgres),
    mysql: address(mysql),
    postgresUser: postgres.user,
    mysqlUser: mysql.user,
    sftpHost: sshd.host,
    sftpPort: String(sshd.port),
    sftpUser: sshd.user,
    knownHosts: sshd.knownHosts,
    s3: s3.endpoint,
    bucket,
    ...parameters,
  };
  const wanted = Object.entries(all).filter(([name]) => text.includes(`\${${name}}`));
  for (const [name] of wanted) expect(text.split('{\n')[0]).toContain(`-p ${name}=`);
  const result = await runDray(['run', '--json', join(jobs, job), ...wanted.flatMap(([name, value]) => ['-p', `${name}=${value}`])], {
    env: {
      PGPASSWORD: postgres.password,
      MYSQL_PWD: mysql.password,
      SFTP_KEY: readFileSync(sshd.privateKey, 'utf8'),
      FILE_KEY: 'ab'.repeat(32),
      SIGNATURE_KEY: 'a secret of both sides',
      S3_ID: s3.accessKeyId,
      S3_KEY: s3.secretAccessKey,
    },
  });
  expect({ exitCode: result.exitCode, state: result.report?.state, stderr: result.stderr }).toMatchObject({ exitCode: 0, state: 'done' });
  return result;
}

test('mysql-to-postgres.json moves a table', async () => {
  expect((await run('mysql-to-postgres.json')).report!.rows.written).toBe(3000);
  const sums = 'SELECT count(*), sum(id), sum(amount), min(placed_at), count(note) FROM orders WHERE amount > 0';
  expect(await postgres.sql(sums)).toEqual(await mysql.sql(sums));
});

test('postgres-to-mysql.json updates the rows of a day', async () => {
  await postgres.sql("UPDATE orders SET note = 'changed'");
  const { report } = await run('postgres-to-mysql.json', { day: '2026-11-21' });
  expect(report!.rows.written).toBe(1440);
  expect(await mysql.sql("SELECT count(*), min(date(placed_at)), max(date(placed_at)) FROM orders WHERE note = 'changed'")).toEqual([
    ['1440', '2026-11-21', '2026-11-21'],
  ]);
});

test('shards-to-postgres.json reads tables of several databases as one', async () => {
  const { prefix } = await makeShards('mysql', 'example_shards', 2);
  const key = 'PRIMARY KEY (id, _shard, _table)';
  await postgres.sql(`CREATE TABLE all_orders (id int, note text, _shard text, _table text, ${key})`);
  await run('shards-to-postgres.json', { prefix });
  const rows = await postgres.sql("SELECT id || '|' || note FROM all_orders");
  expect(rows.map(([row]) => row!).sort()).toEqual(allRows(2));
  expect(await postgres.sql('SELECT count(DISTINCT _shard), count(DISTINCT _table) FROM all_orders')).toEqual([['2', '3']]);
});

test('mysql-to-files.json writes packed files with a header, small tables together', async () => {
  const folder = join(tempFolder(), 'new');
  await run('mysql-to-files.json', { folder });
  const files = readdirSync(folder).filter((name) => name.endsWith('.gz'));
  expect(files.length).toBeLessThan(16);
  expect(readdirSync(folder)).toContain('_SUCCESS');
  const lines = files.map((file) =>
    gunzipSync(readFileSync(join(folder, file)))
      .toString()
      .trimEnd()
      .split('\n'),
  );
  expect(lines.map(([header]) => header)).toEqual(files.map(() => 'id,at,what'));
  const rows = lines.flatMap(([, ...rest]) => rest);
  expect(rows).toHaveLength(16);
  for (const row of rows) expect(row).toMatch(/^\d+,\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,"it's; ""so"""$/);
});

test('files-to-postgres.json loads files', async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'a.csv.gz'), gzipSync('id,at,what\n1,2026-11-21 01:02:03,one\n2,2026-11-21 00:00:00,"t,w""o"\n'));
  writeFileSync(join(folder, 'b.csv.gz'), gzipSync('id,at,what\n3,2026-11-22 00:00:00,three\n'));
  await run('files-to-postgres.json', { folder });
  expect(await postgres.sql('SELECT * FROM events ORDER BY id')).toEqual([
    ['1', '2026-11-21 01:02:03', 'one', 'files'],
    ['2', '2026-11-21 00:00:00', 't,w"o', 'files'],
    ['3', '2026-11-22 00:00:00', 'three', 'files'],
  ]);
});

test('postgres-to-files.json writes two tables', async () => {
  const folder = tempFolder();
  const { report } = await run('postgres-to-files.json', { folder });
  expect(report!.contents.map(({ state }) => state)).toEqual(['done', 'done']);
  const text = (start: string) =>
    readdirSync(folder)
      .filter((name) => name.startsWith(start) && !name.endsWith('.json'))
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .join('');
  // A scan may start in the middle of the table, where another one is.
  expect(text('orders__')).toMatch(/^id;customer;amount;source\n/);
  expect(text('orders__')).toContain('\n1;CUSTOMER 1;0.25;warehouse\n');
  expect(text('events__')).toContain('2026-11-21 01:02:03\tone\tfiles\n');
});

test('postgres-fan-out.json brings a table to two places', async () => {
  const folder = tempFolder();
  await mysql.sql('CREATE TABLE orders_archive (id int PRIMARY KEY, customer varchar(20), amount decimal(10, 2))');
  const { report } = await run('postgres-fan-out.json', { folder });
  expect(report!.contents[0]!.targets!.map(({ state }) => state)).toEqual(['done', 'done']);
  const sums = (table: string) => `SELECT count(*), sum(id), sum(amount), min(customer) FROM ${table}`;
  expect(await mysql.sql(sums('orders_archive'))).toEqual(await postgres.sql(sums('orders')));
  const lines = readdirSync(folder)
    .filter((name) => name.startsWith('orders') && !name.endsWith('.json'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').trimEnd().split('\n'))
    .filter((line) => line !== 'id,customer,amount');
  expect(lines).toHaveLength(report!.rows.read);
  expect(lines.join()).not.toContain('customer');
});

test('postgres-to-sftp.json and sftp-to-postgres.json bring a table to another site, encrypted, and nothing of it that was changed', async () => {
  const folder = `${sshd.root}/exchange/orders`;
  const all = 'SELECT * FROM orders ORDER BY id';
  const before = await postgres.sql(all);
  await run('postgres-to-sftp.json', { folder });
  await run('postgres-to-sftp.json', { folder });
  const data = readdirSync(folder).filter((name) => name.endsWith('.csv.zst.enc'));
  expect(readdirSync(folder)).toHaveLength(2 * data.length + 2);
  for (const name of data) expect(readFileSync(join(folder, name), 'latin1')).not.toContain('customer');
  await postgres.sql('UPDATE orders SET note = NULL, amount = 0');
  await run('sftp-to-postgres.json', { folder });
  expect(await postgres.sql(all)).toEqual(before);
});

test('mysql-to-s3.json and s3-to-mysql.json bring a table through Parquet in a bucket', async () => {
  await mysql.sql('CREATE TABLE orders_copy LIKE orders', "INSERT INTO orders_copy VALUES (1, 'older', 0, NULL, NULL)");
  await run('mysql-to-s3.json');
  await run('s3-to-mysql.json');
  expect(await mysql.sql('SELECT * FROM orders_copy ORDER BY id')).toEqual(await mysql.sql('SELECT * FROM orders ORDER BY id'));
});

test('stream-to-transfer-files.json makes files that can be verified', async () => {
  const folder = join(tempFolder(), 'transfer');
  await run('stream-to-transfer-files.json', { folder });
  const { exitCode, stdout } = await runDray(['files', 'verify', folder, '--json']);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ isGenuine: true, files: [{ rows: 1000 }, { rows: 1000 }] });
});

test('stream-to-stream.json prints rows', async () => {
  const { stderr } = await run('stream-to-stream.json');
  expect(stderr.match(/^\d+\thello\t[\d.e-]+\t2026-\d\d-\d\d \d\d:\d\d:\d\d/gm)).toHaveLength(10);
});

test('transformers.json changes rows on their way', async () => {
  const { stderr, report } = await run('transformers.json');
  expect(report?.rows).toEqual({ read: 5, written: 3, dirty: 0, filtered: 2 });
  expect(stderr.match(/^[123]\t.*Ann LEE/gm)).toHaveLength(3);
});

test('list-folder.json lists files as JSON lines, with plugins from outside', async () => {
  const folder = tempFolder();
  mkdirSync(join(folder, 'below', 'deeper'), { recursive: true });
  writeFileSync(join(folder, 'a'), '12345');
  writeFileSync(join(folder, 'below', 'deeper', 'b'), '');
  const output = join(folder, 'output');
  await run('list-folder.json', { folder, output });
  const lines = readdirSync(output).flatMap((name) => readFileSync(join(output, name), 'utf8').trim().split('\n').filter(Boolean));
  const rows = lines.map((line) => JSON.parse(line) as { path: string; size: string; modified: string });
  expect(new Map(rows.map(({ path, size }) => [path, size]))).toEqual(
    new Map([
      [join(folder, 'a'), '5'],
      [join(folder, 'below', 'deeper', 'b'), '0'],
    ]),
  );
  expect(rows[0]!.modified).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\+00$/);
});

test('the jobs of the demo are valid', async () => {
  const demos = readdirSync(jobs).filter((name) => name.startsWith('demo'));
  expect(demos.length).toBeGreaterThan(0);
  const parameters = ['port=5432', 'folder=/tmp'].flatMap((parameter) => ['-p', parameter]);
  const { exitCode, stderr } = await runDray(['check', '--offline', ...parameters, ...demos.map((name) => join(jobs, name))], {
    env: { DRAY_DEMO_PASSWORD: 'x' },
  });
  expect([exitCode, stderr]).toEqual([0, '']);
});

test('every other example job was run by a test above', () => {
  const examples = readdirSync(jobs).filter((name) => name.endsWith('.json') && !name.startsWith('demo'));
  expect([...told].sort()).toEqual(examples);
});
