import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { RunReport } from '../../core/report/report.ts';

const cli = join(import.meta.dirname, '..', '..', 'bundle', 'core', 'cli', 'main.js');

/** How a process of a run ended. */
export interface Ended {
  /** null: by a signal. */
  readonly exitCode: number | null;
  readonly stderr: string;
  readonly report: RunReport | undefined;
  /** True if it had to be ended, because it did not end by itself. */
  readonly isLate: boolean;
}

export interface Dray {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Longer than any fault can keep a run from its end. */
const patienceMs = 120_000;

/** Starts the real command line of this build. It does not outlive this program. */
export function startDray(args: readonly string[], env: Readonly<Record<string, string>> = {}): Dray {
  const child = spawn(process.execPath, [cli, ...args], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr, isLate] = ['', '', false];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const killed = () => child.kill('SIGKILL');
  process.once('exit', killed);
  const late = setTimeout(() => {
    isLate = true;
    killed();
  }, patienceMs);
  const ended = once(child, 'close').then(([exitCode]): Ended => {
    clearTimeout(late);
    process.off('exit', killed);
    return { exitCode: exitCode as number | null, stderr, report: parsed(stdout) as RunReport | undefined, isLate };
  });
  return { child, ended };
}

/** Runs a command to its end; its result as JSON. */
export async function askDray<T>(args: readonly string[]): Promise<T> {
  const child = spawn(process.execPath, [cli, ...args, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  await once(child, 'close');
  return parsed(stdout) as T;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
