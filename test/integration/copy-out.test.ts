import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BinaryForm, RecordBatch, Schema } from '../../core/sdk/index.ts';
import { ChannelOutput } from '../../core/task/output.ts';
import { Channel } from '../../core/transport/channel.ts';
import { RateLimit } from '../../core/transport/rate-limit.ts';
import { copyOut } from '../../plugins/postgres/copy-out.ts';
import { providedPostgres } from '../support/provided-servers.ts';
import { postgresDatabase, type TestDatabase } from '../support/sql.ts';
import { until } from '../support/until.ts';

/** How the server's bytes are cut: the size of the next piece. */
type Cut = () => number;

const schema: Schema = {
  columns: [
    { name: 'id', type: 'integer', isNullable: true },
    { name: 'word', type: 'string', isNullable: true },
  ],
};
const forms: readonly BinaryForm[] = ['int4', 'text'];
let database: TestDatabase;

beforeAll(async () => {
  await providedPostgres().createDatabase('copy_out');
  database = postgresDatabase(providedPostgres(), 'copy_out');
  await database.sql(
    'CREATE TABLE source (id int, word text)',
    'INSERT INTO source SELECT i, CASE WHEN i % 7 = 0 THEN NULL ELSE repeat(chr(9 + i % 300), i % 120) END FROM generate_series(1, 1000) i',
    'CREATE TABLE nothing (id int, word text)',
    "CREATE TABLE big AS SELECT i AS id, repeat(i || ' word ', 700000) AS word FROM generate_series(1, 3) i",
  );
});

/** Numbers from 1 to `most`, the same each time. */
function cutsOfUpTo(most: number): Cut {
  let state = 7;
  return () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return 1 + ((state >> 8) % most);
  };
}

const open: (() => void)[] = [];
afterAll(() => {
  for (const close of open) close();
});

