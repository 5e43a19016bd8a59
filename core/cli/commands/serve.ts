import { Controller } from '../../controller/controller.ts';
import { DrayError } from '../../sdk/index.ts';
import { currentRun } from '../../serve/run-scope.ts';
import { type RunningServer, startServer } from '../../serve/serve.ts';
import { count, plural } from '../format.ts';
import { onInterrupt } from '../interrupt.ts';
import { Screen } from '../screen.ts';
import type { ServerEvent } from '../server-client.ts';
import { type StateOptions, stateOf } from '../state.ts';
import { endThreads, threadExecutor } from '../thread-pool.ts';
import { onUncaught, type Uncaught } from '../uncaught.ts';

/** After an exception nobody knows whether what was at work can still be undone. */
const undoMs = 10_000;

export interface ServeOptions extends StateOptions {
  readonly port: number;
  readonly slots?: number;
  readonly pool: Record<string, number>;
  readonly resume: boolean;
}

/** `dray serve`: runs what is submitted, until Ctrl-C or SIGTERM; returns their exit code. */
export async function serve(options: ServeOptions): Promise<number> {
  const screen = new Screen();
  const state = stateOf(options);
  const controller = new Controller({ slots: options.slots, pools: options.pool });
  const interrupt = onInterrupt((message) => screen.line(message));
  let uncaught: Uncaught | undefined;
  // Who has read what it says may be gone: the runs go on.
  process.stderr.on('error', () => undefined);
  try {
    const server = await startServer(
      {
        controller,
        state,
        executor: threadExecutor,
        environment: process.env,
        print: (text) => process.stdout.write(text),
      },
      options.port,
    );
    screen.line(`dray serves on 127.0.0.1:${server.port}, with the state folder ${state}; Ctrl-C stops it`);
    const told = tell(server, screen);
    uncaught = onUncaught((error) => failAtFault(server, error, screen));
    await takeUp(server, options.resume, screen);
    const failure = await Promise.race([fired(interrupt.signal), uncaught.first]);
    if (failure !== undefined) setTimeout(() => process.exit(failure.exitCode), undoMs).unref();
    const name = failure !== undefined ? 'an exception' : interrupt.exitCode() === 143 ? 'SIGTERM' : 'Ctrl-C';
    await server.stop(new DrayError('SERVER_STOPPED', `the server was stopped by ${name}; the rows of unfinished tasks were rolled back`));
    await told;
    const left = await server.runs.interrupted();
    const rest = left.length === 0 ? '' : `; ${plural(left.length, 'run')} can be resumed: \`dray serve --resume\``;
    screen.line(`the server has stopped${rest}`);
    return failure?.exitCode ?? interrupt.exitCode()!;
  } finally {
    controller.close();
    await endThreads();
    interrupt.release();
    uncaught?.release();
  }
}

/** An exception that nobody has caught ends the run that it came from, and nobody goes on with that; the others end with the server, and can be resumed. */
function failAtFault({ runs }: RunningServer, error: DrayError, screen: Screen): DrayError {
  const run = currentRun();
  const served = run === undefined ? undefined : runs.find(run);
  const whose = served === undefined ? 'the server' : `a plugin of the run ${served.run} ${served.job}`;
  const failure = new DrayError('INTERNAL', `${whose} has thrown an exception that nobody catches: ${error.message}`, { cause: error });
  const told = served === undefined ? failure : DrayError.fromWire(served.masked(failure.toWire()));
  screen.error(told.toWire());
  if (served?.hasEnded === false) served.cancel(told);
  return told;
}

/** Goes on with what an earlier server has left, or says what it is. */
async function takeUp({ runs }: RunningServer, resumes: boolean, screen: Screen): Promise<void> {
  for (const { run, begun } of await runs.interrupted()) {
    // A run that somebody has begun at a terminal is theirs.
    const isOurs = begun.submitted !== undefined;
    if (!resumes || !isOurs) {
      const whole = isOurs ? ', or `dray serve --resume` with all such' : '';
      screen.line(`interrupted: ${run} ${begun.job}; \`dray resume ${run}\` goes on with it${whole}`);
      continue;
    }
    try {
      await runs.resume(run, { staysPaused: true });
    } catch (error) {
      screen.line(`${run} ${begun.job} is not resumed:`);
      screen.error((error as DrayError).toWire());
    }
  }
}

/** Says what becomes of the runs. Resolves when the server has stopped. */
async function tell({ runs }: RunningServer, screen: Screen): Promise<void> {
  for await (const { text } of runs.feed.follow({ signal: new AbortController().signal })) {
    const words = wordsOf(JSON.parse(text) as ServerEvent);
    if (words !== undefined) screen.line(words);
  }
}

function wordsOf(event: ServerEvent): string | undefined {
  const { run, job, at } = event;
  const start = `${at.slice(11, 19)} ${run} ${job}:`;
  switch (event.type) {
    case 'submitted':
    case 'resumed':
      return `${start} ${event.type}, priority ${event.priority}`;
    case 'warning':
    case 'changed':
      return `${start} ${event.message}`;
    case 'ended': {
      const why = event.error === undefined ? '' : `, ${event.error.code}: ${event.error.message}`;
      return `${start} ${event.state}, ${count(event.rows.written)} rows${why}`;
    }
    case 'planning':
    case 'note':
    case 'dirty':
    case 'decision':
    case 'content':
    case 'progress':
      return undefined;
  }
}

function fired(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
