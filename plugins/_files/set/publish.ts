import { createHash } from 'node:crypto';
import { DrayError, type Schema } from 'dray/sdk';
import { RowDigest } from '../codecs/row-digest.ts';
import type { Receipt, Storage } from '../storage/storage.ts';
import { isJournal, isMark, manifestName, type SetNames, sidecarSuffix, successName } from './names.ts';
import {
  documentBytes,
  type Manifest,
  manifestSchema,
  manifestVersion,
  parseDocument,
  type Sidecar,
  type Success,
  type SuccessEntry,
  sidecarColumns,
  successSchema,
} from './sidecar.ts';
import { type SigningKey, signed } from './signature.ts';
import { putSmall, readSmall } from './small-files.ts';
import { namesIn, runsAtWork, takeTurn } from './turn.ts';

/** A data file that is written and not yet visible. */
export interface FinishedFile {
  readonly receipt: Receipt;
  readonly name: string;
  readonly sidecar: Sidecar;
}

export interface SetFacts {
  readonly storage: Storage;
  readonly folder: string;
  readonly fileName: string;
  readonly run: string;
  readonly job: string;
  readonly names: SetNames;
  /** truncate: sets of earlier runs go; append: they stay. */
  readonly keepsEarlier: boolean;
  readonly signatureKey: SigningKey | undefined;
  readonly signal: AbortSignal;
}

/** Follows what becomes visible, for whoever has to take it back. */
export interface Progress {
  /** A file has got its name, or may have got it; what takes it back. */
  onVisible(undo: () => Promise<void>): void;
  /** Before `_SUCCESS` is written, with what it will say: from here on the set may be seen. */
  onMarked(entry: SuccessEntry): void;
}

export interface PublishOptions extends Progress {
  /** Of all rows of these files. */
  readonly rowDigest: RowDigest;
  readonly hasSidecars: boolean;
  /** An earlier process of the run may have died while it published the same files: what it has made visible stays. */
  readonly isAgain: boolean;
  /** Called when no other run can make anything visible. */
  check(): Promise<void>;
}

interface Document {
  readonly name: string;
  readonly bytes: Buffer;
}

/**
 * Makes a set visible. What a crash leaves between any two steps is settled by the next run: the journal says what was about to appear, and the manifest
 * is the point behind which it is rolled forward. Earlier sets that are to go are there until `_SUCCESS` names this one.
 */
export async function publishSet(
  facts: SetFacts,
  schema: Schema,
  files: readonly FinishedFile[],
  { rowDigest, hasSidecars, isAgain, check, ...progress }: PublishOptions,
): Promise<void> {
  const { storage, folder, names, keepsEarlier } = facts;
  const at = (name: string) => storage.join(folder, name);
  const sidecars = files.map(({ name, sidecar }): Document => ({ name: name + sidecarSuffix, bytes: documentBytes(sidecar) }));
  // Another content of this run may have written into the same set.
  const earlier = hasSidecars ? await readSmall(storage, at(names.manifest), facts.signal) : undefined;
  const manifest = hasSidecars ? manifestOf(facts, schema, files, { rowDigest, sidecars, earlier }) : undefined;
  const entry = manifest === undefined ? undefined : entryOf(facts, manifest);
  await takeTurn(facts, { files: files.map(({ name }) => name), keepsEarlier, ...(entry === undefined ? {} : { entry }) });
  await check();
  const present = new Set(isAgain ? await namesIn(facts) : []);
  for (const { receipt, name } of files) {
    if (present.has(name)) {
      progress.onVisible(() => storage.remove(receipt.path));
      await storage.discard(receipt);
    } else await visible(receipt, facts, progress);
  }
  if (manifest !== undefined && entry !== undefined) {
    if (manifest !== earlier) await describe(facts, sidecars, { manifest, earlier }, progress);
    progress.onMarked(entry);
    await markSuccess(facts, entry);
  }
  if (!keepsEarlier) await removeEarlier(facts);
  await removeUnfinished(facts);
  await storage.remove(at(names.journal));
}

/** Sidecars, and the manifest behind them. */
async function describe(
  { storage, folder, names }: SetFacts,
  sidecars: readonly Document[],
  { manifest, earlier }: { manifest: Buffer; earlier: Buffer | undefined },
  { onVisible }: Progress,
): Promise<void> {
  for (const { name, bytes } of sidecars) {
    const path = storage.join(folder, name);
    onVisible(() => storage.remove(path));
    await putSmall(storage, path, bytes);
  }
  const path = storage.join(folder, names.manifest);
  onVisible(() => (earlier === undefined ? storage.remove(path) : putSmall(storage, path, earlier)));
  await putSmall(storage, path, manifest);
}

