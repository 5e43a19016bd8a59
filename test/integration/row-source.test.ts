import { beforeAll, expect, test, vi } from 'vitest';
import { BatchBuilder, type RecordBatch, type RecordOutput, type Schema } from '../../core/sdk/index.ts';
import { connectFirst } from '../../plugins/mysql/connection.ts';
import reader from '../../plugins/mysql/reader.ts';
import { type RowSource, rowSource, streamRows } from '../../plugins/mysql/row-stream.ts';
import { openReader } from '../../plugins/mysql/table-reader.ts';
import { describeField, type ResultField } from '../../plugins/mysql/types.ts';
import { providedMariadb } from '../support/provided-servers.ts';
import { mysqlDatabase, type TestDatabase } from '../support/sql.ts';
import { until } from '../support/until.ts';

const context = { run: 'test', job: 'test', warn: () => undefined, print: () => undefined, signal: new AbortController().signal };
let database: TestDatabase;

beforeAll(async () => {
  database = mysqlDatabase(providedMariadb(), await providedMariadb().createDatabase('row_source'));
  await database.sql(
    `CREATE TABLE odd (id int PRIMARY KEY, word longtext, raw longblob, bits bit(12), big bigint unsigned, filled int(8) zerofill,
       amount decimal(20, 5), single float, at timestamp(6) NULL, day date, hours time(3), json json)`,
    `INSERT INTO odd VALUES
       (1, 'tab\\there \\\\ back\\nnew \\r\\0 漢 😀', UNHEX('00ff5c090a0d'), b'101', 18446744073709551615, 42, -1.50000, 0.1, '2026-01-02 03:04:05.6', '0000-00-00', '-838:59:59', '{"a": [1]}'),
       (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
       (3, '', '', b'0', 0, 0, 0, 0, '2026-01-02 03:04:05', '2026-01-01', '00:00:00', 'null')`,
    // Lengths around each step of the length prefix: 250, 251, 65535, 65536, 16 MB and more.
    ...[250, 251, 252, 255, 256, 257, 65_535, 65_536, 16_777_100, 16_777_300].map(
      (length, index) =>
        `INSERT INTO odd (id, word, raw) VALUES (${100 + index}, REPEAT('x\\\\', ${Math.ceil(length / 2)}), REPEAT('y', ${Math.min(length, 70_000)}))`,
    ),
    ...[1, 2, 3].map(
      () =>
        'INSERT INTO odd (id, word) SELECT seq + (SELECT MAX(id) FROM odd AS o), REPEAT(CHAR(65 + seq % 26), seq % 300) FROM seq_1_to_3000',
    ),
  );
});

/** Everything a query delivers by one of the two ways: bytes and rows of each batch. */
async function read(
  source: RowSource,
  limits: { maxBytes: number; maxRows: number },
): Promise<{ bytes: Buffer; rowCount: number; batches: number }> {
  const options = reader.options.parse({
    username: database.user,
    password: database.password,
    connection: [{ jdbcUrl: database.jdbcUrl, table: 'odd' }],
  });
  const planner = openReader(options as Parameters<typeof openReader>[0], context);
  const schema: Schema = await planner.schema();
  await planner.close?.();
  const session = await connectFirst([database.jdbcUrl], options as never, { role: 'reader', signal: context.signal });
  const builder = new BatchBuilder(schema, limits);
  const batches: { bytes: Buffer; rowCount: number }[] = [];
  const send = async (batch: RecordBatch | undefined) => {
    if (batch !== undefined) batches.push({ bytes: Buffer.from(batch.bytes), rowCount: batch.rowCount });
    // As a channel that is full for a moment.
    await new Promise((resolve) => setImmediate(resolve));
  };
  const out: RecordOutput = {
    schema,
    builder,
    push: () => true,
    drain: () => send(builder.take()),
    flush: () => send(builder.take()),
    send,
    reject: (fault) => {
      throw fault;
    },
  };
  const forms = await new Promise<ReturnType<typeof describeField>['form'][]>((resolve, reject) => {
    session.connection.query({ sql: 'SELECT * FROM odd LIMIT 0', rowsAsArray: true }, (error, _rows, fields) =>
      error === null ? resolve((fields as unknown as ResultField[]).map((field) => describeField(field).form)) : reject(error),
    );
  });
  await streamRows(session, 'SELECT * FROM odd ORDER BY id', out, { forms, source });
  await out.flush();
  await session.close();
  return {
    bytes: Buffer.concat(batches.map(({ bytes }) => bytes)),
    rowCount: batches.reduce((sum, one) => sum + one.rowCount, 0),
    batches: batches.length,
  };
}

