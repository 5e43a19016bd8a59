import type { Socket } from 'node:net';
import mysql, { type ConnectionOptions as DriverOptions, type RowDataPacket } from 'mysql2';

const connectTimeoutMs = 5000;
const answerTimeoutMs = 8000;

/**
 * Runs one statement on a connection opened for it alone; rows as arrays of texts. Rejects with what the server said (`errno`), or after eight seconds.
 * @param options those of the session that is asked about
 */
export async function askAside(options: DriverOptions, sql: string): Promise<string[][]> {
  const connection = mysql.createConnection({ ...options, connectTimeout: connectTimeoutMs });
  connection.on('error', () => undefined);
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<string[][]>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error('the server does not answer')), answerTimeoutMs);
      connection.query<RowDataPacket[]>({ sql, rowsAsArray: true, typeCast: (field) => field.string() }, (error, rows) =>
        error === null ? resolve(rows as unknown as string[][]) : reject(error),
      );
    });
  } finally {
    clearTimeout(timer);
    (connection as unknown as { stream: Socket }).stream.destroy();
  }
}