/** What attempts that failed, or an earlier process of this run, have left. */
async function removeUnfinished({ storage, folder, names, run }: SetFacts): Promise<void> {
  for (const receipt of await storage.unfinishedIn(folder)) if (names.runOf(nameIn(receipt.path)) === run) await storage.discard(receipt);
}

/** A name that somebody else has is not ours to take back; after a lost connection nobody knows. */
async function visible(receipt: Receipt, { storage }: SetFacts, { onVisible }: Progress): Promise<void> {
  const undo = () => storage.remove(receipt.path);
  try {
    await storage.publish(receipt, { replaces: false });
    onVisible(undo);
  } catch (error) {
    if (error instanceof DrayError && error.code === 'CONNECTION_LOST') onVisible(undo);
    throw error;
  }
}

function manifestOf(
  { storage, folder, fileName, job, run, names }: SetFacts,
  schema: Schema,
  files: readonly FinishedFile[],
  { rowDigest, sidecars, earlier }: { rowDigest: RowDigest; sidecars: readonly Document[]; earlier: Buffer | undefined },
): Buffer {
  const place = storage.nameOf(storage.join(folder, names.manifest));
  const before = earlier === undefined ? undefined : parseDocument(manifestSchema, earlier, place);
  // That of an earlier process: these files are in it.
  if (earlier !== undefined && before?.files.some(({ file }) => file === files[0]?.name)) return earlier;
  if (before !== undefined) rowDigest.merge(RowDigest.parse(before.rowDigest));
  const listed = files.map(({ name, sidecar: { rows, storedBytes, sha256 } }, index) => ({
    file: name,
    rows,
    storedBytes,
    sha256,
    sidecarSha256: sha256Of(sidecars[index]!.bytes),
  }));
  const all = [...(before?.files ?? []), ...listed];
  const manifest: Manifest = {
    format: manifestVersion,
    fileName,
    job,
    run,
    created: new Date().toISOString(),
    rows: all.reduce((sum, { rows }) => sum + rows, 0),
    rowDigest: String(rowDigest),
    columns: sidecarColumns(schema),
    files: all,
  };
  return documentBytes(manifest);
}

/** What `_SUCCESS` says of the set that has this manifest. */
export function entryOf(
  { fileName, run, signatureKey }: Pick<SetFacts, 'fileName' | 'run' | 'signatureKey'>,
  manifest: Buffer,
): SuccessEntry {
  return {
    manifest: manifestName(fileName, run),
    sha256: sha256Of(manifest),
    run,
    ...(signatureKey === undefined ? {} : { signature: { ...signed(manifest, signatureKey) } }),
  };
}

/** Writes `_SUCCESS` anew, with this set beside those of other names, and beside earlier ones of its own that stay. To be called in one's turn. */
export async function markSuccess({ storage, folder, fileName, keepsEarlier, signal }: SetFacts, entry: SuccessEntry): Promise<void> {
  // What a crash has left of this file: nobody but the run whose turn it is begins it.
  for (const receipt of await storage.unfinishedIn(folder)) if (nameIn(receipt.path) === successName) await storage.discard(receipt);
  const before = await readSuccess(storage, folder, signal);
  const earlier = keepsEarlier ? (before?.sets[fileName] ?? []).filter((one) => one.run !== entry.run) : [];
  const success: Success = { format: 'dray-success/1', sets: { ...before?.sets, [fileName]: [...earlier, entry] } };
  await putSmall(storage, storage.join(folder, successName), documentBytes(success));
}

/** undefined: there is none, or one of another program (Hadoop leaves an empty one). */
export async function readSuccess(storage: Storage, folder: string, signal: AbortSignal): Promise<Success | undefined> {
  const path = storage.join(folder, successName);
  const bytes = await readSmall(storage, path, signal);
  if (bytes === undefined || bytes.length === 0) return undefined;
  return parseDocument(successSchema, bytes, storage.nameOf(path));
}

/** Files of this name that other runs have made, and what those that are over left unfinished. */
export async function removeEarlier(facts: SetFacts): Promise<void> {
  const { storage, folder, names, run } = facts;
  const unfinished = await storage.unfinishedIn(folder);
  const present = await namesIn(facts);
  const atWork = await runsAtWork(facts, present);
  const isEarlier = (name: string, isTemporary: boolean) => {
    const other = names.runOf(name);
    return other !== undefined && other !== run && !(atWork.has(other) && (isTemporary || isMark(name) || isJournal(name)));
  };
  for (const name of present) if (isEarlier(name, false)) await storage.remove(storage.join(folder, name));
  for (const receipt of unfinished) if (isEarlier(nameIn(receipt.path), true)) await storage.discard(receipt);
}

export function nameIn(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

export function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
