import { createHash } from 'node:crypto';
import { hostname, uptime } from 'node:os';
import { DrayError, type Schema, z } from 'dray/sdk';
import { RowDigest } from '../codecs/row-digest.ts';
import type { Receipt, Storage } from '../storage/storage.ts';
import { manifestName, type SetNames, sidecarSuffix, successName } from './names.ts';
import {
  documentBytes,
  type Manifest,
  manifestSchema,
  manifestVersion,
  parseDocument,
  type Sidecar,
  type Success,
  sidecarColumns,
  successSchema,
} from './sidecar.ts';
import { type SigningKey, signed } from './signature.ts';
import { putSmall, readSmall } from './small-files.ts';

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

/** A run on another host that was publishing so long ago is taken for dead. */
const patienceMs = 15 * 60_000;

const journalSchema = z.looseObject({
  run: z.string(),
  created: z.string(),
  host: z.string(),
  pid: z.number(),
  files: z.array(z.string()),
  /** As that run was told, whatever the next one is told. */
  keepsEarlier: z.boolean().optional(),
});

/**
 * Makes a set visible. What a crash leaves between any two steps is settled by the next run: the journal says what was about to appear, and the manifest
 * is the point behind which it is rolled forward.
 */
export async function publishSet(
  facts: SetFacts,
  schema: Schema,
  files: readonly FinishedFile[],
  { rowDigest, hasSidecars, onVisible }: { rowDigest: RowDigest; hasSidecars: boolean; onVisible: (path: string) => void },
): Promise<void> {
  const { storage, folder, names, run } = facts;
  const at = (name: string) => storage.join(folder, name);
  const journal: z.output<typeof journalSchema> = {
    run,
    created: new Date().toISOString(),
    host: hostname(),
    pid: process.pid,
    files: files.map(({ name }) => name),
    keepsEarlier: facts.keepsEarlier,
  };
  await putSmall(storage, at(names.journal), Buffer.from(JSON.stringify(journal)));
  for (const { receipt } of files) {
    await storage.publish(receipt, { replaces: false });
    onVisible(receipt.path);
  }
  if (hasSidecars) await describeSet(facts, schema, files, { rowDigest, onVisible });
  if (!facts.keepsEarlier) await removeEarlier(facts);
  await storage.remove(at(names.journal));
}

/** Sidecars, then the manifest, which is the point of no return, then `_SUCCESS`. */
async function describeSet(
  facts: SetFacts,
  schema: Schema,
  files: readonly FinishedFile[],
  { rowDigest, onVisible }: { rowDigest: RowDigest; onVisible: (path: string) => void },
): Promise<void> {
  const { storage, folder, names, run, signal } = facts;
  const at = (name: string) => storage.join(folder, name);
  // Another content of this run may have written into the same set.
  const earlier = await readSmall(storage, at(names.manifest), signal);
  const before = earlier === undefined ? undefined : parseDocument(manifestSchema, earlier, storage.nameOf(at(names.manifest)));
  if (before !== undefined) rowDigest.merge(RowDigest.parse(before.rowDigest));
  const listed = [...(before?.files ?? [])];
  for (const { name, sidecar } of files) {
    const bytes = documentBytes(sidecar);
    await putSmall(storage, at(name + sidecarSuffix), bytes);
    onVisible(at(name + sidecarSuffix));
    const { rows, storedBytes, sha256 } = sidecar;
    listed.push({ file: name, rows, storedBytes, sha256, sidecarSha256: sha256Of(bytes) });
  }
  const manifest: Manifest = {
    format: manifestVersion,
    fileName: facts.fileName,
    job: facts.job,
    run,
    created: new Date().toISOString(),
    rows: listed.reduce((sum, { rows }) => sum + rows, 0),
    rowDigest: String(rowDigest),
    columns: sidecarColumns(schema),
    files: listed,
  };
  const bytes = documentBytes(manifest);
  await putSmall(storage, at(names.manifest), bytes);
  await markSuccess(facts, run, bytes);
}

