import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunReport } from '../../core/report/report.ts';

const projectFolder = join(import.meta.dirname, '..', '..');
const cli = join(projectFolder, 'dist', 'bundle', 'core', 'cli', 'main.js');

export interface DrayOptions {
  /** Beside our own environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Standard input; default: none. */
  readonly input?: string;
  /** Default: the project's folder. */
  readonly cwd?: string;
}

/** How a run of the command line ended. */
export interface DrayResult {
  /** null if a signal ended it without its own doing. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What `run --json` printed; undefined if stdout is not one JSON object. */
  readonly report: RunReport | undefined;
}

export interface RunningDray {
  readonly child: ChildProcess;
  /** What it said so far. */
  stdout(): string;
  stderr(): string;
  signal(name: NodeJS.Signals): void;
  /** Resolves when it has ended and both its outputs are read. */
  readonly ended: Promise<DrayResult>;
}

/** Starts the real command line, `node dist/bundle/core/cli/main.js`. It does not outlive the test process. */
export function startDray(args: readonly string[], { env = {}, cwd = projectFolder, input }: DrayOptions = {}): RunningDray {
  const child = spawn(process.execPath, [cli, ...args], { cwd, env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(input);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const killed = () => child.kill('SIGKILL');
  process.once('exit', killed);
  const ended = once(child, 'close').then((result): DrayResult => {
    process.off('exit', killed);
    return { exitCode: result[0] as number | null, stdout, stderr, report: reportIn(stdout) };
  });
  return { child, stdout: () => stdout, stderr: () => stderr, signal: (name) => void child.kill(name), ended };
}

/** Runs the real command line to its end. */
export function runDray(args: readonly string[], options: DrayOptions = {}): Promise<DrayResult> {
  return startDray(args, options).ended;
}

function reportIn(stdout: string): RunReport | undefined {
  try {
    return JSON.parse(stdout) as RunReport;
  } catch {
    return undefined;
  }
}

/** Writes a job file, as JSON or as the text it is, and returns its path. */
export function writeJob(folder: string, job: unknown, name = 'job.json'): string {
  const path = join(folder, name);
  writeFileSync(path, typeof job === 'string' ? job : JSON.stringify(job, null, 2));
  return path;
}
