import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';

/** A command as it is typed in a shell, and what it needs in the environment. */
export interface Command {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface Measurement {
  /** Wall time from shell to shell. */
  readonly seconds: number;
  /** User and system time of the command and all it started, from the kernel's own account. */
  readonly cpuSeconds: number;
  /** High-water mark of resident memory, summed over the command's processes; null where there is no /proc. */
  readonly peakBytes: number | null;
  /** Resident memory of all its processes together over time, every `curveMs`; empty where there is no /proc. */
  readonly memoryCurve: readonly number[];
}

/** How often memory is looked at. VmHWM is itself a high-water mark: only growth in the last interval can be missed. */
const pollMs = 20;
/** Distance of two points of a memory curve. */
export const curveMs = 100;
const keptErrorCharacters = 2000;

/*
 * The shell waits for the command and prints (`times`) what the kernel has added up for its children, on descriptor 3. A rusage of
 * ours would also hold other children.
 */
const measuringShell = '"$@" 3>&-; code=$?; times >&3; exit $code';

/**
 * Runs a command to its end.
 * @throws Error with the end of its stderr if it fails, the reason of `signal` if that fires
 */
export async function measuredRun({ words, env }: Command, signal: AbortSignal): Promise<Measurement> {
  signal.throwIfAborted();
  const startedAt = performance.now();
  // A group of its own, so that all of it can be ended at once.
  const shell = spawn('/bin/sh', ['-c', measuringShell, 'sh', ...words], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let endedAt = startedAt;
  shell.once('exit', () => {
    endedAt = performance.now();
  });
  const closed = once(shell, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  const errors = tailOf(shell.stderr!);
  const account = tailOf(shell.stdio[3] as Readable);
  const peaks = new Map<number, number>();
  const curve: number[] = [];
  const poll = setInterval(() => {
    const residentBytes = noteMemory(shell.pid ?? 0, peaks);
    // Late ticks leave no holes: the curve goes by the clock.
    while (residentBytes > 0 && curve.length * curveMs < performance.now() - startedAt) curve.push(residentBytes);
  }, pollMs);
  const stop = () => {
    if (shell.pid !== undefined && shell.exitCode === null) process.kill(-shell.pid, 'SIGTERM');
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    const [code, killedBy]: [number | null, NodeJS.Signals | null] = await closed;
    signal.throwIfAborted();
    if (code !== 0) throw new Error(`Exit code ${code ?? 128 + constants.signals[killedBy ?? 'SIGTERM']}: ${reasonIn(errors().trim())}`);
    const peakBytes = [...peaks.values()].reduce((sum, bytes) => sum + bytes, 0);
    return {
      seconds: (endedAt - startedAt) / 1000,
      cpuSeconds: childSeconds(account()),
      peakBytes: peakBytes === 0 ? null : peakBytes,
      memoryCurve: curve,
    };
  } finally {
    clearInterval(poll);
    signal.removeEventListener('abort', stop);
  }
}

/** dray says why below its report; of others all counts. */
function reasonIn(errors: string): string {
  return errors.slice(errors.lastIndexOf('\nerror ') + 1);
}

function tailOf(stream: Readable): () => string {
  let tail = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-keptErrorCharacters);
  });
  return () => tail;
}

/** The second line of `times`: `0m1.230000s 0m0.450000s`, user and system time of children; bash writes the comma of its locale. */
function childSeconds(times: string): number {
  const parts = [...(times.split('\n')[1] ?? '').matchAll(/(\d+)m([\d.,]+)s/g)];
  if (parts.length !== 2) throw new Error(`The shell's \`times\` printed "${times}".`);
  return parts.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds?.replace(',', '.')), 0);
}

/** @returns bytes of resident memory of all children now */
function noteMemory(parent: number, peaks: Map<number, number>): number {
  let residentBytes = 0;
  for (const pid of childrenOf(parent)) {
    const status = readProc(`${pid}/status`);
    const peak = kilobytes(status, 'VmHWM');
    if (peak !== undefined) peaks.set(pid, peak * 1024);
    residentBytes += (kilobytes(status, 'VmRSS') ?? 0) * 1024 + noteMemory(pid, peaks);
  }
  return residentBytes;
}

function kilobytes(status: string, name: string): number | undefined {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
  return found === undefined ? undefined : Number(found);
}

function childrenOf(pid: number): number[] {
  return readProc(`${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
}

/** Empty for a process that has ended, or without /proc. */
function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return '';
  }
}