/** Writes `_SUCCESS` anew, with this set beside those of other names, and beside earlier ones of its own that stay. */
async function markSuccess(
  { storage, folder, fileName, keepsEarlier, signatureKey, signal }: SetFacts,
  run: string,
  manifest: Buffer,
): Promise<void> {
  const path = storage.join(folder, successName);
  const before = await readSuccess(storage, folder, signal);
  const earlier = keepsEarlier ? (before?.sets[fileName] ?? []).filter((one) => one.run !== run) : [];
  const entry: Success['sets'][string][number] = {
    manifest: manifestName(fileName, run),
    sha256: sha256Of(manifest),
    run,
    ...(signatureKey === undefined ? {} : { signature: { ...signed(manifest, signatureKey) } }),
  };
  const sets: Success['sets'] = { ...before?.sets, [fileName]: [...earlier, entry] };
  const success: Success = { format: 'dray-success/1', sets };
  await putSmall(storage, path, documentBytes(success));
}

/** undefined: there is none, or one of another program (Hadoop leaves an empty one). */
export async function readSuccess(storage: Storage, folder: string, signal: AbortSignal): Promise<Success | undefined> {
  const path = storage.join(folder, successName);
  const bytes = await readSmall(storage, path, signal);
  if (bytes === undefined || bytes.length === 0) return undefined;
  return parseDocument(successSchema, bytes, storage.nameOf(path));
}

/** Files of this name that other runs have made, and what they left unfinished. */
async function removeEarlier({ storage, folder, fileName, names, run }: SetFacts): Promise<void> {
  const isEarlier = (name: string) => name === fileName || ![run, undefined].includes(names.runOf(name));
  for (const { path } of await storage.filesIn(folder)) if (isEarlier(nameIn(path))) await storage.remove(path);
  for (const receipt of await storage.unfinishedIn(folder)) if (isEarlier(nameIn(receipt.path))) await storage.discard(receipt);
}

export function nameIn(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Settles what crashed runs of this name have left half visible. Before a run begins to write. */
export async function settleCrashed(facts: SetFacts): Promise<void> {
  const { storage, folder, fileName, names, run, signal } = facts;
  for (const { path } of await storage.filesIn(folder)) {
    const name = nameIn(path);
    const other = names.runOf(name);
    if (!name.endsWith('.publishing.json') || other === undefined || other === run) continue;
    const bytes = await readSmall(storage, path, signal);
    if (bytes === undefined) continue;
    const journal = parseDocument(journalSchema, bytes, storage.nameOf(path));
    refuseIfAlive(journal, storage.nameOf(folder));
    const manifest = await readSmall(storage, storage.join(folder, manifestName(fileName, other)), signal);
    if (manifest === undefined) {
      for (const file of journal.files) {
        if (names.runOf(file) !== other) continue;
        await storage.remove(storage.join(folder, file));
        await storage.remove(storage.join(folder, file + sidecarSuffix));
      }
      for (const receipt of await storage.unfinishedIn(folder))
        if (names.runOf(nameIn(receipt.path)) === other) await storage.discard(receipt);
    } else {
      parseDocument(manifestSchema, manifest, storage.nameOf(folder));
      await markSuccess({ ...facts, keepsEarlier: journal.keepsEarlier ?? true }, other, manifest);
    }
    await storage.remove(path);
  }
}

function refuseIfAlive({ run, host, pid, created }: z.output<typeof journalSchema>, folder: string): void {
  const age = Date.now() - Date.parse(created);
  // A process of before the last start of this machine is gone, whoever has its number now.
  const isOver = host === hostname() ? pid === process.pid || age > uptime() * 1000 || !isRunning(pid) : age > patienceMs;
  if (isOver) return;
  throw new DrayError('FILE_EXISTS', `the run ${run} is making its files visible in ${folder} (process ${pid} on ${host})`, {
    place: folder,
    remedy: 'Wait for it to end, and run the job again.',
  });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

export function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
