import { DrayError, type Json, type PluginContext, type TaskFacts, type TaskWriter } from 'dray/sdk';
import type { TaskCommit } from '../_sql/ledger.ts';
import { binaryFormOf } from './binary-forms.ts';
import { findTable, tableColumns } from './catalog.ts';
import { settleCommit } from './commit-fate.ts';
import { type Client, disconnect } from './connection.ts';
import { type BatchSink, copyBatches } from './copy-batches.ts';
import { CopyStream } from './copy-stream.ts';
import { serverFault, writeFault } from './faults.ts';
import { enterLedger, type LedgerTask, ledgerOf, recordCommit } from './ledger.ts';
import { isSessionAlive } from './liveness.ts';
import { upsertBatches } from './upsert.ts';
import { connectWriter } from './watched.ts';
import type { PostgresWriterOptions } from './writer.ts';

/** What tasks need to know of the target beside its columns. */
export interface TargetState {
  /** Where rows are written, for SQL: the target, or the table beside it. */
  readonly table: string;
  /** Schema of the target, where the ledger is. */
  readonly schema: string;
  /** Primary key, if the write mode needs it. */
  readonly key: readonly string[];
  /** What constraints of the table are called in the target, where they have other names. */
  readonly constraints: Readonly<Record<string, string>>;
}

/** An answer to ROLLBACK that takes longer will not come; the server rolls back when the connection is closed. */
const rollbackTimeoutMs = 5000;

/** Opens a task on a connection of its own. */
export async function openTask(facts: TaskFacts, options: PostgresWriterOptions, context: PluginContext): Promise<TaskWriter> {
  const state = facts.target.state as unknown as TargetState;
  const client = await connectWriter(options, context.signal);
  try {
    const { id, attempt, guarantee } = facts;
    const entry = guarantee === 'exactly-once' ? { run: context.run, ledger: ledgerOf(state.schema), id, attempt } : undefined;
    const earlier = entry === undefined ? undefined : await enterLedger(client, entry);
    if (earlier !== undefined) return earlierTask(client, earlier);
    return await beginTask(client, facts, { options, state, entry });
  } catch (error) {
    await disconnect(client);
    throw serverFault(error, `begin to write to ${state.table}`);
  }
}

/** An earlier attempt has committed: there is nothing to do but to let go. */
function earlierTask(client: Client, earlier: NonNullable<TaskWriter['earlier']>): TaskWriter {
  const refuse = async () => {
    throw new DrayError('INTERNAL', 'a task that an earlier attempt has committed was written to');
  };
  return { earlier, write: refuse, commit: refuse, abort: () => disconnect(client) };
}

interface TaskParts {
  readonly options: PostgresWriterOptions;
  readonly state: TargetState;
  /** Under exactly-once. */
  readonly entry: LedgerTask | undefined;
}

/** One transaction per task; straight on, or with each batch between savepoints, so that a refused one leaves the others alone. */
async function beginTask(client: Client, { id, isStraight, target }: TaskFacts, { options, state, entry }: TaskParts): Promise<TaskWriter> {
  const names = target.schema.columns.map(({ name }) => name);
  /** Set by the first failure that is none of a row: what the server then holds is not known to be whole. */
  let isBroken = false;
  const failed = (error: unknown): never => {
    isBroken = true;
    throw serverFault(error, `write to ${state.table}`);
  };
  // Three results in one round trip.
  const begun = (await client.query('BEGIN; SELECT txid_current() AS txid; SAVEPOINT batch')) as unknown as { rows: { txid: string }[] }[];
  const txid = begun[1]!.rows[0]!.txid;
  const goesStraight = isStraight === true && options.writeMode === 'insert';
  let stream: CopyStream | undefined;
  let isBinary = false;
  const straight: BatchSink = async (batch) => {
    if (stream !== undefined && stream.layout !== batch.layout) {
      await stream.end();
      stream = undefined;
    }
    stream ??= CopyStream.open(client, state.table, names, batch.layout);
    await stream.write(batch);
  };
  const careful =
    options.writeMode === 'insert' ? copyBatches(client, state.table, names) : await upsertBatches(client, state, names, options.writeMode);
  const faultOf = (error: unknown): DrayError => {
    // "insufficient data left in message": a cell that is too short for its column.
    if (isBinary && (error as { code?: string }).code === '08P01')
      return new DrayError('ROW_REJECTED', 'a binary value of another type', { cause: error });
    return writeFault(error, state.table, state.constraints);
  };
  const commit = async (tally: Json): Promise<Json> => {
    if (isBroken) throw new DrayError('INTERNAL', 'a task that has failed was to be committed');
    const result: TaskCommit = { task: id };
    if (entry !== undefined) await recordCommit(client, entry, result, tally);
    const { command } = await client.query('COMMIT').catch(async (error: unknown) => {
      const fault = writeFault(error, state.table, state.constraints);
      // The next attempt finds out by the ledger.
      if (fault.code !== 'CONNECTION_LOST' || entry !== undefined) throw fault;
      await settleCommit(client, txid, fault);
      return { command: 'COMMIT' };
    });
    // COMMIT of a transaction that has failed answers ROLLBACK, and that is no error to the server.
    if (command !== 'COMMIT') throw new DrayError('SQL_FAILED', `the server answered ${command} to COMMIT of ${state.table}`);
    return result as unknown as Json;
  };

  return {
    isStraight: goesStraight,
    async write(batch) {
      try {
        isBinary ||= batch.layout === 'binary';
        await (goesStraight ? straight : careful)(batch);
      } catch (error) {
        const fault = faultOf(error);
        isBroken ||= fault.code !== 'ROW_REJECTED';
        if (!isBroken && !goesStraight) await client.query('ROLLBACK TO SAVEPOINT batch').catch(failed);
        throw fault;
      }
    },
    async finish() {
      try {
        await stream?.end();
        // From the first row on nobody could change the table.
        if (isBinary) await requireForms(client, state.table, target);
      } catch (error) {
        isBroken = true;
        throw faultOf(error);
      }
    },
    async commit(tally) {
      try {
        return await commit(tally);
      } catch (error) {
        const fault = writeFault(error, state.table, state.constraints);
        if (fault.code === 'FENCED') await rollBack(client);
        throw fault;
      } finally {
        await disconnect(client);
      }
    },
    async abort() {
      stream?.giveUp();
      await rollBack(client);
      await disconnect(client);
    },
    isAlive: () => isSessionAlive(client),
  };
}

/** Bytes of one type may be those of another one, which no server would notice. */
async function requireForms(client: Client, table: string, { schema, forms: taken }: TaskFacts['target']): Promise<void> {
  const columns = await tableColumns(client, await findTable(client, table));
  const forms = schema.columns
    .map(({ name }) => columns.find((column) => column.name === name))
    .map((column) => column && binaryFormOf(column));
  if (forms.every((form, index) => form === taken?.forms[index])) return;
  throw new DrayError('SCHEMA_CHANGED', `the types of ${table} are not those that the run began with`, { side: 'target' });
}

/** Waits until the server has undone everything, so that the next attempt meets no locks of this one; not for one that does not answer. */
async function rollBack(client: Client): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const gaveUp = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, rollbackTimeoutMs);
  });
  await Promise.race([client.query('ROLLBACK').catch(() => undefined), gaveUp]);
  clearTimeout(timer);
}
