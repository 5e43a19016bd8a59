import { ratiosOf } from '../core/bench/ratios.ts';
import type { LaneResult } from '../core/bench/results.ts';
import { type Baseline, tolerance, type Verdict, verdictsOf } from './baseline.ts';

/** Runs a lane as its baseline was made, with so many runs of each command. */
export type RunAgain = (lane: string, baseline: Baseline['lanes'][string], runs: number) => Promise<LaneResult>;

/** How often the commands of a lane that looks worse are run for the second opinion, as a multiple of the first. */
const secondOpinion = 3;

/**
 * Runs lanes and compares them with the baseline. One that looks worse is run once more, with more runs, before it counts.
 * @param lanes those to look at; all of them are in the baseline
 * @returns names of lanes that are worse, void, or of which nothing could be compared
 */
export async function gate(
  baseline: Baseline,
  lanes: readonly string[],
  runs: number,
  run: RunAgain,
  say: (text: string) => void,
): Promise<string[]> {
  const bad: string[] = [];
  for (const lane of lanes) {
    const wanted = baseline.lanes[lane]!;
    const look = async (count: number) => {
      const result = await run(lane, wanted, count);
      const verdicts = verdictsOf(wanted, ratiosOf(result));
      for (const verdict of verdicts) say(`${lane}: ${sentence(verdict)}`);
      if (result.failure !== undefined) return 'void';
      if (verdicts.every(({ is }) => is === undefined)) return 'nothing could be compared';
      return verdicts.some(({ isWorse }) => isWorse) ? 'worse' : 'good';
    };
    let verdict = await look(runs);
    if (verdict === 'worse') {
      say(`${lane}: again, with ${runs * secondOpinion} runs`);
      verdict = await look(runs * secondOpinion);
    }
    say(`${lane}: ${verdict}`);
    if (verdict !== 'good') bad.push(lane);
  }
  return bad;
}

function sentence({ command, rival, was, is, isWorse }: Verdict): string {
  const told = `${command} ÷ ${rival}: `;
  if (is === undefined) return `${told}not compared, one of them took no part`;
  const change = `${is.toFixed(2)}, baseline ${was.toFixed(2)}, ${is > was ? '+' : ''}${((is / was - 1) * 100).toFixed(0)} %`;
  return told + change + (isWorse ? `, more than ${tolerance * 100} % worse` : '');
}
