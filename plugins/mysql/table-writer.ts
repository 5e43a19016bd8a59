import { DrayError, type Json, type PluginContext, type Schema, type Target, type WriteIntent, type Writer } from 'dray/sdk';
import { markedColumns, withNulls } from '../_sql/empty-as-null.ts';
import { checkLedgerRemembers, publishingNumber } from '../_sql/ledger.ts';
import { runStatements, targetColumns } from '../_sql/parts.ts';
import { onlyTable } from '../_sql/table-names.ts';
import { bareForms } from './bare-forms.ts';
import { findTable, hasHashIndex, type Table, tableColumns } from './catalog.ts';
import { connectFirst, type Session, splitTableName } from './connection.ts';
import { serverFault } from './faults.ts';
import { healthQuestions, serversOf } from './health.ts';
import { createLedger, hasLedger, type LedgerKey, ledgerOf, ledgerRefusal } from './ledger.ts';
import { usesLoadData } from './load-data.ts';
import type { TargetState } from './loading.ts';
import { takeLock } from './lock.ts';
import { hasPublished, type Publication, readPublication, writePublication } from './publication.ts';
import { discardStaging, publishStaging } from './publish.ts';
import { rollBack } from './rollback.ts';
import { type Beside, createStaging, exists, tableBeside } from './staging.ts';
import { openTaskWriter } from './task-writer.ts';
import type { MysqlWriterOptions } from './writer.ts';

export function openWriter(options: MysqlWriterOptions, context: PluginContext): Writer {
  const [connection] = options.connection;
  const servers = serversOf(options);
  const health = healthQuestions(servers, options, context);
  const connect = async (signal = context.signal) => {
    const session = await connectFirst(connection!.jdbcUrl, options, { role: 'writer', signal });
    servers.answered(0, session.server);
    return session;
  };
  const target = new TableTarget(options, context, onlyTable(connection!.table), connect);
  return {
    inspect: () => target.inspect(),
    refusesExactlyOnce: () => target.refusesExactlyOnce(),
    prepare: (_source, intent) => target.prepare(intent),
    async openTask(task) {
      const session = await connect();
      try {
        return withNulls(
          await openTaskWriter(session, task, { run: context.run, mode: options.writeMode }),
          task.source,
          task.target.schema,
        );
      } catch (error) {
        await session.close();
        throw error;
      }
    },
    publish: (commits, intent) => target.publish(commits, intent),
    rollback: (published) => target.rollback(published),
    discard: () => target.discard(),
    resource: () => servers.of(0),
    health: (resource, signal) => health.ask(resource, signal),
    async close() {
      await Promise.all([target.close(), health.close()]);
    },
  };
}

/** The table of a writer, as the main thread sees it: before the tasks and after them. */
class TableTarget {
  readonly #options: MysqlWriterOptions;
  readonly #context: PluginContext;
  /** As in the job file. */
  readonly #name: string;
  readonly #connect: (signal?: AbortSignal) => Promise<Session>;
  #open: Session | undefined;

  constructor(options: MysqlWriterOptions, context: PluginContext, name: string, connect: (signal?: AbortSignal) => Promise<Session>) {
    this.#options = options;
    this.#context = context;
    this.#name = name;
    this.#connect = connect;
  }

  async inspect(): Promise<Target> {
    const session = await this.#session();
    return this.#describe(session, await findTable(session, this.#name));
  }

