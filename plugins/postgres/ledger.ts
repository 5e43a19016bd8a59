import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { DrayError, type EarlierCommit, type Json, type TaskFacts } from 'dray/sdk';
import { committedInfo, earlierCommit, fenced, ledgerDays, ledgerTable, type TaskCommit } from '../_sql/ledger.ts';
import { type Client, quoteName, sessionOf } from './connection.ts';
import { serverFault } from './faults.ts';

/** SQLSTATEs of two sessions that create the same table at once. */
const createdMeanwhile = ['23505', '42P07'];
/** How long a fenced session may take to end. */
const fenceTimeoutMs = 10_000;

/** The ledger of a schema, for SQL. */
export function ledgerOf(schema: string): string {
  return `${quoteName(schema)}.${ledgerTable}`;
}

/** What stands against a ledger in this schema; undefined if nothing does. Changes nothing. */
export async function refusedLedger(client: Client, schema: string): Promise<string | undefined> {
  const { rows } = await client.query<{ exists: boolean; mayWrite: boolean; mayCreate: boolean; isReadOnly: boolean }>(
    `SELECT l.id IS NOT NULL AS exists, current_setting('transaction_read_only')::bool AS "isReadOnly",
       coalesce(has_table_privilege(l.id, 'SELECT') AND has_table_privilege(l.id, 'INSERT') AND has_table_privilege(l.id, 'UPDATE'), false) AS "mayWrite",
       has_schema_privilege($2, 'CREATE') AS "mayCreate"
     FROM (SELECT to_regclass($1)::oid AS id) l`,
    [ledgerOf(schema), schema],
  );
  const { exists, mayWrite, mayCreate, isReadOnly } = rows[0]!;
  if (isReadOnly) return 'the server is read-only';
  if (exists)
    return mayWrite ? undefined : `the user may not read, insert and update rows of the table ${ledgerTable} in the schema ${schema}`;
  return mayCreate ? undefined : `the user may not create the table ${ledgerTable} in the schema ${schema}`;
}

/** Creates the ledger if it is not there, and forgets what is older than three months. */
export async function openLedger(client: Client, schema: string): Promise<void> {
  const ledger = ledgerOf(schema);
  const { rows } = await client.query('SELECT 1 WHERE to_regclass($1) IS NOT NULL', [ledger]);
  if (rows.length === 0) await createLedger(client, ledger);
  await client
    .query(`DELETE FROM ${ledger} WHERE registered_at < now() - interval '${ledgerDays} days' AND has_table_privilege($1, 'DELETE')`, [
      ledger,
    ])
    .catch((error: { code?: string }) => {
      // Rows of others that nobody lets us remove do no harm.
      if (error.code !== '42501') throw serverFault(error, `clean the ledger ${ledger}`);
    });
}

async function createLedger(client: Client, ledger: string): Promise<void> {
  await client
    .query(
      `CREATE TABLE IF NOT EXISTS ${ledger} (
         run varchar(64), task int, attempt int NOT NULL, session text, info text,
         registered_at timestamptz NOT NULL DEFAULT now(), committed_at timestamptz, PRIMARY KEY (run, task));
       COMMENT ON TABLE ${ledger} IS 'What runs of dray have committed here; a row of a run that has ended is not needed any more'`,
    )
    .catch((error: { code?: string }) => {
      if (!createdMeanwhile.includes(error.code ?? '')) throw serverFault(error, `create the ledger ${ledger}`);
    });
}

export interface LedgerTask extends Pick<TaskFacts, 'id' | 'attempt'> {
  readonly run: string;
  /** For SQL. */
  readonly ledger: string;
}

/**
 * Makes this session the only one that can commit the task: takes the lock of (run, task), which is held for as long as the session lives, ends the
 * session of an earlier attempt that still holds it, and registers the number of the attempt.
 * @returns what an earlier attempt has committed
 * @throws DrayError FENCED if a later attempt has registered; CONFLICT if the earlier session does not end
 */
