import { type BinaryForm, DrayError, type Json, type PluginContext, type Target, type WriteIntent, type Writer } from 'dray/sdk';
import { markedColumns, withNulls } from '../_sql/empty-as-null.ts';
import { checkLedgerRemembers, publishingNumber } from '../_sql/ledger.ts';
import { runStatements } from '../_sql/parts.ts';
import { onlyTable } from '../_sql/table-names.ts';
import { binaryFormsOf, hasCommonForms } from './binary-forms.ts';
import type { Client } from './connection.ts';
import { serverFault } from './faults.ts';
import { healthQuestions, serversOf } from './health.ts';
import { type Inspected, inspectTarget } from './inspect.ts';
import { findPublishMark, ledgerOf, openLedger, type PublishMark, refusedLedger, wasPublished, writePublishMark } from './ledger.ts';
import { mainSession } from './main-session.ts';
import { indexName } from './make-alike.ts';
import { publishedJson, publishStaged, targetShape } from './publish.ts';
import { rollBackPublished } from './rollback.ts';
import { type BesideTable, besideName, besideSql, createStaging, dropStaging, findBeside, keepMark, targetText } from './staging.ts';
import { shapeOf, type TableShape } from './table-shape.ts';
import { openTask, type TargetState } from './task-writer.ts';
import { inTransaction } from './transaction.ts';
import type { PostgresWriterOptions } from './writer.ts';

const postSqlLockMs = 60_000;
const discardTimeoutMs = 30_000;

export function openWriter(options: PostgresWriterOptions, context: PluginContext): Writer {
  const tableName = onlyTable(options.connection[0]!.table);
  const servers = serversOf(options);
  const health = healthQuestions(servers, options, context);
  const main = mainSession(options, context.signal, (client) => servers.answered(0, client));
  const { run } = context;
  const runSql = async (client: Client, when: 'preSql' | 'postSql', table: string) =>
    runStatements(options[when], { when, table, query: (sql) => client.query(sql), explain: serverFault });
  const isStaged = ({ mode }: WriteIntent) => options.publish !== 'direct' && mode !== 'replay';

  /** Where tasks will write, ready for them. */
  const prepareStaging = async (client: Client, intent: WriteIntent): Promise<Loaded> => {
    const target = await targetShape(client, (await inspectTarget(client, tableName, options)).table.sql);
    await openLedger(client, target.schema);
    if (intent.mode === 'resume') return stagingOfRun(client, target, run);
    const staging = await createStaging(client, target, run, options.publish === 'atomic' && options.writeMode === 'insert');
    if (options.preSql !== undefined) {
      const before = await targetShape(client, staging.sql);
      await runSql(client, 'preSql', staging.sql);
      await keepMark(client, staging, before.digest);
    }
    return stateOf(staging);
  };

  const publishNow = async (commits: readonly Json[], intent: WriteIntent): Promise<Json | void> => {
    const isExact = intent.guarantee === 'exactly-once';
    const hasPostSql = (options.postSql ?? []).length > 0;
    if (intent.mode === 'replay') return undefined;
    if (!isStaged(intent) && !(isExact && hasPostSql)) return runSql(await main.get(), 'postSql', tableName);

    const { table, columns, key } = await inspectTarget(await main.get(), tableName, options);
    const target = await targetShape(await main.get(), table.sql);
    const number = publishingNumber(commits, { schema: target.schema, table: target.name });
    const place = { ledger: ledgerOf(target.schema), run, task: number };
    let mark: PublishMark | undefined;
    if (isStaged(intent)) {
      mark = await publishStaged(main.get, {
        ...{ run, table: table.sql, number, key, columns: columns.map(({ name }) => name), writeMode: options.writeMode },
        ...{ isAppend: options.publish === 'atomic-append', keepsPrevious: options.keepPrevious, warn: context.warn },
      });
    } else mark = await findPublishMark(await main.get(), place);
    mark ??= { target: targetText(target), isDone: false };
    if (!mark.isDone && hasPostSql) {
      const done = { ...mark, isDone: true };
      const post = async (client: Client) => {
        await runSql(client, 'postSql', tableName);
        await writePublishMark(client, place, done);
      };
      if (isExact) await inTransaction(main.get, { doing: 'run a statement of "postSql"', lockTimeoutMs: postSqlLockMs }, post);
      else await post(await main.get());
    }
    return publishedJson(run, target, mark);
  };

  const inspect = async () => {
    const client = await main.get();
    const found = await inspectTarget(client, tableName, options);
    return targetOf(found, await targetShape(client, found.table.sql), { client, options });
  };

  const refusesExactlyOnce = async () => {
    const client = await main.get();
    const found = await inspectTarget(client, tableName, options).catch((error: DrayError) => {
      // preSql may create the table; `prepare` looks again.
      if (error.code === 'TABLE_MISSING' && options.preSql !== undefined) return undefined;
      throw error;
    });
    return found === undefined ? undefined : refusal(client, await targetShape(client, found.table.sql));
  };

  const prepare = async (intent: WriteIntent) => {
    const client = await main.get();
    let staging: Loaded | undefined;
    if (isStaged(intent)) staging = await prepareStaging(client, intent);
    else if (intent.mode === 'run') await runSql(client, 'preSql', tableName);
    const found = await inspectTarget(client, tableName, options);
    const shape = await targetShape(client, found.table.sql);
    if (intent.guarantee === 'exactly-once') await prepareLedger(client, shape, run, intent);
    return targetOf(found, shape, { client, options }, staging);
  };

  const discard = async () => {
    if (options.publish === 'direct') return;
    // The run has failed, and its signal has fired.
    const own = mainSession(options, AbortSignal.timeout(discardTimeoutMs));
    try {
      const client = await own.get();
      const found = await inspectTarget(client, tableName, options);
      await dropStaging(client, await targetShape(client, found.table.sql), run);
    } finally {
      await own.close();
    }
  };

  const rollback = async (published: Json) => {
    if (published === null) throw new DrayError('ROLLBACK_IMPOSSIBLE', 'the run kept no previous rows', { side: 'target' });
    await rollBackPublished(main.get, published);
  };

  return {
    inspect: () => explained(`look at ${tableName}`, inspect),
    refusesExactlyOnce: () => explained(`look at ${tableName}`, refusesExactlyOnce),
    prepare: (_source, intent) => explained(`prepare ${tableName}`, () => prepare(intent)),
    openTask: async (task) => withNulls(await openTask(task, options, context), task.source, task.target.schema),
    publish: (commits, intent) => explained(`publish ${tableName}`, () => publishNow(commits, intent)),
    rollback: (published) => explained(`roll back ${tableName}`, () => rollback(published)),
    discard: () => explained(`drop what was not published of ${tableName}`, discard),
    resource: () => servers.of(0),
    health: (resource, signal) => health.ask(resource, signal),
    async close() {
      await Promise.all([main.close(), health.close()]);
    },
  };
}