  async refusesExactlyOnce(): Promise<string | undefined> {
    const session = await this.#session();
    const table = await findTable(session, this.#name).catch((error: DrayError) => {
      // preSql may create it; prepare looks again.
      if (error.code === 'TABLE_MISSING') return undefined;
      throw error;
    });
    if (table?.isTransactional === false) return refusedEngine(table);
    return ledgerRefusal(session, table?.database ?? splitTableName(this.#name, session.database).database);
  }

  async prepare({ guarantee, mode }: WriteIntent): Promise<Target> {
    const session = await this.#session();
    const isStaged = this.#options.publish !== 'direct' && mode !== 'replay';
    const { database } = splitTableName(this.#name, session.database);
    if (isStaged || guarantee === 'exactly-once') await this.#takeRun(session);
    if (mode === 'resume' && guarantee === 'exactly-once') await this.#checkLedger(session, database);
    else if (guarantee === 'exactly-once') await this.#createLedger(session, database);
    else if (isStaged) await explained(`create ${ledgerOf(database)}`, () => createLedger(session, database));
    const prepared = isStaged ? await this.#prepareStaging(session, mode) : await this.#prepareDirectly(session, mode);
    const { isTransactional } = prepared.state as unknown as TargetState;
    if (guarantee === 'exactly-once' && !isTransactional) throw impossible(refusedEngine(await findTable(session, this.#name)));
    return prepared;
  }

  async #prepareDirectly(session: Session, mode: WriteIntent['mode']): Promise<Target> {
    if (mode === 'run') await this.#run(session, 'preSql', this.#name);
    return this.#describe(session, await findTable(session, this.#name));
  }

  async #prepareStaging(session: Session, mode: WriteIntent['mode']): Promise<Target> {
    const table = await findTable(session, this.#name);
    const { run } = this.#context;
    const doing = `make a table beside ${table.sql}`;
    const staging = mode === 'run' ? await explained(doing, () => createStaging(session, table, run)) : tableBeside('new', run, table);
    if (mode === 'run') await this.#run(session, 'preSql', staging.sql);
    else if (!(await exists(session, staging))) {
      await this.#checkPublished(session, table, staging);
      return this.#describe(session, table, staging.sql);
    }
    return this.#describe(session, await findTable(session, staging.sql));
  }

  /** A staging table that is gone has become the target, or is lost. */
  async #checkPublished(session: Session, table: Table, staging: Beside): Promise<void> {
    const { run } = this.#context;
    if ((await exists(session, tableBeside('old', run, table))) || (await hasPublished(session, { database: table.database, run }))) return;
    throw new DrayError('RUN_NOT_RESUMABLE', `what the run ${run} has loaded is not there any more: the table ${staging.sql} is gone`);
  }

  async #checkLedger(session: Session, database: string): Promise<void> {
    checkLedgerRemembers(this.#context.run);
    if (await hasLedger(session, database)) return;
    throw new DrayError('RUN_NOT_RESUMABLE', `the ledger ${ledgerOf(database)}, which knows what the run has committed, is gone`);
  }

  async #createLedger(session: Session, database: string): Promise<void> {
    const refusal = await ledgerRefusal(session, database);
    if (refusal !== undefined) throw impossible(refusal);
    await createLedger(session, database).catch((error: unknown) => {
      const fault = serverFault(error, `create ${ledgerOf(database)}`);
      throw fault.isRetryable ? fault : impossible(`the ledger ${ledgerOf(database)} cannot be created`, error);
    });
  }

  /** @param as SQL of the table that tasks write, if it is not this one */
  async #describe(session: Session, table: Table, as = table.sql): Promise<Target> {
    const all = await tableColumns(session, table);
    const found = targetColumns(all, this.#options.column, this.#name);
    const columns = markedColumns(found, this.#options.emptyAsNull);
    if (!table.isTransactional) {
      this.#context.warn(
        `${this.#name} is a ${table.engine} table, which cannot roll back: it is written row by row, slowly, and a failed run leaves rows behind`,
      );
    }
    const state: TargetState = {
      database: table.database,
      table: as,
      isTransactional: table.isTransactional,
      hasGenerated: all.some(({ isGenerated }) => isGenerated) || (await hasHashIndex(session, table)),
      usesLoadData: table.isTransactional && (await usesLoadData(session, this.#options, this.#context)),
    };
    // An empty text that becomes NULL has to be found in the text.
    const takesBare = state.usesLoadData && !this.#options.emptyAsNull;
    return {
      schema: { columns } satisfies Schema,
      ...(takesBare ? { forms: { layout: 'bare', forms: await bareForms(session, columns) } } : {}),
      state: state as unknown as NonNullable<Target['state']>,
    };
  }

  async publish(commits: readonly Json[], { guarantee, mode }: WriteIntent): Promise<Json | void> {
    if (mode === 'replay') return;
    const session = await this.#session();
    const isStaged = this.#options.publish !== 'direct';
    if (!isStaged && guarantee === 'at-least-once') return this.#run(session, 'postSql', this.#name);
    await this.#takeRun(session);
    const table = await findTable(session, this.#name);
    const task = publishingNumber(commits, { schema: table.database, table: table.name });
    const key = { database: table.database, run: this.#context.run, task };
    const publication = await explained(`publish the rows in ${table.sql}`, async () =>
      isStaged
        ? publishStaging({ session, table, key, options: this.#options })
        : ((await readPublication(session, key)) ?? { published: null, statements: 0 }),
    );
    await this.#runPostSqlOnce(session, key, publication);
    if (publication.published !== null) return publication.published;
  }

  /** Each statement in one transaction with its mark; only one that commits by itself (DDL) may be run again after a crash. */
  async #runPostSqlOnce(session: Session, key: LedgerKey, { published, statements }: Publication): Promise<void> {
    for (const [index, statement] of (this.#options.postSql ?? []).entries()) {
      if (index < statements) continue;
      try {
        await explained('run postSql', () => session.execute('START TRANSACTION'));
        await this.#run(session, 'postSql', this.#name, [statement]);
        await explained('mark postSql as run', async () => {
          await writePublication(session, key, { published, statements: index + 1 });
          await session.execute('COMMIT');
        });
      } catch (error) {
        await session.execute('ROLLBACK').catch(() => undefined);
        throw error;
      }
    }
  }

  async rollback(published: Json): Promise<void> {
    const session = await this.#session();
    await this.#takeRun(session);
    await explained('bring back the rows from before', () => rollBack(session, published));
  }

  async discard(): Promise<void> {
    if (this.#options.publish === 'direct') return;
    // The signal of the run may have fired.
    const session = await this.#connect(new AbortController().signal);
    try {
      await this.#takeRun(session);
      const { database, table: name } = splitTableName(this.#name, session.database);
      const table = await findTable(session, this.#name).catch(() => ({ database, name }));
      await explained('remove what was loaded', () => discardStaging(session, table, this.#context.run));
    } finally {
      await session.close();
    }
  }

  async close(): Promise<void> {
    await this.#open?.close();
  }

  /** From now on no earlier process of the run can change the target from its main thread; its tasks have locks of their own. */
  async #takeRun(session: Session): Promise<void> {
    const { database, table } = splitTableName(this.#name, session.database);
    const { run } = this.#context;
    await explained(`go on with the run ${run}`, () => takeLock(session, [database, table, run], `the run ${run}`));
  }

  /** Opened when it is first needed, and again if it was lost. */
  async #session(): Promise<Session> {
    if (this.#open?.isOpen !== true) this.#open = await this.#connect();
    return this.#open;
  }

  async #run(session: Session, when: 'preSql' | 'postSql', table: string, statements = this.#options[when]): Promise<void> {
    await runStatements(statements, { when, table, query: (sql) => session.execute(sql), explain: serverFault });
  }
}

function refusedEngine({ sql, engine }: Table): string {
  return `${sql} is a ${engine} table, which has no transactions`;
}

function impossible(refusal: string, cause?: unknown): DrayError {
  return new DrayError('GUARANTEE_IMPOSSIBLE', `exactly-once is not possible here: ${refusal}`, { cause });
}

async function explained<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw serverFault(error, doing);
  }
}
