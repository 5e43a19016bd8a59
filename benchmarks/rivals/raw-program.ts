/*
 * The bytes of a haul through the drivers that dray uses, and nothing else: what no engine can be faster than. `node raw-program.js`, with a
 * RawOrder as JSON in DRAY_BENCH_RAW.
 */
import { createReadStream } from 'node:fs';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export type RawWork = 'copy' | 'copy-out' | 'rows' | 'load';

export interface RawOrder {
  readonly work: RawWork;
  /** Of the databases `source` and `target`. */
  readonly source: string;
  readonly target: string;
  readonly table: string;
  /** How many rows there are; another number is an error. */
  readonly rows: number;
  /** What `load` loads. */
  readonly file?: string;
}

async function withPostgres<T>(url: string, work: (client: import('pg').Client) => Promise<T>): Promise<T> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function copy({ source, target, table }: RawOrder): Promise<number> {
  const { from, to } = await import('pg-copy-streams');
  return withPostgres(source, (reader) =>
    withPostgres(target, async (writer) => {
      const into = writer.query(from(`COPY ${table} FROM STDIN`));
      await pipeline(reader.query(to(`COPY ${table} TO STDOUT`)), into);
      return into.rowCount;
    }),
  );
}

async function copyOut({ source, table }: RawOrder): Promise<number> {
  const { to } = await import('pg-copy-streams');
  return withPostgres(source, async (reader) => {
    const from = reader.query(to(`COPY ${table} TO STDOUT`));
    await pipeline(from, new Writable({ write: (_chunk, _encoding, done) => done() }));
    return from.rowCount;
  });
}

async function rows({ source, table }: RawOrder): Promise<number> {
  const { createConnection } = await import('mysql2');
  // As dray reads: the texts of the server, as bytes.
  const connection = createConnection({ uri: source, charset: 'utf8mb4', rowsAsArray: true, typeCast: false });
  try {
    return await new Promise((fulfil, reject) => {
      let count = 0;
      connection
        .query(`SELECT * FROM ${table}`)
        .on('result', () => count++)
        .on('error', reject)
        .on('end', () => fulfil(count));
    });
  } finally {
    connection.end();
  }
}

async function load({ target, table, file = '' }: RawOrder): Promise<number> {
  const { createConnection } = await import('mysql2/promise');
  const connection = await createConnection({ uri: target, charset: 'utf8mb4' });
  try {
    await connection.query("SET time_zone = '+00:00'");
    const [{ affectedRows }] = await connection.query<import('mysql2').ResultSetHeader>({
      sql: `LOAD DATA LOCAL INFILE 'rows' INTO TABLE ${table} CHARACTER SET binary`,
      infileStreamFactory: () => createReadStream(file, { highWaterMark: 1 << 20 }),
    });
    return affectedRows;
  } finally {
    await connection.end();
  }
}

const order = JSON.parse(process.env.DRAY_BENCH_RAW ?? '{}') as RawOrder;
const moved = await { copy, 'copy-out': copyOut, rows, load }[order.work](order);
if (moved !== order.rows) throw new Error(`moved ${moved} rows instead of ${order.rows}`);