export async function enterLedger(client: Client, task: LedgerTask): Promise<EarlierCommit | undefined> {
  await lockTask(client, task);
  const { ledger, run, id, attempt } = task;
  // Not waited for on the disk: a server that crashes and forgets the number has ended the sessions it was to keep out.
  await client.query("BEGIN; SET LOCAL synchronous_commit = off; SET LOCAL lock_timeout = '10s'");
  await client.query(
    `INSERT INTO ${ledger} AS l (run, task, attempt, session) VALUES ($1, $2, $3, $4) ON CONFLICT (run, task)
       DO UPDATE SET attempt = excluded.attempt, session = excluded.session WHERE l.attempt < excluded.attempt AND l.info IS NULL`,
    [run, id, attempt, `pid ${sessionOf(client)}`],
  );
  const { rows } = await client.query<{ attempt: number; info: string | null }>(
    `SELECT attempt, info FROM ${ledger} WHERE run = $1 AND task = $2`,
    [run, id],
  );
  await client.query('COMMIT');
  const [row] = rows;
  if (row?.info != null) return earlierCommit(row.info);
  if (row?.attempt !== attempt) throw fenced(task);
  return undefined;
}

async function lockTask(client: Client, task: LedgerTask): Promise<void> {
  const key = createHash('sha256').update(`dray\0${task.run}\0${task.id}`).digest().readBigInt64BE();
  const deadline = performance.now() + fenceTimeoutMs;
  for (;;) {
    const { rows } = await client.query<{ isOurs: boolean }>('SELECT pg_try_advisory_lock($1::int8) AS "isOurs"', [String(key)]);
    if (rows[0]!.isOurs) return;
    await checkIsLatest(client, task);
    if (performance.now() > deadline) break;
    await endHolder(client, key);
    await delay(50);
  }
  throw new DrayError(
    'CONFLICT',
    `the session of an earlier attempt of task ${task.id} does not end, although the server was told to end it`,
  );
}

/** An attempt that was asleep must not end the session of the one that took over from it. */
async function checkIsLatest(client: Client, task: LedgerTask): Promise<void> {
  const { rows } = await client.query(`SELECT 1 FROM ${task.ledger} WHERE run = $1 AND task = $2 AND attempt > $3 AND info IS NULL`, [
    task.run,
    task.id,
    task.attempt,
  ]);
  if (rows.length > 0) throw fenced(task);
}

async function endHolder(client: Client, key: bigint): Promise<void> {
  await client.query(
    `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND (classid::int8 << 32 | objid::int8) = $1::int8 AND pid <> pg_backend_pid()`,
    [String(key)],
  );
}

/**
 * Writes into the ledger, in the transaction of the rows, that the task is done.
 * @throws DrayError FENCED if a later attempt has registered; the transaction must then be rolled back
 */
export async function recordCommit(client: Client, task: LedgerTask, commit: TaskCommit, tally: Json): Promise<void> {
  const { rowCount } = await client.query(
    `UPDATE ${task.ledger} SET info = $4, committed_at = clock_timestamp() WHERE run = $1 AND task = $2 AND attempt = $3 AND info IS NULL`,
    [task.run, task.id, task.attempt, committedInfo(commit, tally)],
  );
  if (rowCount !== 1) throw fenced(task);
}

/** What the publishing of a content has done. */
export interface PublishMark {
  readonly target: string;
  /** The table that keeps the previous rows. */
  readonly previous?: string | undefined;
  /** Nothing is left to do. */
  readonly isDone: boolean;
}

interface MarkPlace {
  readonly ledger: string;
  readonly run: string;
  /** Below zero. */
  readonly task: number;
}

export async function findPublishMark(client: Client, { ledger, run, task }: MarkPlace): Promise<PublishMark | undefined> {
  const { rows } = await client.query<{ info: string }>(`SELECT info FROM ${ledger} WHERE run = $1 AND task = $2`, [run, task]);
  return rows[0] === undefined ? undefined : (JSON.parse(rows[0].info) as PublishMark);
}

/** Writes the mark in the transaction that does what it says. */
export async function writePublishMark(client: Client, { ledger, run, task }: MarkPlace, mark: PublishMark): Promise<void> {
  await client.query(
    `INSERT INTO ${ledger} (run, task, attempt, info, committed_at) VALUES ($1, $2, 0, $3, clock_timestamp())
       ON CONFLICT (run, task) DO UPDATE SET info = excluded.info, committed_at = excluded.committed_at`,
    [run, task, JSON.stringify(mark)],
  );
}

/** True if a content of the run has published into the target. */
export async function wasPublished(client: Client, ledger: string, run: string, target: string): Promise<boolean> {
  const { rows } = await client.query(
    `SELECT 1 FROM (SELECT info FROM ${ledger} WHERE run = $1 AND task < 0 OFFSET 0) marks WHERE info::json->>'target' = $2`,
    [run, target],
  );
  return rows.length > 0;
}
