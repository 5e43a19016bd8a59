import { isDeepStrictEqual } from 'node:util';
import { DrayError, type ReaderPlugin, type WriterPlugin } from '../sdk/index.ts';
import type { JobText } from './job-text.ts';
import type { End } from './load-job.ts';
import { type Path, placeInJob, textOf } from './validate.ts';

/** A reader and a writer of one target. */
interface Pair {
  readonly reader: End<ReaderPlugin>;
  readonly writer: End<WriterPlugin>;
}

interface Where {
  readonly job: JobText;
  /** Of the writer. */
  readonly path: Path;
}

const remedy = 'Write one content per target table.';

/**
 * What a content of DataX means whose writer names several targets: its n-th task writes into the n-th. That can be told where its tasks are the tables that
 * the reader names, so that the n-th of them goes into the n-th target.
 * @param channels of the job; undefined: it does not say
 * @returns one pair, where the writer has one target
 * @throws DrayError JOB_INVALID where it is left to chance
 */
export function pairsOf(reader: End<ReaderPlugin>, writer: End<WriterPlugin>, channels: number | undefined, where: Where): Pair[] {
  const targets = writer.plugin.eachTarget?.(writer.options) ?? [];
  if (targets.length < 2) return [{ reader, writer }];
  const sources = reader.plugin.eachSource?.(reader.options, channels) ?? `the tasks of ${reader.plugin.name} are no tables`;
  if (typeof sources === 'string') throw unpaired(targets.length, sources, where);
  if (sources.length !== targets.length) throw unpaired(targets.length, `the reader names ${sources.length}`, where);
  if (targets.some((target, index) => targets.slice(0, index).some((other) => isDeepStrictEqual(target, other)))) {
    throw new DrayError('JOB_INVALID', `${textOf(where.path)} names a table twice: the second load could empty or replace the first`, {
      place: placeInJob(where.job, where.path),
      remedy: 'Read what goes into one table as one content: its reader may name several tables.',
    });
  }
  return targets.map((target, index) => ({ reader: { ...reader, options: sources[index]! }, writer: { ...writer, options: target } }));
}

/** @throws DrayError JOB_INVALID if a writer that stands for itself names several targets */
export function requireOneTarget({ plugin, options }: End<WriterPlugin>, { job, path }: Where): void {
  const targets = plugin.eachTarget?.(options).length ?? 1;
  if (targets < 2) return;
  const message = `${textOf(path)} names ${targets} tables, and has room for one`;
  throw new DrayError('JOB_INVALID', message, { place: placeInJob(job, path), remedy: 'Write a target of its own for each.' });
}

function unpaired(targets: number, why: string, { job, path }: Where): DrayError {
  const message = `${textOf(path)} names ${targets} tables, of which the n-th task of DataX writes the n-th, and ${why}`;
  return new DrayError('JOB_INVALID', message, { place: placeInJob(job, path), remedy });
}
