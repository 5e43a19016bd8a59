import { DrayError, type Layout, type PluginContext, type RecordBatch } from 'dray/sdk';
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
export function loadBatches(loading: Loading): BatchSink {
  const { session, isStraight } = loading;
  const [text, bare] = [statementOf(loading, 'text'), statementOf(loading, 'bare')];
  const statementFor = (layout: Layout) => (layout === 'bare' ? bare : text);
  if (isStraight) return new StraightLoad(session, statementFor);
  return {
    async write({ bytes, rowCount, layout }) {
      const file = new LocalFile(session);
      // One message for both, so that the server waits for one round trip less; tables that are loaded like this can always roll back.
      const statement = session.execute(`SAVEPOINT batch; ${statementFor(layout)}`, file);
      await Promise.race([file.write(bytes, statement).then(() => file.end()), statement]);
      await requireAll(session, await statement, rowCount);
    },
  };
}

/**
 * The statement for rows of one layout: of bare ones most columns take their cells as they are, which saves the server a seventh.
 * MariaDB takes some care only of what SET assigns: beside one, a 0 for AUTO_INCREMENT is kept only if it is assigned, too; and without any, some versions do not compute
 * generated columns of what a trigger has changed (MDEV-40480).
 */
function statementOf({ table, source, target, forms, hasGenerated, mode }: Loading, layout: 'text' | 'bare'): string {
  const variables = target.columns.map((_, index) => `@c${index}`);
  const expressions = target.columns.map((column, index) => {
    const isBare = layout === 'bare' && (forms?.[index] ?? 'text') !== 'text';
    return isBare ? undefined : valueExpression(source.columns[index]!, column, variables[index]!);
  });
  const hasSet = hasGenerated || expressions.some((expression) => expression !== undefined);
  // Of a NULL that a column refuses the server names the row only if it is not assigned.
  const carrier = Math.max(
    0,
    target.columns.findIndex(({ isNullable, type }) => isNullable && type !== 'bytes'),
  );
  const assignments: string[] = [];
  const fields = target.columns.map(({ name, replacesNull }, index) => {
    const isAssigned = hasSet && (replacesNull === true || (hasGenerated && index === carrier));
    const expression = expressions[index] ?? (isAssigned ? variables[index] : undefined);
    if (expression === undefined) return quoteName(name);
    assignments.push(`${quoteName(name)} = ${expression}`);
    return variables[index];
  });
  return `LOAD DATA LOCAL INFILE 'batch' ${mode === 'replace' ? 'REPLACE ' : ''}INTO TABLE ${table} CHARACTER SET utf8mb4
    FIELDS TERMINATED BY '\\t' ENCLOSED BY '' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' STARTING BY ''
    (${fields.join(', ')})${assignments.length === 0 ? '' : ` SET ${assignments.join(', ')}`}`;
}

/** All rows of a task by one statement, one batch behind the other, as long as they have one layout: nobody waits for an answer before the end. */
class StraightLoad implements BatchSink {
  readonly #session: Session;
  readonly #statementFor: (layout: Layout) => string;
  #file: LocalFile | undefined;
  #statement: Promise<ResultSetHeader> | undefined;
  #layout: Layout | undefined;
  #rows = 0;
  /** Answered, or failed. */
  #isOver = false;

  constructor(session: Session, statementFor: (layout: Layout) => string) {
    this.#session = session;
    this.#statementFor = statementFor;
  }

  get isOpen(): boolean {
    return this.#file !== undefined && !this.#isOver;
  }

  async write({ bytes, rowCount, layout }: RecordBatch): Promise<void> {
    if (this.#layout !== layout) await this.end();
    this.#layout = layout;
    this.#file ??= new LocalFile(this.#session);
    this.#statement ??= this.#begin(this.#file, layout);
    this.#rows += rowCount;
    await this.#file.write(bytes, this.#statement);
  }

  #begin(file: LocalFile, layout: Layout): Promise<ResultSetHeader> {
    const statement = this.#session.execute(this.#statementFor(layout), file);
    this.#isOver = false;
    const over = () => {
      this.#isOver = true;
    };
    statement.then(over, over);
    return statement;
  }

  /** Of the statement that runs; another one may follow. */
  async end(): Promise<void> {
    if (this.#file === undefined) return;
    this.#file.end();
    this.#file = undefined;
    const [statement, rows] = [this.#statement!, this.#rows];
    this.#statement = undefined;
    this.#rows = 0;
    await requireAll(this.#session, await statement, rows);
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
