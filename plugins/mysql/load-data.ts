import { Readable } from 'node:stream';
import { DrayError, type PluginContext } from 'dray/sdk';
import type { ResultSetHeader } from 'mysql2';
import { quoteName, type Session } from './connection.ts';
import type { BatchSink, Loading } from './loading.ts';
import { valueExpression } from './value-expression.ts';
import { refuseWarnings } from './warnings.ts';
import type { MysqlWriterOptions } from './writer.ts';

/**
 * LOAD DATA LOCAL INFILE, the bytes of the batch as they are. LOCAL makes the server turn duplicate keys and bad values into warnings, and
 * skip or bend the row; so the batch only counts if every row was taken without one.
 * https://mariadb.com/kb/en/load-data-infile/
 */
export function loadBatches({ session, table, source, target, mode }: Loading): BatchSink {
  const assignments: string[] = [];
  const fields = target.columns.map((column, index) => {
    const variable = `@c${index}`;
    const expression = valueExpression(source.columns[index]!, column, variable);
    if (expression === undefined) return quoteName(column.name);
    assignments.push(`${quoteName(column.name)} = ${expression}`);
    return variable;
  });
  // One message for both, so that the server waits for one round trip less; tables that are loaded like this can always roll back.
  const sql = `SAVEPOINT batch; LOAD DATA LOCAL INFILE 'batch' ${mode === 'replace' ? 'REPLACE ' : ''}INTO TABLE ${table} CHARACTER SET utf8mb4
    FIELDS TERMINATED BY '\\t' ENCLOSED BY '' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' STARTING BY ''
    (${fields.join(', ')})${assignments.length === 0 ? '' : ` SET ${assignments.join(', ')}`}`;
  return async (bytes, rowCount) => {
    const result = await session.execute(sql, {
      infileStreamFactory: () => Readable.from([bytes], { objectMode: false, highWaterMark: bytes.length }),
    });
    await refuseWarnings(session, result);
    const { records, skipped } = countsOf(result);
    if (records === rowCount && skipped === 0) return;
    // Cannot happen without a warning, by the manual; if it does, rows would be lost.
    throw new Error(`the server says it took ${records - skipped} of ${rowCount} rows, without a warning`);
  };
}

/** "Records: 3  Deleted: 0  Skipped: 1  Warnings: 1" */
function countsOf({ info }: ResultSetHeader): { records: number; skipped: number } {
  const count = (label: string) => Number(new RegExp(`${label}: (\\d+)`).exec(info)?.[1] ?? Number.NaN);
  return { records: count('Records'), skipped: count('Skipped') };
}

/** Rows that update others need ON DUPLICATE KEY, which LOAD DATA does not have. */
export async function usesLoadData(session: Session, { load, writeMode }: MysqlWriterOptions, context: PluginContext): Promise<boolean> {
  if (load === 'insert' || writeMode === 'update') return false;
  const [row] = await session.query('SELECT @@local_infile');
  const isAllowed = row?.[0] === '1';
  if (isAllowed) return true;
  if (load === 'local-infile') {
    throw new DrayError('PERMISSION_DENIED', 'the server forbids LOAD DATA LOCAL, which "load" asks for', {
      remedy: 'SET GLOBAL local_infile = 1 at the server, or use "load": "auto".',
    });
  }
  context.warn('the server forbids LOAD DATA LOCAL (local_infile = 0): rows are sent as INSERT statements, at about half the speed');
  return false;
}
