import { DrayError, type RecordBatch, type Schema } from 'dray/sdk';
import { quoteName } from './connection.ts';
import type { BatchSink, Loading } from './loading.ts';
import { valueExpression } from './value-expression.ts';
import { refuseWarnings } from './warnings.ts';

/** Room left in a packet for the head of the statement. */
const statementRoom = 64 * 1024;

/**
 * INSERT (or REPLACE, or INSERT … ON DUPLICATE KEY UPDATE) of many rows, as literals: for servers that forbid LOAD DATA LOCAL, and for
 * updates. Packed cells need no unescaping: the four escapes of a batch mean the same in a text literal, and only quotes are added.
 */
export async function insertBatches({ session, table, source, target, mode, isRowByRow }: Loading): Promise<BatchSink> {
  const names = target.columns.map(({ name }) => quoteName(name)).join(', ');
  const head = `${mode === 'replace' ? 'REPLACE' : 'INSERT'} INTO ${table} (${names}) VALUES\n`;
  const changes = target.columns.map(({ name }) => `${quoteName(name)} = VALUES(${quoteName(name)})`);
  const tail = mode === 'update' ? `\nON DUPLICATE KEY UPDATE ${changes.join(', ')}` : '';
  const literal = literals(source, target);
  const [limit] = await session.query('SELECT @@max_allowed_packet');
  const maxBytes = Math.min(Number(limit?.[0]), 4 * 1024 * 1024) - statementRoom;
  const write = async (batch: RecordBatch) => {
    const { rowCount } = batch;
    // Nothing of a batch may remain when it is refused; without rollback that holds for one row only, and the framework goes down to it.
    if (isRowByRow && rowCount > 1) throw new DrayError('ROW_REJECTED', 'rows go to this table one by one');
    if (!isRowByRow) await session.execute('SAVEPOINT batch');
    let values: string[] = [];
    let size = 0;
    const flush = async () => {
      if (values.length === 0) return;
      const result = await session.execute(`${head}${values.join(',\n')}${tail}`);
      values = [];
      size = 0;
      await refuseWarnings(session, result).catch((fault: unknown) => {
        throw isRowByRow ? cannotUndo(table, fault) : fault;
      });
    };
    for (let row = 0; row < rowCount; row++) {
      const text = literal(batch, row);
      const textBytes = Buffer.byteLength(text);
      if (size + textBytes > maxBytes) await flush();
      values.push(text);
      size += textBytes + 2;
    }
    await flush();
  };
  return { write };
}

/** The row is there, bent; to call it a dirty record would be a lie. */
function cannotUndo(table: string, cause: unknown): DrayError {
  return new DrayError('SQL_FAILED', `${table} took a row with a warning (${(cause as Error).message}), and its engine cannot undo that`, {
    cause,
    remedy: 'Change the table to InnoDB, or mend the row at the source.',
  });
}

/** A function that writes one row of a batch as `(…, …)`. */
function literals({ columns }: Schema, target: Schema): (batch: RecordBatch, row: number) => string {
  const makers = columns.map((column, index) => {
    const probe = valueExpression(column, target.columns[index]!, '\0');
    return probe === undefined ? (text: string) => text : (text: string) => probe.replaceAll('\0', () => text);
  });
  return (batch, row) => {
    const start = batch.cellStart(row, 0);
    const cells = batch.bytes.toString('utf8', start, batch.cellEnd(row, columns.length - 1)).split('\t');
    const values = cells.map((cell, index) => makers[index]!(cell === '\\N' ? 'NULL' : `'${cell.replaceAll("'", "''")}'`));
    return `(${values.join(', ')})`;
  };
}
