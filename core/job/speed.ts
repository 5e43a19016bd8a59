/** Limits per second; absent, 0 or less: none. */
interface Limits {
  readonly byte?: number | undefined;
  readonly record?: number | undefined;
}

export interface Speed {
  /** Tasks side by side; undefined: to be worked out. */
  readonly channels: number | undefined;
  /** Of the whole job, per second; 0: no limit. */
  readonly bytes: number;
  readonly records: number;
  /** Of one channel, per second; 0: no limit. */
  readonly bytesPerChannel: number;
  readonly recordsPerChannel: number;
}

export const maxChannels = 1000;

/**
 * Channels and limits of a job. As in DataX's JobContainer.adjustChannelNumber, limits of the job and of one channel together say how many channels there are, and
 * then "channel" does not count. Here the limits of the job hold for the job whatever its channels do, and need no limit of a channel beside them.
 */
export function speedOf(job: Limits & { readonly channel?: number | undefined }, channel: Limits = {}): Speed {
  const needed = [channelsFor(job.byte, channel.byte), channelsFor(job.record, channel.record)].filter((count) => count !== undefined);
  return {
    channels: needed.length === 0 ? job.channel : Math.min(...needed, maxChannels),
    bytes: limit(job.byte),
    records: limit(job.record),
    bytesPerChannel: limit(channel.byte),
    recordsPerChannel: limit(channel.record),
  };
}

function channelsFor(ofJob: number | undefined, ofChannel: number | undefined): number | undefined {
  if (limit(ofJob) === 0 || limit(ofChannel) === 0) return undefined;
  return Math.max(1, Math.floor(limit(ofJob) / limit(ofChannel)));
}

function limit(given: number | undefined): number {
  return Math.max(0, given ?? 0);
}
