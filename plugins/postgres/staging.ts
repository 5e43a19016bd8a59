import { DrayError } from 'dray/sdk';
import { isStaleRun, markText, readMark, type StagingKind, type StagingMark, stagingName, stagingPattern } from '../_sql/staging-names.ts';
import { type Client, quoteName } from './connection.ts';
import { serverFault } from './faults.ts';
import { makeExchangeable, makeLike } from './make-alike.ts';
import { shapeOf, type TableShape } from './table-shape.ts';

/** In the comment of a table that dray made beside a target. */
export interface Mark extends StagingMark {
  /** Digest of the target it was made like, if it can take its place. */
  readonly digest?: string | undefined;
  /** Names of the target's indexes that belong to the indexes of this table, by number. */
  readonly indexes?: readonly string[] | undefined;
}

/** A table that dray made beside a target. */
export interface BesideTable {
  readonly name: string;
  /** For SQL. */
  readonly sql: string;
  readonly mark: Mark;
}

type Place = Pick<TableShape, 'schema' | 'name'>;

/** Name for SQL of a table in the schema of the target. */
export function besideSql(target: Place, name: string): string {
  return `${quoteName(target.schema)}.${quoteName(name)}`;
}

export function besideName(kind: StagingKind, run: string, target: Place): string {
  return stagingName(kind, run, { schema: target.schema, table: target.name });
}

/** The table that a run made beside the target, if it is there. */
export async function findBeside(client: Client, kind: StagingKind, run: string, target: Place): Promise<BesideTable | undefined> {
  const all = await allBeside(client, kind, target);
  return all.find(({ mark }) => mark.run === run);
}

/** All such tables of the target, of all runs; only those whose comment proves that dray made them. */
async function allBeside(client: Client, kind: StagingKind, target: Place): Promise<BesideTable[]> {
  const { rows } = await client.query<{ name: string; comment: string | null }>(
    `SELECT c.relname AS name, obj_description(c.oid, 'pg_class') AS comment FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relkind = 'r' AND c.relname LIKE $2 ORDER BY c.relname`,
    [target.schema, stagingPattern(kind, { schema: target.schema, table: target.name })],
  );
  return rows.flatMap(({ name, comment }) => {
    const mark = readMark<Mark>(comment);
    const isOfTarget = mark?.kind === kind && mark.target === targetText(target);
    return isOfTarget ? [{ name, sql: besideSql(target, name), mark }] : [];
  });
}

/** The target as marks name it. */
export function targetText({ schema, name }: Place): string {
  return `${schema}.${name}`;
}

export async function writeMark(client: Client, table: string, mark: Mark): Promise<void> {
  await client.query(`COMMENT ON TABLE ${table} IS ${client.escapeLiteral(markText(mark))}`);
}

/**
 * Creates the table into which a run loads, empty; what an earlier try of the run and runs long dead left is dropped.
 * @param mayExchange if it is to take the target's place, provided that nothing ties the target
 */
export async function createStaging(client: Client, target: TableShape, run: string, mayExchange: boolean): Promise<BesideTable> {
  for (const old of await allBeside(client, 'new', target)) {
    if (old.mark.run === run || isStaleRun(old.mark.run)) await client.query(`DROP TABLE IF EXISTS ${old.sql}`);
  }
  const name = besideName('new', run, target);
  const sql = besideSql(target, name);
  const isExchangeable = mayExchange && target.ties.length === 0;
  const base = { run, kind: 'new', target: targetText(target) } as const;
  await client.query("BEGIN; SET LOCAL lock_timeout = '5s'");
  try {
    let mark: Mark = base;
    if (isExchangeable) mark = { ...base, digest: target.digest, indexes: await makeExchangeable(client, target, name) };
    else await makeLike(client, target, name);
    await writeMark(client, sql, mark);
    await client.query('COMMIT');
    return { name, sql, mark };
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    if ((error as { code?: string }).code === '42P07') {
      throw new DrayError('SQL_FAILED', `the table ${sql}, which dray needs to make, is there already, and dray did not make it`, {
        remedy: 'Rename or drop that table.',
      });
    }
    throw serverFault(error, `create a table beside ${target.sql}`);
  }
}

/**
 * Statements of the user may have changed the table, or made it anew: then it stays ours, but does not take the target's place.
 * @param digest of the table before
 */
export async function keepMark(client: Client, { sql, mark }: BesideTable, digest: string): Promise<void> {
  const now = await shapeOf(client, sql);
  if (now === undefined) throw new DrayError('TABLE_MISSING', `a statement of "preSql" has dropped the table ${sql}`, { side: 'target' });
  if (now.digest === digest && readMark(now.comment) !== undefined) return;
  await writeMark(client, sql, { run: mark.run, kind: mark.kind, target: mark.target });
}

/** Ends sessions of dray that use what the run loads: once its tasks have ended they are left over, and what they load nobody will see. */
export async function endUsers(client: Client, staging: BesideTable): Promise<void> {
  await client.query(
    `SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a
     WHERE a.pid IN (SELECT pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE relation = to_regclass($1) AND d.datname = current_database())
       AND a.pid <> pg_backend_pid() AND a.application_name = 'dray' AND pg_has_role(a.usesysid, 'MEMBER')`,
    [staging.sql],
  );
}

/** Drops what the run loaded and did not publish. */
export async function dropStaging(client: Client, target: Place, run: string): Promise<void> {
  const staging = await findBeside(client, 'new', run, target);
  if (staging === undefined) return;
  for (let attempt = 1; ; attempt++) {
    await endUsers(client, staging);
    try {
      await client.query(`BEGIN; SET LOCAL lock_timeout = '2s'; DROP TABLE IF EXISTS ${staging.sql}; COMMIT`);
      return;
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined);
      const fault = serverFault(error, `drop the table ${staging.sql}`);
      if (fault.code !== 'CONFLICT' || attempt === 3) throw fault;
    }
  }
}

/**
 * Drops the tables that keep the rows of earlier publishings than that of the run. One that is in use, or on which others depend, stays until the next time.
 * @returns names of those that stayed
 */
export async function dropPrevious(client: Client, target: Place, run: string): Promise<string[]> {
  const stayed: string[] = [];
  for (const old of await allBeside(client, 'old', target)) {
    if (old.mark.run === run) continue;
    await client.query(`BEGIN; SET LOCAL lock_timeout = '1s'; DROP TABLE IF EXISTS ${old.sql}; COMMIT`).catch(async (error: unknown) => {
      const fault = serverFault(error, `drop the table ${old.sql}`);
      if (fault.code === 'CONNECTION_LOST') throw fault;
      await client.query('ROLLBACK');
      stayed.push(old.name);
    });
  }
  return stayed;
}