/** A connection whose bytes from the server come in pieces, each as a chunk of its own. */
async function connectCut(cut: Cut | undefined): Promise<pg.Client> {
  const server = createServer({ noDelay: true }, (client) => {
    const onward = createConnection({ host: database.host, port: database.port, noDelay: true });
    client.pipe(onward);
    onward.pipe(client);
    for (const socket of [client, onward])
      socket.on('error', () => undefined).on('close', () => [client, onward].map((one) => one.destroy()));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { host, port } = { host: '127.0.0.1', port: (server.address() as { port: number }).port };
  const client = new pg.Client({
    host,
    port,
    user: database.user,
    password: database.password,
    database: database.name,
    application_name: 'cut',
  });
  await client.connect();
  // Here, and not at the proxy: the kernel would put the pieces together again.
  if (cut !== undefined) {
    const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
    const emit = stream.emit.bind(stream) as (name: string, ...given: unknown[]) => boolean;
    stream.emit = ((name: string, ...given: unknown[]) => {
      if (name !== 'data') return emit(name, ...given);
      let rest = given[0] as Buffer;
      while (rest.length > 0) {
        const size = cut();
        const piece = Buffer.from(rest.subarray(0, size));
        rest = rest.subarray(size);
        // A reader that has paused gets what is left when it goes on, as node would do it.
        if (stream.isPaused()) {
          stream.unshift(Buffer.concat([piece, rest]));
          return true;
        }
        emit(name, piece);
      }
      return true;
    }) as typeof stream.emit;
  }
  open.push(() => {
    void client.end().catch(() => undefined);
    server.close();
  });
  return client;
}

interface Reading {
  readonly client: pg.Client;
  readonly select: string;
  readonly isBinary?: boolean;
  readonly maxRows?: number;
  readonly maxBytes?: number;
}

/** All that comes out, batch by batch. */
async function read({ client, select, isBinary = false, maxRows = 100, maxBytes = 1 << 16 }: Reading) {
  const { signal } = new AbortController();
  const channel = new Channel(
    { maxBytes: 1 << 18, maxBatches: 3 },
    new RateLimit({ bytesPerSecond: 0, recordsPerSecond: 0 }, new SharedArrayBuffer(16)),
    signal,
  );
  const batches: { bytes: string; rows: number }[] = [];
  const out = new ChannelOutput(schema, { maxBytes, maxRows, forms: isBinary ? { layout: 'binary', forms } : undefined }, channel, {
    batch: (batch: RecordBatch) => batch,
    reject: (fault) => {
      throw fault;
    },
  });
  const taking = (async () => {
    for (let batch = await channel.next(); batch !== undefined; batch = await channel.next()) {
      expect(batch.rowEnds).toHaveLength(batch.rowCount);
      batches.push({ bytes: batch.bytes.toString('latin1'), rows: batch.rowCount });
      out.reuse(batch);
    }
  })();
  await copyOut(client, select, out, signal);
  await out.flush();
  channel.end();
  await taking;
  return { bytes: batches.map(({ bytes }) => bytes).join(''), rows: batches.map(({ rows }) => rows) };
}

const total = (rows: readonly number[]) => rows.reduce((sum, one) => sum + one, 0);

describe.each([false, true])('COPY … TO STDOUT (binary: %s)', (isBinary) => {
  test.each([
    ['single bytes', cutsOfUpTo(1)],
    ['1 to 20 bytes', cutsOfUpTo(20)],
    ['1 to 300 bytes', cutsOfUpTo(300)],
  ])('is the same in pieces of %s', async (_what, cut) => {
    const whole = await connectCut(undefined);
    const pieces = await connectCut(cut);
    for (const select of ['SELECT * FROM source ORDER BY id', 'SELECT * FROM nothing']) {
      const expected = await read({ client: whole, select, isBinary });
      const found = await read({ client: pieces, select, isBinary });
      expect([found.bytes === expected.bytes, total(found.rows)]).toEqual([true, select.includes('nothing') ? 0 : 1000]);
    }
    // The connection is pg's own again.
    expect((await pieces.query('SELECT count(*)::int AS n FROM source')).rows).toEqual([{ n: 1000 }]);
  });

  test.each([1, 3])('makes no batch of more than %d rows', async (maxRows) => {
    const client = await connectCut(cutsOfUpTo(500));
    const { rows } = await read({ client, select: 'SELECT * FROM source', isBinary, maxRows });
    expect([Math.max(...rows), total(rows)]).toEqual([maxRows, 1000]);
  });

  test('brings rows that are bigger than a batch', async () => {
    const client = await connectCut(cutsOfUpTo(70_000));
    const { bytes, rows } = await read({ client, select: 'SELECT * FROM big ORDER BY id', isBinary, maxBytes: 4096 });
    expect(rows).toEqual([1, 1, 1]);
    for (const number of [1, 2, 3]) expect(bytes).toContain(`${number} word `.repeat(700_000));
  });

  test('whose late row fails rejects with what the server says, and the connection is of use', async () => {
    const client = await connectCut(cutsOfUpTo(400));
    const select = 'SELECT 1 / (900 - id), word FROM source ORDER BY id';
    await expect(read({ client, select, isBinary })).rejects.toMatchObject({ code: '22012', message: 'division by zero' });
    expect((await read({ client, select: 'SELECT * FROM source', isBinary })).rows).not.toEqual([]);
  });

  test('whose session is ended in the middle rejects', async () => {
    const client = await connectCut(undefined);
    client.on('error', () => undefined);
    const reading = read({ client, select: 'SELECT id, word || pg_sleep(0.002) FROM source', isBinary });
    reading.catch(() => undefined);
    const end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cut' AND query LIKE 'COPY%pg_sleep%'";
    await until('it is ended', 10_000, async () => expect(await database.sql(end)).toHaveLength(1));
    await expect(reading).rejects.toThrow(/terminat/);
  });
});
