import { DrayError, type EarlierCommit, type Json, type TaskFacts, type TaskWriter } from 'dray/sdk';
import type { TaskCommit } from '../_sql/ledger.ts';
import type { Session } from './connection.ts';
import { serverFault, writeFault } from './faults.ts';
import { insertBatches } from './insert.ts';
import { type Attempt, recordCommit, takeOver } from './ledger.ts';
import { loadBatches } from './load-data.ts';
import type { Loading, TargetState } from './loading.ts';
import { isWorthWaitingFor } from './session-watch.ts';
import type { MysqlWriterOptions } from './writer.ts';

/** A rollback that takes longer is left to the server, which does it when the session ends. */
const rollbackGraceMs = 5000;

/** One transaction per task; straight on, or with each batch behind a savepoint, so that a refused one leaves the others alone. Closes the session at its end. */
export async function openTaskWriter(
  session: Session,
  { id, attempt, guarantee, isStraight: mayBeStraight, source, target }: TaskFacts,
  { run, mode }: { run: string; mode: MysqlWriterOptions['writeMode'] },
): Promise<TaskWriter> {
  const { database, table, isTransactional, usesLoadData, hasGenerated } = target.state as unknown as TargetState;
  let own: Attempt | undefined;
  if (guarantee === 'exactly-once') {
    const taken = await takeOver(session, { database, run, task: id }, attempt);
    if ('commit' in taken) return committedBefore(session, taken);
    own = taken;
  }
  const isStraight = mayBeStraight === true && usesLoadData && isTransactional;
  const loading: Loading = {
    session,
    table,
    source,
    target: target.schema,
    hasGenerated,
    forms: target.forms?.layout === 'bare' ? target.forms.forms : undefined,
    mode,
    isStraight,
    isRowByRow: !isTransactional,
  };
  const sink = usesLoadData ? loadBatches(loading) : await insertBatches(loading);
  const transaction = new TaskTransaction(session, table, { task: id }, own);
  await transaction.begin();
  /** A server that has killed the session may be rolling back for long: it would answer only then. */
  let isLost = false;
  const faultOf = (error: unknown) => {
    const fault = writeFault(error, table);
    isLost ||= fault.code === 'CONNECTION_LOST';
    return fault;
  };
  return {
    isStraight,
    async write(batch) {
      try {
        await sink.write(batch);
      } catch (error) {
        const fault = faultOf(error);
        if (fault.code === 'ROW_REJECTED' && isTransactional && !isStraight) await transaction.run('ROLLBACK TO SAVEPOINT batch');
        throw fault;
      }
    },
    async finish() {
      try {
        await sink.end?.();
      } catch (error) {
        throw faultOf(error);
      }
    },
    commit: (tally) => transaction.commit(tally),
    async abort() {
      if (isLost) await session.close();
      else if (sink.isOpen === true) await session.kill();
      else await transaction.abort();
    },
    isAlive: () => transaction.isAlive(),
  };
}

function committedBefore(session: Session, earlier: EarlierCommit): TaskWriter {
  const refuse = () => Promise.reject(new DrayError('FENCED', 'an earlier attempt of this task has committed'));
  return { earlier, write: refuse, commit: refuse, abort: () => session.close() };
}

class TaskTransaction {
  readonly #session: Session;
  readonly #table: string;
  readonly #commit: TaskCommit;
  readonly #own: Attempt | undefined;
  #isCommitting = false;

  constructor(session: Session, table: string, commit: TaskCommit, own: Attempt | undefined) {
    this.#session = session;
    this.#table = table;
    this.#commit = commit;
    this.#own = own;
  }

  async run(sql: string): Promise<void> {
    await this.#session.execute(sql).catch((error: unknown) => {
      throw serverFault(error, `write to ${this.#table}`);
    });
  }

  async begin(): Promise<void> {
    await this.run('START TRANSACTION; SAVEPOINT task');
  }

  async commit(tally: Json): Promise<Json> {
    try {
      // A deadlock ends the whole transaction, and what comes after it would be one of its own: only that of the rows has this savepoint.
      await this.run('RELEASE SAVEPOINT task');
      if (this.#own !== undefined) await recordCommit(this.#session, this.#own, tally);
      this.#isCommitting = true;
      await this.#end();
    } catch (error) {
      throw serverFault(error, `commit to ${this.#table}`);
    }
    await this.#session.close();
    return this.#commit as unknown as Json;
  }

  async #end(): Promise<void> {
    try {
      await this.#session.execute('COMMIT');
    } catch (error) {
      const fault = serverFault(error, `commit to ${this.#table}`);
      if (fault.code !== 'CONNECTION_LOST' || this.#own !== undefined) throw fault;
      throw new DrayError(
        'COMMIT_UNKNOWN',
        `the connection was lost while the rows for ${this.#table} were being committed, and MySQL cannot tell afterwards whether they were`,
        { cause: error },
      );
    }
  }

  async abort(): Promise<void> {
    if (this.#session.askedAt !== undefined) return this.#session.kill();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), rollbackGraceMs);
    });
    try {
      const outcome = await Promise.race([this.run('ROLLBACK'), late]);
      if (outcome === 'late') await this.#session.kill();
    } finally {
      clearTimeout(timer);
      await this.#session.close();
    }
  }

  async isAlive(): Promise<boolean> {
    if (await isWorthWaitingFor(this.#session)) return true;
    if (!this.#isCommitting) return false;
    // The task shall end with what is known of its commit, not with a lost connection that might be tried again.
    await this.#session.kill();
    return true;
  }
}
