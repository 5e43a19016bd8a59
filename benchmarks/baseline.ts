import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Ratio, ratiosOf } from '../core/bench/ratios.ts';
import type { BenchResult } from '../core/bench/results.ts';

/** This module runs as dist/benchmarks/baseline.js; the file stands among the sources. */
export const baselineFile = resolve(import.meta.dirname, '..', '..', 'benchmarks', 'baseline.json');

/** How much worse than its own ratio of the baseline a lane may be. */
export const tolerance = 0.15;

/** What a lane was once: with what it was run, and the median ratio of each command to each rival. */
export interface LaneBaseline {
  readonly measured: string;
  readonly cpu: string;
  /** Of the machine before the bench began: a baseline of a busy one is worth little. */
  readonly load: number;
  /** As `--rows` and `--channels` said. */
  readonly rows: number;
  readonly channels: readonly number[];
  readonly ratios: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export interface Baseline {
  readonly lanes: Readonly<Record<string, LaneBaseline>>;
}

/** @throws Error with a sentence for the user */
export async function readBaseline(path: string): Promise<Baseline> {
  const text = await readFile(path, 'utf8').catch((cause: Error) => {
    throw new Error(`The baseline cannot be read: ${cause.message}. --write-baseline makes one.`, { cause });
  });
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== 'object' || parsed === null || !('lanes' in parsed)) throw new Error(`${path} is no baseline: it has no "lanes".`);
  return parsed as Baseline;
}

/** Puts the lanes of a result in place of what the file said of them; lanes without a ratio, and lanes that were not run, stay as they are. */
export async function writeBaseline(
  path: string,
  { machine, lanes }: BenchResult,
  { rows, channels }: Pick<LaneBaseline, 'rows' | 'channels'>,
): Promise<void> {
  const before = await readBaseline(path).catch((): Baseline => ({ lanes: {} }));
  const measured = lanes.flatMap((result): [string, LaneBaseline][] => {
    const ratios = ratiosOf(result);
    if (ratios.length === 0) return [];
    return [[result.lane, { measured: machine.date, cpu: machine.cpu, load: machine.loadBefore, rows, channels, ratios: nested(ratios) }]];
  });
  const after: Baseline = { lanes: { ...before.lanes, ...Object.fromEntries(measured) } };
  // Short lists in one line, as the formatter wants them.
  const text = JSON.stringify(after, null, 2).replace(/\[[\d\s,]+\]/g, (list) =>
    list.replace(/\s+/g, ' ').replace(/\[ | \]/g, (end) => end.trim()),
  );
  await writeFile(path, `${text}\n`);
}

function nested(ratios: readonly Ratio[]): LaneBaseline['ratios'] {
  const all: Record<string, Record<string, number>> = {};
  for (const { command, rival, median } of ratios) {
    all[command] ??= {};
    all[command][rival] = Math.round(median * 1000) / 1000;
  }
  return all;
}

/** One ratio of the baseline beside what was measured now. */
export interface Verdict {
  readonly command: string;
  readonly rival: string;
  readonly was: number;
  /** undefined: the command or the rival took no part. */
  readonly is: number | undefined;
  readonly isWorse: boolean;
}

export function verdictsOf({ ratios }: LaneBaseline, measured: readonly Ratio[]): Verdict[] {
  return Object.entries(ratios).flatMap(([command, rivals]) =>
    Object.entries(rivals).map(([rival, was]): Verdict => {
      const is = measured.find((ratio) => ratio.command === command && ratio.rival === rival)?.median;
      return { command, rival, was, is, isWorse: is !== undefined && is > was * (1 + tolerance) };
    }),
  );
}
