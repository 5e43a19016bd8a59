import { DrayError } from 'dray/sdk';
import { unchain } from '../codecs/chain.ts';
import type { Codec } from '../codecs/codec.ts';
import type { FileFormat, IndexedFormat, RecordCounter } from '../formats/format.ts';
import type { FoundFile } from '../set/find-set.ts';
import { verifyFile } from '../set/verify.ts';
import type { Storage } from '../storage/storage.ts';
import { type FileAccess, openIndexed } from './file-access.ts';
import type { FilePart } from './file-part.ts';
import type { Staging } from './staging.ts';
import { StartFinder } from './start-finder.ts';

export interface PartsToVerify {
  readonly storage: Storage;
  readonly format: FileFormat | IndexedFormat;
  readonly codecs: readonly Codec[];
  /** Finds out where the parts begin; undefined: there are none. */
  readonly counter: RecordCounter | undefined;
  readonly staging: Staging;
  /** Keeps a copy of the file. */
  readonly isStaged: boolean;
  /** Where it is read from once it has been verified. */
  readonly access: FileAccess;
  readonly signal: AbortSignal;
}

/**
 * Compares a file with what stands beside it, finds out where its parts begin, and compares the number of their rows; all in one pass, unless it has to be unpacked: no
 * byte is unpacked before it has been verified.
 */
export async function verifyParts(file: FoundFile, parts: readonly FilePart[], how: PartsToVerify): Promise<void> {
  const { storage, codecs, counter, staging, access, signal } = how;
  const cuts = [...new Set(parts.flatMap(({ cut }) => (cut === undefined ? [] : [cut.from, cut.to])))]
    .filter((cut) => cut !== null && cut > 0)
    .sort((a, b) => a! - b!) as number[];
  const isFramed = codecs[0]?.isFramed === true;
  const finder = counter === undefined ? undefined : new StartFinder(counter, cuts, isFramed);
  const seen = codecs.length === 0 ? finder : undefined;
  {
    await using copy = how.isStaged ? await staging.begin(access.name) : undefined;
    const keep = async (chunk: Buffer) => {
      seen?.push(chunk);
      await copy?.write(chunk);
    };
    await verifyFile(storage, file, { signal, ...(copy === undefined && seen === undefined ? {} : { keep }) });
  }
  if (finder === undefined) return verifyGroups(file, parts, how);
  if (seen === undefined) {
    const onFrame = isFramed ? { onFrame: finder.frame.bind(finder) } : {};
    for await (const chunk of unchain(codecs, access.storage.read(access.path, { from: 0 }, signal), access.name, onFrame)) {
      signal.throwIfAborted();
      finder.push(chunk);
    }
  }
  const found = finder.end();
  refuseOtherRows(access.name, found.end.rows, file.expected?.rows);
  await staging.keepStarts(access.name, found);
}

/** The plan was made by an index that had not been verified. */
async function verifyGroups(file: FoundFile, parts: readonly FilePart[], { format, access, signal }: PartsToVerify): Promise<void> {
  const groups = parts.find((part) => part.groups !== undefined)?.groups;
  if (groups === undefined || 'decoder' in format) return;
  const index = await openIndexed(access, format, signal);
  refuseOtherRows(access.name, index.rowCount, file.expected?.rows);
  const isSame = parts.every(({ groups: one }) => {
    if (one === undefined) return true;
    return one.of === index.parts.length && one.rows === index.parts.slice(one.from, one.to).reduce((sum, { rows }) => sum + rows, 0);
  });
  if (!isSame) throw new DrayError('FILE_CHANGED', `${access.name} has changed since it was found`, { place: access.name });
}

/** @param expected undefined: nothing says how many there should be */
export function refuseOtherRows(place: string, rows: number, expected: number | undefined): void {
  if (expected === undefined || rows === expected) return;
  throw new DrayError('ROWS_DIFFER', `${place} has ${rows} rows where its sidecar says ${expected}`, { place });
}
