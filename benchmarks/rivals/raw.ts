import { resolve } from 'node:path';
import type { BenchDatabase, DatabaseName } from '../bench-database.ts';
import type { Haul, Rival } from './haul.ts';
import type { RawOrder, RawWork } from './raw-program.ts';

/** This module runs as dist/benchmarks/rivals/raw.js. */
const program = resolve(import.meta.dirname, 'raw-program.js');

/** PostgreSQL to PostgreSQL: COPY out piped into COPY in, in one process without an engine. */
export const rawCopy: Rival = async (haul) => raw('the driver alone: COPY into COPY', 'copy', haul);

/** MySQL as a source: rows are read and thrown away, so this is the half of the work that no target slows down. */
export const rawRows: Rival = async (haul) => ({
  ...raw('the driver alone: rows read, thrown away', 'rows', haul),
  // It counts what it reads, and fails if that is wrong.
  check: async () => undefined,
});

/** PostgreSQL as a source, likewise. */
export const rawCopyOut: Rival = async (haul) => ({
  ...raw('the driver alone: COPY out, thrown away', 'copy-out', haul),
  check: async () => undefined,
});

/** MySQL as a target: LOAD DATA of a ready file through the driver of dray. */
export const rawLoad: Rival = async (haul) => {
  const file = await haul.arena.readyFile('mysql', haul.freight);
  return raw('the driver alone: LOAD DATA of a ready file', 'load', haul, file);
};

function raw(title: string, work: RawWork, { source, target, freight, table }: Haul, file?: string) {
  const order: RawOrder = {
    work,
    source: urlOf(source, 'source'),
    target: urlOf(target, 'target'),
    table,
    rows: freight.rows,
    ...(file === undefined ? {} : { file }),
  };
  return {
    title,
    isRival: true,
    command: { words: [process.execPath, program], env: { DRAY_BENCH_RAW: JSON.stringify(order) } },
  };
}

function urlOf({ kind, user, password, port }: BenchDatabase, database: DatabaseName): string {
  return `${kind}://${user}:${password}@127.0.0.1:${port}/${database}`;
}
