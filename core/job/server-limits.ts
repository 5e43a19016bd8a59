import { integer, z } from '../sdk/index.ts';

const positive = () => z.number({ error: 'Expected a number above 0' }).positive({ error: 'Expected a number above 0' });

/** What a job allows itself at the servers of one of its ends: `setting.source` and `setting.target`. */
export function serverLimits(end: 'source' | 'target') {
  return z.strictObject({
    maxConnections: integer({ min: 1 })
      .optional()
      .describe(`Most tasks at once at one ${end} server; each has a connection. Default: half of the connections that it has free`),
    maxMegabytesPerSecond: positive()
      .optional()
      .describe(
        `Most millions of bytes per second ${end === 'source' ? 'from' : 'to'} one ${end} server, of all tasks together. Default: no limit`,
      ),
    maxThreadsRunning: integer({ min: 1 })
      .optional()
      .describe(`With more statements running on the ${end} server, everybody's counted, tasks are slowed down. Default: no limit`),
    maxReplicaLagSeconds: positive()
      .optional()
      .describe(
        'When a replica is further behind, tasks are slowed down: the server itself, or for PostgreSQL the last one that follows it. Default: no limit',
      ),
    maxLatencyMs: positive()
      .optional()
      .describe(`When a query that does nothing takes longer on the ${end} server, tasks are slowed down. Default: no limit`),
  });
}

/** Absent keys are no limit. Times and amounts in the units of the names; a megabyte is a million bytes. */
export type ServerLimits = z.output<ReturnType<typeof serverLimits>>;
