import { uptime } from 'node:os';
import { hasEnded, thisProcess, z } from 'dray/sdk';

/** Who works on a set, for runs that find it half done. */
export const makerSchema = z.looseObject({
  run: z.string(),
  /** ISO 8601, UTC. */
  created: z.string(),
  host: z.string(),
  pid: z.number(),
  /** See ProcessIdentity of the SDK. */
  kernel: z.string().optional(),
  started: z.string().optional(),
});

export type Maker = z.output<typeof makerSchema>;

/** This process, as the maker of a run. */
export function thisMaker(run: string): Maker {
  return { run, created: new Date().toISOString(), ...thisProcess() };
}

/**
 * Whether the process that made a set has ended.
 * @param patienceMs one on another host, where nothing can be asked, is taken for dead after so long
 */
export function isOver(maker: Maker, patienceMs: number): boolean {
  const ageMs = Date.now() - Date.parse(maker.created);
  const ended = hasEnded(maker);
  if (ended === undefined) return ageMs > patienceMs;
  // Where nothing tells when it started: one of before the last start of this machine is gone, whoever has its number now.
  return ended || (maker.kernel === undefined && (maker.pid === process.pid || ageMs > uptime() * 1000));
}
