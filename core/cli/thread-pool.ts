import type { Executor } from '../task/spec.ts';
import type { Threads } from '../worker/threads.ts';

/** Threads that wait for the next content, at most. */
const maxIdle = 16;
/** Threads a run may have when it is widened while it runs. */
const maxLanes = 64;

let threads: Promise<Threads> | undefined;

/**
 * Runs tasks on threads, which all runs of the program share. Its module (piscina) is loaded only when it is needed: jobs of one task do without it.
 * @param width of the tasks that run side by side at first
 */
export function threadExecutor(tasks: number, width: number): Executor {
  const lanes = Math.min(tasks, Math.max(width, maxLanes));
  threads ??= import('../worker/threads.ts').then((module) => new module.Threads(maxIdle));
  const pool = Promise.all([import('../worker/pool-executor.ts'), threads]).then(([module, all]) => new module.PoolExecutor(lanes, all));
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
