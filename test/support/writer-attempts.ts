import {
  BatchBuilder,
  type Cell,
  type Guarantee,
  type Json,
  type PluginContext,
  type RecordBatch,
  type Schema,
  type Target,
  type TaskWriter,
  type WriteIntent,
  type Writer,
  type WriterPlugin,
} from '../../core/sdk/index.ts';

/** What one process of a run does with a writer, as the framework would. */
export interface Attempts {
  readonly writer: Writer;
  readonly warnings: readonly string[];
  readonly intent: WriteIntent;
  prepare(): Promise<Target>;
  open(task: number, attempt: number): Promise<TaskWriter>;
  /** One attempt of a task from its opening to its commit; what it, or an earlier one, has committed. */
  load(task: number, attempt: number, rows: readonly (readonly Cell[])[]): Promise<Json>;
  publish(commits: readonly Json[]): Promise<Json | void>;
  close(): Promise<void>;
}

/** Opens the writer of one process. */
export async function attemptsOf(
  plugin: WriterPlugin,
  parameter: object,
  {
    run,
    schema,
    guarantee,
    mode = 'run',
    isStraight,
  }: { run: string; schema: Schema; guarantee: Guarantee; mode?: WriteIntent['mode']; isStraight?: boolean | undefined },
): Promise<Attempts> {
  const warnings: string[] = [];
  const context: PluginContext = {
    ...{ run, job: 'test', print: () => undefined, signal: new AbortController().signal },
    warn: (message) => warnings.push(message),
  };
  const writer = await plugin.open(plugin.options.parse(parameter), context);
  const intent: WriteIntent = { guarantee, mode };
  let target: Target | undefined;
  const prepare = async () => {
    target = (await writer.prepare?.(schema, intent)) ?? (await writer.inspect(schema));
    return target;
  };
  const open = async (task: number, attempt: number) =>
    writer.openTask({ id: task, attempt, guarantee, isStraight, source: schema, target: target ?? (await prepare()) });
  return {
    writer,
    warnings,
    intent,
    prepare,
    open,
    async load(task, attempt, rows) {
      const taskWriter = await open(task, attempt);
      if (taskWriter.earlier !== undefined) {
        await taskWriter.abort();
        return taskWriter.earlier.commit;
      }
      try {
        for (const row of rows) await taskWriter.write(batchOf(schema, [row]));
        await taskWriter.finish?.();
        return (await taskWriter.commit({ rows: rows.length })) ?? null;
      } catch (error) {
        await taskWriter.abort().catch(() => undefined);
        throw error;
      }
    },
    publish: async (commits) => writer.publish?.(commits, intent),
    close: async () => writer.close?.(),
  };
}

export function batchOf(schema: Schema, rows: readonly (readonly Cell[])[]): RecordBatch {
  const builder = new BatchBuilder(schema, { maxBytes: 1 << 20, maxRows: 1 << 20 });
  for (const row of rows) builder.push(row);
  return builder.take()!;
}
