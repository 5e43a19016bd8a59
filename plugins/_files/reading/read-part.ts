import { DrayError, type RecordOutput } from 'dray/sdk';
import { stretch, unchain, unchainAt } from '../codecs/chain.ts';
import type { Codec } from '../codecs/codec.ts';
import type { FileDecoder, FileFormat, IndexedFormat } from '../formats/format.ts';
import { type CountingOutput, countingOutput } from './counting-output.ts';
import { type FileAccess, openIndexed } from './file-access.ts';
import type { FilePart } from './file-part.ts';
import type { Staging } from './staging.ts';
import type { PartStart } from './start-finder.ts';
import { refuseOtherRows } from './verify-parts.ts';

export interface PartReading {
  readonly access: FileAccess;
  readonly format: FileFormat | IndexedFormat;
  readonly codecs: readonly Codec[];
  readonly staging: Staging;
  readonly signal: AbortSignal;
}

/** Delivers the rows of a file, or of a part of it. ROWS_DIFFER if they are not as many as they should be. */
export async function readPart(part: FilePart, how: PartReading, out: RecordOutput): Promise<void> {
  const { access, format, codecs, signal } = how;
  const { name, storage, path } = access;
  const counting = countingOutput(out);
  if (!('decoder' in format)) {
    const file = await openIndexed(access, format, signal);
    await file.read(counting, signal, part.groups);
    await counting.flush();
    refuseOtherRows(name, counting.rows, part.groups?.rows ?? part.rows);
  } else if (part.cut === undefined) {
    await decode(format.decoder(counting, name), unchain(codecs, storage.read(path, { from: 0 }, signal), name), counting, signal);
    refuseOtherRows(name, counting.rows, part.rows);
  } else {
    await readStretch(part.cut, format, how, counting);
  }
}

async function readStretch(
  cut: NonNullable<FilePart['cut']>,
  format: FileFormat,
  { access, codecs, staging, signal }: PartReading,
  out: CountingOutput,
): Promise<void> {
  const { name, storage, path } = access;
  const { starts, end } = await staging.startsOf(name);
  const startAt = (at: number): PartStart => {
    if (at === 0) return { cut: 0, plain: 0, place: { stored: 0, plain: 0 }, rows: 0, line: 1 };
    const start = starts.find((one) => one.cut === at);
    if (start === undefined) throw new DrayError('INTERNAL', `${name} was not cut at byte ${at} when it was verified`);
    return start;
  };
  const from = startAt(cut.from);
  const to = cut.to === null ? end : startAt(cut.to);
  if (to.plain > from.plain) {
    const read = (offset: number) => storage.read(path, { from: offset }, signal);
    const bytes = stretch(unchainAt(codecs, read, from.place, name), from.plain - from.place.plain, to.plain - from.plain);
    await decode(format.decoder(out, name, from.plain === 0 ? undefined : { line: from.line }), bytes, out, signal);
  }
  const counted = to.rows - from.rows;
  if (out.rows === counted) return;
  const lines = `in the lines ${from.line} to ${to.line - 1}`;
  throw new DrayError('ROWS_DIFFER', `${name} has ${out.rows} rows ${lines}, where ${counted} were counted before`, { place: name });
}

async function decode(decoder: FileDecoder, bytes: AsyncIterable<Buffer>, out: RecordOutput, signal: AbortSignal): Promise<void> {
  for await (const chunk of bytes) {
    // What is in memory already comes without a pause in which the reading itself would notice.
    signal.throwIfAborted();
    decoder.push(chunk);
    while (decoder.fill()) await out.flush();
  }
  decoder.end();
  while (decoder.fill()) await out.flush();
  await out.flush();
}