/** Any error of the server as one of ours; `doing` completes the sentence "cannot …". */
async function explained<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw serverFault(error, doing);
  }
}

type Loaded = Pick<TargetState, 'table' | 'constraints'>;

/** Of binary rows. Text may come between them, and each change begins another statement. */
function takenForms(columns: Inspected['columns'], { seesStatements }: TableShape, client: Client): readonly BinaryForm[] | undefined {
  return seesStatements || !hasCommonForms(client) ? undefined : binaryFormsOf(columns);
}

function targetOf(
  { columns, key }: Inspected,
  shape: TableShape,
  { client, options: { emptyAsNull } }: { client: Client; options: PostgresWriterOptions },
  loaded: Loaded = { table: shape.sql, constraints: {} },
): Target {
  const { schema } = shape;
  const forms = emptyAsNull ? undefined : takenForms(columns, shape, client);
  const state: TargetState = { ...loaded, schema, key };
  return {
    schema: { columns: markedColumns(columns, emptyAsNull) },
    ...(forms === undefined ? {} : { forms: { layout: 'binary', forms } }),
    state: state as unknown as NonNullable<Target['state']>,
  };
}

/** Rows are loaded into this table; who hears of its constraints knows those of the target. */
function stateOf({ sql, name, mark }: BesideTable): Loaded {
  return { table: sql, constraints: Object.fromEntries((mark.indexes ?? []).map((index, number) => [indexName(name, number), index])) };
}

async function refusal(client: Client, { kind, schema, sql }: TableShape): Promise<string | undefined> {
  return kind === 'f' ? `${sql} is a foreign table, whose server does not commit together with this one` : refusedLedger(client, schema);
}

async function prepareLedger(client: Client, target: TableShape, run: string, { mode }: WriteIntent): Promise<void> {
  const refused = await refusal(client, target);
  if (refused !== undefined) throw new DrayError('GUARANTEE_IMPOSSIBLE', `exactly-once is not possible: ${refused}`, { side: 'target' });
  if (mode === 'resume') checkLedgerRemembers(run);
  await openLedger(client, target.schema);
}

/** The table into which earlier processes of the run loaded. If they have published it already, tasks that were to write to it would find nothing. */
async function stagingOfRun(client: Client, target: TableShape, run: string): Promise<Loaded> {
  const staging = await findBeside(client, 'new', run, target);
  if (staging !== undefined) return stateOf(staging);
  const sql = besideSql(target, besideName('new', run, target));
  if ((await shapeOf(client, sql)) === undefined && (await wasPublished(client, ledgerOf(target.schema), run, targetText(target))))
    return { table: sql, constraints: {} };
  throw new DrayError('RUN_NOT_RESUMABLE', `the table with what the run ${run} loaded for ${target.sql} is not there any more`, {
    side: 'target',
  });
}
