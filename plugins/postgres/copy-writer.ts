import { finished } from 'node:stream/promises';
import { DrayError, type PluginContext, type Target, type TaskWriter, type Writer } from 'dray/sdk';
import { from as copyFrom } from 'pg-copy-streams';
import { runStatements, targetColumns } from '../_sql/parts.ts';
import { onlyTable } from '../_sql/table-names.ts';
import { findTable, type TableColumn, tableColumns } from './catalog.ts';
import { type Client, connectFirst, disconnect, quoteName } from './connection.ts';
import { serverFault, writeFault } from './faults.ts';
import { upsertBatches } from './upsert.ts';
import type { PostgresWriterOptions } from './writer.ts';

/** What tasks need to know of the target beside its columns. */
export interface TargetState {
  /** For SQL. */
  readonly table: string;
  /** Primary key, if the write mode needs it. */
  readonly key: readonly string[];
}

/** Puts a packed batch into the target, all of it or none, inside of the task's transaction. */
export type BatchSink = (bytes: Buffer) => Promise<void>;

export function openWriter(options: PostgresWriterOptions, context: PluginContext): Writer {
  const [connection] = options.connection;
  const tableName = onlyTable(connection!.table);
  let main: Client | undefined;
  const client = async () => {
    main ??= await connectFirst(connection!.jdbcUrl, options, context.signal);
    return main;
  };
  const run = async (statements: readonly string[] | undefined, when: 'preSql' | 'postSql') => {
    const own = await client();
    await runStatements(statements, { when, table: tableName, query: (sql) => own.query(sql), explain: serverFault });
  };
  return {
    inspect: async () => inspect(await client(), tableName, options),
    async prepare() {
      await run(options.preSql, 'preSql');
      return inspect(await client(), tableName, options);
    },
    async openTask({ target }) {
      const own = await connectFirst(connection!.jdbcUrl, options, context.signal);
      try {
        return await openTask(own, target, options);
      } catch (error) {
        await disconnect(own);
        throw error;
      }
    },
    publish: () => run(options.postSql, 'postSql'),
    async close() {
      if (main !== undefined) await disconnect(main);
    },
  };
}

async function inspect(client: Client, tableName: string, options: PostgresWriterOptions): Promise<Target> {
  const table = await findTable(client, tableName);
  const all = await tableColumns(client, table);
  const columns = targetColumns(all, options.column, tableName);
  const keyColumns = all.filter(({ keyPlace }) => keyPlace > 0).sort((a, b) => a.keyPlace - b.keyPlace);
  if (options.writeMode !== 'insert') checkKey(keyColumns, columns, options.writeMode, tableName);
  const state: TargetState = { table: table.sql, key: keyColumns.map(({ name }) => name) };
  return { schema: { columns }, state: state as unknown as NonNullable<Target['state']> };
}

function checkKey(key: readonly TableColumn[], columns: readonly TableColumn[], mode: string, table: string): void {
  if (key.length === 0) {
    throw new DrayError('JOB_INVALID', `writeMode "${mode}" needs a primary key, and the table ${table} has none`, {
      side: 'target',
      remedy: 'Add a primary key to the table, or use writeMode "insert".',
    });
  }
  const missing = key.filter(({ name }) => !columns.some((column) => column.name === name));
  if (missing.length === 0) return;
  throw new DrayError('JOB_INVALID', `writeMode "${mode}" needs the key column ${missing[0]!.name} of ${table} in "column"`, {
    side: 'target',
  });
}

/** One transaction per task; each batch between savepoints, so that a refused one leaves the others alone. */
async function openTask(client: Client, target: Target, options: PostgresWriterOptions): Promise<TaskWriter> {
  const state = target.state as unknown as TargetState;
  const names = target.schema.columns.map(({ name }) => name);
  const end = async (statement: string) => {
    try {
      const { command } = await client.query(statement).catch((error: unknown) => {
        throw writeFault(error, state.table);
      });
      // COMMIT of a transaction that has failed answers ROLLBACK, and that is no error to the server.
      if (command !== statement) throw new DrayError('SQL_FAILED', `the server answered ${command} to ${statement} of ${state.table}`);
    } finally {
      await disconnect(client);
    }
  };
  const failed = (error: unknown): never => {
    throw serverFault(error, `write to ${state.table}`);
  };
  await client.query('BEGIN; SAVEPOINT batch').catch(failed);
  const sink =
    options.writeMode === 'insert' ? copyBatches(client, state.table, names) : await upsertBatches(client, state, names, options.writeMode);
  return {
    async write({ bytes }) {
      try {
        await sink(bytes);
      } catch (error) {
        const fault = writeFault(error, state.table);
        if (fault.code === 'ROW_REJECTED') await client.query('ROLLBACK TO SAVEPOINT batch').catch(failed);
        throw fault;
      }
    },
    commit: () => end('COMMIT'),
    abort: () => end('ROLLBACK'),
  };
}

/**
 * The plain way: COPY into the table, bytes as they are. The savepoint is moved behind the batch before in the same message, so that the
 * server waits for one round trip per batch and not for two.
 */
export function copyBatches(client: Client, table: string, columns: readonly string[]): BatchSink {
  const statement = `RELEASE SAVEPOINT batch; SAVEPOINT batch; COPY ${table} (${columns.map(quoteName).join(', ')}) FROM STDIN`;
  return async (bytes) => {
    const stream = client.query(copyFrom(statement));
    stream.end(bytes);
    await finished(stream);
  };
}
