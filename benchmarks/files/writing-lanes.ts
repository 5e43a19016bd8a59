import { join } from 'node:path';
import type { Arena } from '../arena.ts';
import { drayContestant, passwordOf, tableReader, writeJob } from '../dray-job.ts';
import { orders } from '../fixtures/orders.ts';
import type { FileCourse } from './file-lanes.ts';
import { type WritingRival, writingRival } from './file-rivals.ts';
import type { PlaceKind } from './place.ts';
import { intoFiles } from './written-set.ts';

export type Packing = 'none' | 'gzip' | 'zstd';

/** CSV as PostgreSQL writes it: NULL is nothing, and empty texts are quoted. */
export const csv = { fileFormat: 'csv', nullFormat: '' };

/** For a reader: bytes are the only type of the table that texts do not fit into. */
export const csvColumns = orders.columns.map(({ type }, index) => ({ index, type: type === 'bytes' ? 'bytes' : 'string' }));

/**
 * A table into CSV files of a place.
 * @param rivals none: dray is alone, on two channels
 */
export async function tableToFiles(
  arena: Arena,
  rows: number,
  kind: PlaceKind,
  compress: Packing,
  rivals: readonly WritingRival[] = [],
): Promise<FileCourse> {
  const database = await arena.database('postgres');
  const table = await arena.table('postgres', rows);
  const { jobFile, env } = await writingJob(arena, rows, kind, compress);
  const contestants = await Promise.all(rivals.map((rival) => writingRival(rival, arena, table)));
  const channels = rivals.length === 0 ? [2] : [1, 2];
  return {
    contestants: [...contestants, ...channels.map((count) => drayContestant(jobFile, env, { channels: count }))],
    ...intoFiles(await arena.place(kind), database, await arena.expectedDigest('postgres', rows)),
  };
}

/** A job that writes a table as a set of CSV files. */
export async function writingJob(arena: Arena, rows: number, kind: PlaceKind, compress: Packing) {
  const database = await arena.database('postgres');
  const { writer, env } = await arena.place(kind);
  const jobFile = await writeJob(join(arena.folder, `postgres-${kind}-${compress}-${rows}.json`), {
    reader: tableReader(database, 'source', await arena.table('postgres', rows)),
    writer: { ...writer, parameter: { ...writer.parameter, ...csv, writeMode: 'truncate', compress } },
  });
  return { jobFile, env: { ...env, ...passwordOf(database, 'source') } };
}
