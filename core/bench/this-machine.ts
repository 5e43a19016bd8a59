import { availableParallelism, cpus, totalmem } from 'node:os';
import type { Machine } from './results.ts';

/**
 * What a bench ran on.
 * @param servers that ran on it, too, with their versions
 * @param loadBefore of the last minute, before the bench began
 */
export function thisMachine(servers: readonly string[], loadBefore: number): Machine {
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    node: process.versions.node,
    servers,
    loadBefore,
  };
}
