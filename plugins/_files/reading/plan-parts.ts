import { LF, type Schema, type Split, type SplitHint } from 'dray/sdk';
import type { Codec } from '../codecs/codec.ts';
import { isMarked } from '../codecs/seek-table.ts';
import type { FileFormat, IndexedFile, IndexedFormat } from '../formats/format.ts';
import type { FoundFile } from '../set/find-set.ts';
import type { Storage } from '../storage/storage.ts';
import { openIndexed } from './file-access.ts';
import { type FilePart, partAsJson } from './file-part.ts';

/** A smaller part is not worth a task of its own; counted before packing, if that is known. */
const minPartBytes = 4 << 20;
/** Of one file: each part costs a transaction, and a place in every report. */
const maxParts = 250;
const sampleBytes = 64 * 1024;
const markBytes = 64;

/** What decides how files are cut. */
export interface PartsPlan {
  readonly storage: Storage;
  readonly format: FileFormat | IndexedFormat;
  readonly codecsOf: (path: string) => readonly Codec[];
  /** Of the rows; asked for only if a file is to be cut. */
  readonly schema: () => Promise<Schema>;
  /** The file will be fetched when it is verified. */
  readonly isStaged: (file: FoundFile) => boolean;
  /** The file can be read twice without fetching it twice. */
  readonly isNear: (file: FoundFile) => boolean;
  readonly hint: SplitHint;
  readonly signal: AbortSignal;
}

/** One split for each file, or several for a big one, in order. Reads no more than the ends of files. */
export async function planParts(files: readonly FoundFile[], plan: PartsPlan): Promise<Split[]> {
  const bytesPerTask = plan.hint.bytesPerTask(files.reduce((sum, { bytes }) => sum + bytes, 0));
  const sample = files.find(({ path, bytes }) => bytes > 0 && plan.codecsOf(path).length === 0);
  const rowBytes = sample === undefined || !('decoder' in plan.format) ? undefined : await bytesPerLine(sample, plan);
  const splits: Split[] = [];
  for (const file of files) {
    const guess = rowBytes === undefined || plan.codecsOf(file.path).length > 0 ? undefined : Math.round(file.bytes / rowBytes);
    splits.push(...(await splitsOf(file, file.expected?.rows ?? guess, bytesPerTask, plan)));
  }
  return splits;
}

async function splitsOf(file: FoundFile, rows: number | undefined, bytesPerTask: number, plan: PartsPlan): Promise<Split[]> {
  const { path, version, bytes, expected } = file;
  const pieces = piecesOf(file, bytesPerTask, plan.hint);
  const whole: FilePart = {
    path,
    version,
    bytes,
    isStaged: plan.isStaged(file),
    ...(expected?.rows === undefined ? {} : { rows: expected.rows }),
  };
  const splitOf = (part: FilePart, share: number, facts: Partial<Split>): Split => ({
    name: plan.storage.nameOf(path),
    part: partAsJson(part),
    estimatedBytes: Math.round(bytes * share),
    ...(rows === undefined ? {} : { estimatedRows: Math.round(rows * share) }),
    ...facts,
  });
  if (pieces < 2) return [splitOf(whole, 1, {})];
  const parts = await ('decoder' in plan.format
    ? cutByBytes(file, plan.format, pieces, plan)
    : cutByGroups(file, plan.format, pieces, plan));
  if (typeof parts === 'string') return [splitOf(whole, 1, { why: parts })];
  return parts.map(({ share, estimatedRows, ...part }, index) =>
    splitOf({ ...whole, ...part }, share, {
      name: `${plan.storage.nameOf(path)} (${index + 1} of ${parts.length})`,
      why: 'its reader has cut the file',
      ...(estimatedRows === undefined ? {} : { estimatedRows }),
    }),
  );
}

/** What makes a part of a file, and how much of it. */
type CutPart = Pick<FilePart, 'cut' | 'groups'> & { readonly share: number; readonly estimatedRows?: number };

function piecesOf({ bytes, expected }: FoundFile, bytesPerTask: number, { channels }: SplitHint): number {
  if (channels === 1) return 1;
  const plainBytes = expected?.sidecar?.rawBytes ?? bytes;
  return Math.min(Math.round(bytes / bytesPerTask), Math.floor(plainBytes / minPartBytes), maxParts);
}

/** Parts of about equal size; or why there are none. */
async function cutByBytes(file: FoundFile, format: FileFormat, pieces: number, plan: PartsPlan): Promise<CutPart[] | string> {
  if (!(await canBeUnpackedAnywhere(file, plan))) return 'as it is packed it can be read from its start only';
  if (format.counter(await plan.schema()) === undefined)
    return 'with its encoding, escapes or columns only reading tells where a row begins';
  if (!plan.isNear(file)) return 'to find out where rows begin it would be fetched twice';
  const cuts = Array.from({ length: pieces }, (_, index) => Math.round((file.bytes * index) / pieces));
  return cuts.map((from, index) => ({ cut: { from, to: cuts[index + 1] ?? null }, share: 1 / pieces }));
}

async function canBeUnpackedAnywhere({ path, expected }: FoundFile, { codecsOf, storage, signal }: PartsPlan): Promise<boolean> {
  const codecs = codecsOf(path);
  if (codecs.some(({ readerAt }) => readerAt === undefined)) return false;
  if (codecs[0]?.isFramed !== true || expected?.sidecar !== undefined) return true;
  // Other programs make one frame of a file.
  if (codecs.length > 1) return false;
  const start: Buffer[] = [];
  for await (const chunk of storage.read(path, { from: 0, to: markBytes }, signal)) start.push(Buffer.from(chunk));
  return isMarked(Buffer.concat(start));
}

async function cutByGroups(file: FoundFile, format: IndexedFormat, pieces: number, plan: PartsPlan): Promise<CutPart[] | string> {
  const { storage, signal } = plan;
  const access = { storage, path: file.path, bytes: file.bytes, name: storage.nameOf(file.path) };
  let index: IndexedFile;
  try {
    index = await openIndexed(access, format, signal);
  } catch {
    signal.throwIfAborted();
    // The verification may know better what is wrong with it; else reading it tells.
    return 'its index cannot be read';
  }
  const { parts } = index;
  const total = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  const ends: number[] = [];
  let below = 0;
  for (const [at, { bytes }] of parts.entries()) {
    below += bytes;
    if (below >= (total * (ends.length + 1)) / pieces || at === parts.length - 1) ends.push(at + 1);
  }
  if (ends.length < 2) return 'it has one row group';
  return ends.map((to, piece) => {
    const from = ends[piece - 1] ?? 0;
    const own = parts.slice(from, to);
    const rows = own.reduce((sum, one) => sum + one.rows, 0);
    const share = own.reduce((sum, { bytes }) => sum + bytes, 0) / total;
    return { groups: { from, to, of: parts.length, rows }, share, estimatedRows: rows };
  });
}

/** Of the first lines of a file. */
async function bytesPerLine({ path, bytes }: FoundFile, { storage, signal }: PartsPlan): Promise<number | undefined> {
  let length = 0;
  let lines = 0;
  for await (const chunk of storage.read(path, { from: 0, to: Math.min(bytes, sampleBytes) }, signal)) {
    length += chunk.length;
    for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, at + 1)) lines++;
  }
  return lines === 0 ? undefined : length / lines;
}
