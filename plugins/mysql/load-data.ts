import { DrayError, type PluginContext } from 'dray/sdk';
import type { ResultSetHeader } from 'mysql2';
import { quoteName, type Session } from './connection.ts';
import type { BatchSink, Loading } from './loading.ts';
import { LocalFile } from './local-file.ts';
import { valueExpression } from './value-expression.ts';
import { refuseWarnings } from './warnings.ts';
import type { MysqlWriterOptions } from './writer.ts';

/**
 * LOAD DATA LOCAL INFILE, the bytes of the batch as they are. LOCAL makes the server turn duplicate keys and bad values into warnings, and
 * skip or bend the row; so what was sent only counts if every row was taken without one.
 * https://mariadb.com/kb/en/load-data-infile/
 */
export function loadBatches({ session, table, source, target, mode, isStraight }: Loading): BatchSink {
  const assignments: string[] = [];
  const fields = target.columns.map((column, index) => {
    const variable = `@c${index}`;
    const expression = valueExpression(source.columns[index]!, column, variable);
    if (expression === undefined) return quoteName(column.name);
    assignments.push(`${quoteName(column.name)} = ${expression}`);
    return variable;
  });
  const load = `LOAD DATA LOCAL INFILE 'batch' ${mode === 'replace' ? 'REPLACE ' : ''}INTO TABLE ${table} CHARACTER SET utf8mb4
    FIELDS TERMINATED BY '\\t' ENCLOSED BY '' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' STARTING BY ''
    (${fields.join(', ')})${assignments.length === 0 ? '' : ` SET ${assignments.join(', ')}`}`;
  if (isStraight) return new StraightLoad(session, load);
  return {
    async write(bytes, rowCount) {
      const file = new LocalFile(session);
      // One message for both, so that the server waits for one round trip less; tables that are loaded like this can always roll back.
      const statement = session.execute(`SAVEPOINT batch; ${load}`, file);
      await Promise.race([file.write(bytes, statement).then(() => file.end()), statement]);
      await requireAll(session, await statement, rowCount);
    },
  };
}

/** All rows of a task by one statement, one batch behind the other: nobody waits for an answer before the end. */
class StraightLoad implements BatchSink {
  readonly #session: Session;
  readonly #sql: string;
  #file: LocalFile | undefined;
  #statement: Promise<ResultSetHeader> | undefined;
  #rows = 0;
  /** Answered, or failed. */
  #isOver = false;

  constructor(session: Session, sql: string) {
    this.#session = session;
    this.#sql = sql;
  }

  get isOpen(): boolean {
    return this.#file !== undefined && !this.#isOver;
  }

  async write(bytes: Buffer, rowCount: number): Promise<void> {
    this.#file ??= new LocalFile(this.#session);
    this.#statement ??= this.#begin(this.#file);
    this.#rows += rowCount;
    await this.#file.write(bytes, this.#statement);
  }

  #begin(file: LocalFile): Promise<ResultSetHeader> {
    const statement = this.#session.execute(this.#sql, file);
    const over = () => {
      this.#isOver = true;
    };
    statement.then(over, over);
    return statement;
  }

  async end(): Promise<void> {
    if (this.#file === undefined) return;
    this.#file.end();
    this.#file = undefined;
    await requireAll(this.#session, (await this.#statement)!, this.#rows);
  }
}

async function requireAll(session: Session, result: ResultSetHeader, rowCount: number): Promise<void> {
  await refuseWarnings(session, result);
  const { records, skipped } = countsOf(result);
  if (records === rowCount && skipped === 0) return;
  // Cannot happen without a warning, by the manual; if it does, rows would be lost.
  throw new Error(`the server says it took ${records - skipped} of ${rowCount} rows, without a warning`);
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
