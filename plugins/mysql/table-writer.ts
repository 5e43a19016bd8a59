import { DrayError, type PluginContext, type Schema, type Target, type TaskWriter, type Writer } from 'dray/sdk';
import { runStatements, targetColumns } from '../_sql/parts.ts';
import { onlyTable } from '../_sql/table-names.ts';
import { findTable, tableColumns } from './catalog.ts';
import { connectFirst, type Session } from './connection.ts';
import { serverFault, writeFault } from './faults.ts';
import { insertBatches } from './insert.ts';
import { loadBatches } from './load-data.ts';
import type { MysqlWriterOptions } from './writer.ts';

/** What tasks need to know of the target beside its columns. */
interface TargetState {
  /** For SQL. */
  readonly table: string;
  readonly isTransactional: boolean;
  readonly usesLoadData: boolean;
}

/** Everything a way of sending batches needs. */
export interface Loading {
  readonly session: Session;
  readonly table: string;
  readonly source: Schema;
  readonly target: Schema;
  readonly mode: MysqlWriterOptions['writeMode'];
  /** The table cannot roll back. */
  readonly isRowByRow: boolean;
}

/** Sends a batch; throws ROW_REJECTED if the server refused, bent or skipped any of its rows. */
export type BatchSink = (bytes: Buffer, rowCount: number) => Promise<void>;

export function openWriter(options: MysqlWriterOptions, context: PluginContext): Writer {
  const [connection] = options.connection;
  const tableName = onlyTable(connection!.table);
  let main: Session | undefined;
  const session = async () => {
    main ??= await connectFirst(connection!.jdbcUrl, options, { role: 'writer', signal: context.signal });
    return main;
  };
  const run = async (statements: readonly string[] | undefined, when: 'preSql' | 'postSql') => {
    const own = await session();
    await runStatements(statements, { when, table: tableName, query: (sql) => own.execute(sql), explain: serverFault });
  };
  return {
    inspect: async () => inspect(await session(), tableName, options, context),
    async prepare() {
      await run(options.preSql, 'preSql');
      return inspect(await session(), tableName, options, context);
    },
    async openTask({ source, target }) {
      const own = await connectFirst(connection!.jdbcUrl, options, { role: 'writer', signal: context.signal });
      try {
        return await openTask(own, { source, target, options });
      } catch (error) {
        await own.close();
        throw error;
      }
    },
    publish: () => run(options.postSql, 'postSql'),
    async close() {
      await main?.close();
    },
  };
}

async function inspect(session: Session, tableName: string, options: MysqlWriterOptions, context: PluginContext): Promise<Target> {
  const table = await findTable(session, tableName);
  const columns = targetColumns(await tableColumns(session, table), options.column, tableName);
  if (!table.isTransactional) {
    context.warn(
      `${tableName} is a ${table.engine} table, which cannot roll back: it is written row by row, slowly, and a failed run leaves rows behind`,
    );
  }
  const state: TargetState = {
    table: table.sql,
    isTransactional: table.isTransactional,
    usesLoadData: table.isTransactional && (await usesLoadData(session, options, context)),
  };
  return { schema: { columns }, state: state as unknown as NonNullable<Target['state']> };
}

/** Rows that update others need ON DUPLICATE KEY, which LOAD DATA does not have. */
async function usesLoadData(session: Session, { load, writeMode }: MysqlWriterOptions, context: PluginContext): Promise<boolean> {
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

interface TaskParts {
  readonly source: Schema;
  readonly target: Target;
  readonly options: MysqlWriterOptions;
}

/** One transaction per task; each batch behind a savepoint, so that a refused one leaves the others alone. */
async function openTask(session: Session, { source, target, options }: TaskParts): Promise<TaskWriter> {
  const { table, isTransactional, usesLoadData: byLoadData } = target.state as unknown as TargetState;
  const loading: Loading = { session, table, source, target: target.schema, mode: options.writeMode, isRowByRow: !isTransactional };
  const sink = byLoadData ? loadBatches(loading) : await insertBatches(loading);
  const run = async (sql: string) => {
    await session.execute(sql).catch((error: unknown) => {
      throw serverFault(error, `write to ${table}`);
    });
  };
  const end = async (sql: string) => {
    try {
      await run(sql);
    } finally {
      await session.close();
    }
  };
  await run('START TRANSACTION');
  return {
    async write({ bytes, rowCount }) {
      try {
        await sink(bytes, rowCount);
      } catch (error) {
        const fault = writeFault(error, table);
        if (fault.code === 'ROW_REJECTED' && isTransactional) await run('ROLLBACK TO SAVEPOINT batch');
        throw fault;
      }
    },
    commit: () => end('COMMIT'),
    abort: () => end('ROLLBACK'),
  };
}
