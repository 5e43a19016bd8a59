import type { Job } from '../job/load-job.ts';
import { DrayError, type Guarantee, type Writer } from '../sdk/index.ts';

/**
 * What a content promises of its rows: what the job asks for, if the target can do it.
 * @param warn told of a weaker promise, where the job allows one
 * @throws DrayError GUARANTEE_IMPOSSIBLE
 */
export async function guaranteeOf(
  wanted: Job['guarantee'],
  writer: Writer,
  { name, warn }: { name: string; warn: (message: string) => void },
): Promise<Guarantee> {
  if (wanted === 'at-least-once') return wanted;
  const obstacle =
    writer.refusesExactlyOnce === undefined
      ? `the writer "${name}" cannot tell what it has written before`
      : await writer.refusesExactlyOnce();
  if (obstacle === undefined) return 'exactly-once';
  if (wanted === 'exactly-once')
    throw new DrayError('GUARANTEE_IMPOSSIBLE', `exactly-once is not possible: ${obstacle}`, { side: 'target' });
  warn(`exactly-once is not possible, and the run goes on with at-least-once: ${obstacle}`);
  return 'at-least-once';
}
