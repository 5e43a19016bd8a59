import { type Column, DrayError, type Split } from 'dray/sdk';

/** What a split of an SQL reader reads: a table or a query of one of its places. Plain JSON: it travels to the tasks and into the plan of a run. */
export interface Part {
  /** Number of the place. */
  readonly connection: number;
  /** Set where it is read in a session of a database of its own, other than that of the place. */
  readonly database?: string;
  /** As SQL reads it. */
  readonly table?: string;
  readonly query?: string;
  /** For people, where `table` alone does not say it. */
  readonly name?: string;
  /** The columns were planned by it, and by nothing else. */
  readonly isFirst?: true;
  /** Planned columns that this table has not: they are NULL. */
  readonly lacks?: readonly string[];
}

export function isTable(part: Part): part is Part & { readonly table: string } {
  return part.table !== undefined;
}

export function nameOf({ name, table }: Part): string {
  return name ?? table ?? 'querySql';
}

/** The session in which a part is read. */
export function sessionOf({ connection, database }: Pick<Part, 'connection' | 'database'>): string {
  return database === undefined ? String(connection) : `${connection}/${database}`;
}

/** Number of the place, and database, of a `sessionOf`. */
export function placeOfSession(key: string): { readonly connection: number; readonly database: string | undefined } {
  const [, connection = '', database] = /^(\d+)(?:\/(.*))?$/s.exec(key) ?? [];
  return { connection: Number(connection), database };
}

/** Parts that splits read, each once. */
export function partsIn(splits: readonly Split[]): Part[] {
  const parts = splits.flatMap((split) => split.members ?? [split]).map(({ part }) => part as unknown as Part);
  return [...new Map(parts.map((part) => [JSON.stringify(part), part])).values()];
}

/** A column by the name in a job file: as written (quoted or not), else whatever its case. Throws COLUMN_MISSING with the complaint. */
export function findColumn<C extends { readonly name: string }>(columns: readonly C[], text: string, complaint: string): C {
  const name = text.trim().replace(/^(["`])(.*)\1$/, '$2');
  const found =
    columns.find((column) => column.name === name) ?? columns.find((column) => column.name.toLowerCase() === name.toLowerCase());
  if (found === undefined) throw new DrayError('COLUMN_MISSING', `${complaint}; it has ${columns.map((column) => column.name).join(', ')}`);
  return found;
}

/** `column` of a reader as SQL: `*` spelled out, names of real columns quoted, all else as the user wrote it. */
export function selectExpressions(wanted: readonly string[], known: readonly Column[], quoteName: (name: string) => string): string[] {
  return wanted.flatMap((text) => {
    if (text.trim() === '*') return known.map(({ name }) => quoteName(name));
    return [known.some(({ name }) => name === text) ? quoteName(text) : text];
  });
}

/** The columns a writer writes, by name; `*` is every one that can be written. */
export function targetColumns<C extends Column & { readonly isGenerated: boolean }>(
  all: readonly C[],
  wanted: readonly string[],
  table: string,
): C[] {
  const columns = wanted.flatMap((text) => {
    if (text.trim() === '*') return all.filter(({ isGenerated }) => !isGenerated);
    const column = findColumn(all, text, `the table ${table} has no column "${text}"`);
    if (column.isGenerated)
      throw new DrayError('COLUMN_MISSING', `the column ${column.name} of ${table} is generated and cannot be written`);
    return [column];
  });
  const twice = columns.find((column, index) => columns.indexOf(column) !== index);
  if (twice === undefined) return columns;
  throw new DrayError('JOB_INVALID', `the column ${twice.name} of ${table} stands twice in "column"`, {
    side: 'target',
    remedy: 'Keep one of them.',
  });
}

interface StatementOptions {
  readonly when: 'preSql' | 'postSql' | 'session';
  readonly table: string;
  readonly query: (sql: string) => Promise<unknown>;
  /** Reads the server's error; `doing` completes the sentence "cannot …". */
  readonly explain: (error: unknown, doing: string) => DrayError;
}

/** `preSql` or `postSql`, one statement after the other, with `@table` replaced. */
export async function runStatements(
  statements: readonly string[] | undefined,
  { when, table, query, explain }: StatementOptions,
): Promise<void> {
  for (const statement of statements ?? []) {
    if (statement.trim() === '') continue;
    const sql = statement.replaceAll('@table', table);
    try {
      await query(sql);
    } catch (error) {
      const fault = explain(error, `run a statement of "${when}"`);
      if (fault.isRetryable) throw fault;
      throw new DrayError('SQL_FAILED', `a statement of "${when}" failed: ${(error as Error).message}`, {
        cause: error,
        place: `${when}: ${sql}`,
      });
    }
  }
}

/**
 * Connects with the first of several addresses that answers; one that cannot even be read (`host:port`, as in DataX's own examples) is passed over, too. Any other
 * failure is final: a wrong password should not be tried at every replica. Where none answers, the first failure is the one to tell.
 * @param isWanted what else must be right; false: the next one is tried
 */
export async function firstThatAnswers<C>(
  jdbcUrls: readonly string[],
  connect: (jdbcUrl: string) => Promise<C>,
  isWanted?: { readonly check: (open: C) => Promise<boolean>; readonly close: (open: C) => Promise<void> },
): Promise<C> {
  let failure: DrayError | undefined;
  const pass = (error: unknown) => {
    if (!(error instanceof DrayError) || !passedOver.has(error.code)) throw error;
    failure ??= error;
  };
  for (const jdbcUrl of jdbcUrls) {
    let open: C;
    try {
      open = await connect(jdbcUrl);
    } catch (error) {
      pass(error);
      continue;
    }
    if (isWanted === undefined || (await fits(open, isWanted))) return open;
    failure ??= new DrayError('CONNECT_FAILED', 'no database of the connection is fit to be read: each fails "preSql" or "checkSlave"', {
      remedy: 'Look at the replicas, or take "preSql" and "checkSlave" out of the reader.',
    });
  }
  throw failure ?? new DrayError('JOB_INVALID', 'the connection has no jdbcUrl', { remedy: 'Add one.' });
}

const passedOver: ReadonlySet<string> = new Set(['CONNECT_FAILED', 'SERVER_BUSY', 'JOB_INVALID']);

async function fits<C>(
  open: C,
  { check, close }: { check: (open: C) => Promise<boolean>; close: (open: C) => Promise<void> },
): Promise<boolean> {
  let isFit = false;
  try {
    isFit = await check(open);
    return isFit;
  } finally {
    if (!isFit) await close(open);
  }
}

/** Of DataX's reader option `preSql`: each query must return 0 in the first column of its last row, or no row. */
export async function returnZero(
  statements: readonly string[] | undefined,
  query: (sql: string) => Promise<readonly (readonly unknown[])[]>,
): Promise<boolean> {
  for (const statement of statements ?? []) {
    if (statement.trim() === '') continue;
    const last = (await query(statement)).at(-1)?.[0];
    if (Number(last ?? 0) !== 0) return false;
  }
  return true;
}
