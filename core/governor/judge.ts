import type { SourceHealth } from '../sdk/index.ts';
import type { SourceLimits } from './limits.ts';

/** `near`: right, but too near to a limit to do more. `terrible`: nothing new should begin. */
export type Verdict = 'good' | 'near' | 'bad' | 'terrible';

export interface Judgement {
  readonly verdict: Verdict;
  /** What decided it, as a part of a sentence: `48 threads running, limit 32`. */
  readonly cause: string;
}

const nearShare = 0.8;
const terribleShare = 4;
/** Connections of the server that should stay free for others. */
const freeShare = 0.05;

const order: readonly Verdict[] = ['good', 'near', 'bad', 'terrible'];

/** Holds what a server says of itself against the limits; the worst figure decides. Figures that are not there decide nothing. */
export function judge(health: SourceHealth, limits: SourceLimits): Judgement {
  const { threadsRunning, replicaLagSeconds, canaryMs, maxConnections: most, usedConnections: used } = health;
  const judgements: Judgement[] = [
    against(threadsRunning, limits.maxThreadsRunning, (value, limit) => `${value} threads running, limit ${limit}`),
    against(replicaLagSeconds, limits.maxReplicaLagSeconds, (value, limit) => `replica lag ${value} s, limit ${limit} s`),
    against(canaryMs, limits.maxLatencyMs, (value, limit) => `an empty query took ${value} ms, limit ${limit} ms`),
  ];
  if (most !== undefined && used !== undefined && most - used < Math.floor(freeShare * most)) {
    judgements.push({ verdict: 'bad', cause: `${used} of ${most} connections are taken` });
  }
  return judgements.reduce((worst, one) => (order.indexOf(one.verdict) > order.indexOf(worst.verdict) ? one : worst));
}

function against(value: number | undefined, limit: number | undefined, sentence: (value: number, limit: number) => string): Judgement {
  if (value === undefined || limit === undefined) return { verdict: 'good', cause: '' };
  const verdict = value > terribleShare * limit ? 'terrible' : value > limit ? 'bad' : value > nearShare * limit ? 'near' : 'good';
  return { verdict, cause: sentence(Math.round(10 * value) / 10, limit) };
}
