import { dataxSlices } from './datax-formula.ts';
import { planRuns, withMembers } from './dray-plan.ts';
import type { SplitContext } from './split-context.ts';
import type { SplitDatabase } from './split-database.ts';
import type { SmallTablesResult } from './split-results.ts';

/** Plans a job whose tables are small, all of them together. */
export async function runSmallTables(
  database: SplitDatabase,
  { tables, rowsPerTable }: Pick<SmallTablesResult, 'tables' | 'rowsPerTable'>,
  context: SplitContext,
): Promise<SmallTablesResult> {
  const { signal, channels } = context;
  const say = (text: string) => context.say(`${database.kind}, small tables: ${text}`);
  const engine = database.kind;
  const dataxTasks = tables * dataxSlices(tables, channels);
  try {
    signal.throwIfAborted();
    const names = Array.from({ length: tables }, (_, index) => `small_${String(index).padStart(5, '0')}`);
    say(`creating ${tables.toLocaleString('en-US')} of them`);
    await database.createSmallTables(names, rowsPerTable);
    const runs = await planRuns(database, names, context);
    const { splits } = runs[0]!.content;
    const seconds = runs.map((run) => run.seconds);
    const wallSeconds = runs.map((run) => run.wallSeconds);
    say(`${splits.length} tasks, ${seconds.map((one) => `${one.toFixed(2)} s`).join(', ')}`);
    const planned = splits
      .flatMap(withMembers)
      .map(({ name }) => name)
      .sort();
    const isRight = planned.length === tables && planned.every((name, index) => name === names[index]);
    const failure = isRight ? {} : { failure: `the plan has ${planned.length} parts for ${tables} tables that should be read whole.` };
    for (const name of names) await database.dropTable(name);
    return { engine, tables, rowsPerTable, tasks: splits.length, seconds, wallSeconds, dataxTasks, ...failure };
  } catch (error) {
    signal.throwIfAborted();
    const failure = error instanceof Error ? error.message : String(error);
    say(`FAILED. ${failure}`);
    return { engine, tables, rowsPerTable, tasks: 0, seconds: [], wallSeconds: [], dataxTasks, failure };
  }
}
