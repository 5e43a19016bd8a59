import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, relative } from 'node:path';
import { projectFolder } from './project-folder.ts';

export interface DrayCall {
  readonly args: readonly string[];
  /** Beside our own environment. */
  readonly env: Readonly<Record<string, string>>;
  /** When it fires, dray is asked to stop, and `runDray` waits until it has. */
  readonly signal: AbortSignal;
}

const cli = join(projectFolder, 'dist', 'bundle', 'core', 'cli', 'main.js');

/** The call as a user would type it. */
export function commandLine(args: readonly string[]): string {
  return ['node', relative(process.cwd(), cli), ...args].map(shellWord).join(' ');
}

/** Runs the command line of dray, on our terminal. Returns its exit code. */
export async function runDray({ args, env, signal }: DrayCall): Promise<number> {
  // A session of its own, so that Ctrl-C reaches it once, from here: the second one would keep it from rolling back.
  const child = spawn(process.execPath, [cli, ...args], { stdio: 'inherit', detached: true, env: { ...process.env, ...env } });
  const stop = () => child.kill('SIGINT');
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    const [code]: (number | null)[] = await once(child, 'exit');
    return code ?? 1;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function shellWord(word: string): string {
  return /^[\w./=:@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