test.each([
  { maxBytes: 1 << 20, maxRows: 65_536 },
  { maxBytes: 1000, maxRows: 7 },
])('raw packets and the public arrays of the driver give the same bytes, in batches of %j', async (limits) => {
  const packets = await read('packets', limits);
  const arrays = await read('arrays', limits);
  expect(packets.rowCount).toBe(9013);
  expect(arrays.rowCount).toBe(9013);
  expect(packets.batches).toBeGreaterThan(1);
  // Not toEqual: a difference of 50 MB takes minutes to print.
  expect(packets.bytes.equals(arrays.bytes)).toBe(true);
  const first = packets.bytes.subarray(0, packets.bytes.indexOf('\n')).toString();
  expect(first.split('\t').slice(0, 6)).toEqual([
    '1',
    'tab\\there \\\\ back\\nnew \\r\0 漢 😀',
    '\\\\x00ff5c090a0d',
    '000000000101',
    '18446744073709551615',
    '42',
  ]);
});

test('this version of the driver works with packets, so that the fast way is the one in use', async () => {
  const session = await connectFirst(
    [database.jdbcUrl],
    { username: database.user, password: database.password, tls: false },
    { role: 'reader', signal: context.signal },
  );
  expect(await rowSource(session)).toBe('packets');
  await session.close();
});

test('a session that ends while it is asked says nothing of the driver: the next one is asked again', async () => {
  vi.resetModules();
  const fresh = await import('../../plugins/mysql/row-stream.ts');
  const connect = () =>
    connectFirst(
      [database.jdbcUrl],
      { username: database.user, password: database.password, tls: false },
      { role: 'reader', signal: context.signal },
    );
  const [lost, next] = await Promise.all([connect(), connect()]);
  await database.sql(`KILL ${lost.connection.threadId}`);
  await expect(fresh.rowSource(lost)).rejects.toThrow();
  // Its loss may have arrived before, or come then. When it has, whatever is asked is told at once.
  await until('the loss has arrived', 10_000, async () => expect(lost.isOpen).toBe(false));
  await expect(fresh.rowSource(lost)).rejects.toThrow('closed state');
  expect(await fresh.rowSource(next)).toBe('packets');
  await next.close();
});

test.each(['packets', 'arrays'] as const)('a statement that fails in the middle rejects (%s)', async (source) => {
  const session = await connectFirst(
    [database.jdbcUrl],
    { username: database.user, password: database.password, tls: false },
    { role: 'reader', signal: context.signal },
  );
  const schema: Schema = { columns: [{ name: 'n', type: 'integer', isNullable: true }] };
  const builder = new BatchBuilder(schema, { maxBytes: 1000, maxRows: 10 });
  const take = async () => void builder.take();
  const out: RecordOutput = { schema, builder, push: () => true, drain: take, flush: take, send: take, reject: () => undefined };
  const failing = 'SELECT IF(seq < 500, seq, (SELECT seq FROM seq_1_to_2)) FROM seq_1_to_1000';
  await expect(streamRows(session, failing, out, { forms: ['plain'], source })).rejects.toThrow('Subquery returns more than 1 row');
  await session.close();
});
