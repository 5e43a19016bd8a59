import type { Executor } from '../task/spec.ts';
import type { Threads } from '../worker/threads.ts';

/** Threads that wait for the next content, at most. */
const maxIdle = 16;

let threads: Promise<Threads> | undefined;

/** Runs tasks on threads, which all runs of the program share. Its module (piscina) is loaded only when it is needed: jobs of one task do without it. */
export function threadExecutor(lanes: number): Executor {
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
