import type { Channel } from '../transport/channel.ts';
import type { RateLimit } from '../transport/rate-limit.ts';
import { ServerFlow } from '../transport/server-flow.ts';

/** The limits of the job, and those of its servers. */
export function allOf(rate: RateLimit, shared: readonly SharedArrayBuffer[]): ConstructorParameters<typeof Channel>[1] {
  const flows = shared.map((memory) => new ServerFlow(memory));
  return {
    isUnlimited: rate.isUnlimited && flows.length === 0,
    async take(bytes, records, signal) {
      await rate.take(bytes, records, signal);
      for (const flow of flows) await flow.take(bytes, signal);
    },
  };
}
