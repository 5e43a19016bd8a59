import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';

/** A row as COPY prints it: all columns, exact, the id first. */
export type CopyLine = string;

/**
 * The rows of a table in the order of their ids, some at a time. COPY escapes line feeds, so that each line is a row; bytes are kept as
 * latin1, because they are only compared.
 */
export async function* tableRows(url: string, table: string): AsyncGenerator<CopyLine[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const stream = client.query(copyTo(`COPY (SELECT * FROM ${table} ORDER BY id) TO STDOUT`, { highWaterMark: 1 << 20 }));
  try {
    let rest = '';
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      const lines = (rest + chunk.toString('latin1')).split('\n');
      rest = lines.pop() ?? '';
      if (lines.length > 0) yield lines;
    }
    if (rest !== '') throw new Error(`The server ended the rows of ${table} in the middle of one.`);
  } finally {
    stream.destroy();
    await client.end();
  }
}
