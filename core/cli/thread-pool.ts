import type { Content } from '../job/load-job.ts';
import type { Executor } from '../task/spec.ts';
import type { Threads } from '../worker/threads.ts';

/** Threads that wait for the next content, at most. */
const maxIdle = 16;
/** Threads a run may have when it is widened while it runs. */
const maxLanes = 64;

let threads: Promise<Threads> | undefined;

function allThreads(): Promise<Threads> {
  threads ??= import('../worker/threads.ts').then((module) => new module.Threads(maxIdle));
  return threads;
}

/** Begins to start the threads that the tasks of a content will need: that takes as long as what is left of its planning. */
export function readyThreads(count: number, { reader, transformers, writer }: Content): void {
  const plugins = [reader.ref, writer.ref, ...transformers.map(({ ref }) => ref)];
  // A thread that cannot be started fails once more where a task is to run in it.
  allThreads()
    .then((all) => all.ready(count, plugins))
    .catch(() => undefined);
}

/**
 * Runs tasks on threads, which all runs of the program share. Its module (piscina) is loaded only when it is needed: jobs of one task do without it.
 * @param width of the tasks that run side by side at first
 */
export function threadExecutor(tasks: number, width: number): Executor {
  const lanes = Math.min(tasks, Math.max(width, maxLanes));
  const pool = Promise.all([import('../worker/pool-executor.ts'), allThreads()]).then(
    ([module, all]) => new module.PoolExecutor(lanes, all),
  );
  return {
    lanes,
    join: async (...call) => (await pool).join(...call),
    run: async (...call) => (await pool).run(...call),
    cut: async (lane) => (await pool).cut(lane),
    close: async () => (await pool).close(),
  };
}

/** Ends the threads that wait: without this the program would not end. */
export async function endThreads(): Promise<void> {
  await (await threads)?.close();
  threads = undefined;
}
