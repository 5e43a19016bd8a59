import { DrayError } from 'dray/sdk';
import type { Storage, StoredFile } from '../storage/storage.ts';
import { isBesideData, safeName, sidecarSuffix, successName } from './names.ts';
import { nameIn, readSuccess, sha256Of } from './publish.ts';
import { type Manifest, manifestSchema, parseDocument, type Sidecar, type Success, sidecarSchema } from './sidecar.ts';
import { isSigned, type SigningKey } from './signature.ts';
import { readSmall } from './small-files.ts';

/** What is known beforehand of a file that will be read. */
export interface Expected {
  readonly storedBytes: number;
  /** Of the stored bytes; absent where only an older kind of sidecar is there. */
  readonly sha256?: string;
  readonly md5?: string;
  readonly rows?: number;
  readonly rowDigest?: string;
  readonly sidecar?: Sidecar;
}

export interface FoundFile extends StoredFile {
  /** undefined: nothing stands beside it, it is taken as it is. */
  readonly expected: Expected | undefined;
}

export interface FindOptions {
  /** `auto`: a set that is there is verified, a file beside which nothing stands is taken as it is; `require`: it is refused. */
  readonly verify: 'auto' | 'require' | 'none';
  readonly ready: 'require' | 'ignore';
  /** A path without a file is no error. */
  readonly allowsNone?: boolean;
  readonly signatureKey: SigningKey | undefined;
  readonly signal: AbortSignal;
}

/** Of what other programs put beside a file. */
const otherSuffix = /\.(?:sha256|md5|count)$/;

/**
 * The files that `paths` mean, with what their sidecars and manifests say. Of a folder with finished sets just the files of these are taken; a run that has
 * not finished is not seen.
 */
export async function findSetFiles(storage: Storage, paths: readonly string[], options: FindOptions): Promise<FoundFile[]> {
  for (let looks = 1; ; looks++) {
    const marks: Marks = new Map();
    const outcome = await findOnce(storage, paths, { ...options, marks }).then(
      (files) => ({ files }),
      (error: unknown) => ({ error, files: undefined }),
    );
    if (looks === mostLooks || options.signal.aborted || !(await isReplaced(storage, marks, options.signal))) {
      if (outcome.files === undefined) throw outcome.error;
      return outcome.files;
    }
  }
}

/** A set that is replaced faster than it can be looked at. */
const mostLooks = 10;

/** What `_SUCCESS` said, by folder. */
type Marks = Map<string, string>;

/** Whether a set was replaced meanwhile: then what was listed and what was read do not belong together. */
async function isReplaced(storage: Storage, marks: Marks, signal: AbortSignal): Promise<boolean> {
  for (const [folder, mark] of marks) if (JSON.stringify(await readSuccess(storage, folder, signal)) !== mark) return true;
  return false;
}

async function findOnce(storage: Storage, paths: readonly string[], options: FindOptions & { marks: Marks }): Promise<FoundFile[]> {
  const found = new Map<string, StoredFile>();
  // Folders that are read whole: their marks are among what the paths mean.
  const whole = new Set<string>();
  for (const path of paths) {
    const all = await storage.find(path);
    for (const one of all) if (nameIn(one.path) === successName) whole.add(folderOf(one.path));
    // What is named is meant, whatever it is called.
    const isThere = new Set(all.map((one) => one.path));
    const isBeside = (one: string) => isBesideData(nameIn(one)) || (otherSuffix.test(one) && isThere.has(one.replace(otherSuffix, '')));
    const files = all.filter(({ path: one }) => nameIn(one) === nameIn(path) || !isBeside(one));
    if (files.length === 0 && options.ready === 'ignore' && options.allowsNone !== true) {
      throw new DrayError('PATH_MISSING', `there is no file at ${storage.nameOf(path)}`, { place: storage.nameOf(path) });
    }
    for (const file of files) found.set(file.path, file);
    if (options.ready === 'require') await requireReady(storage, path, files, options.signal);
  }
  const all = [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  if (options.verify === 'none') return all.map((file) => ({ ...file, expected: undefined }));
  const folders = new Map<string, Folder>();
  const result: FoundFile[] = [];
  for (const file of all) {
    const at = folderOf(file.path);
    const folder = folders.get(at) ?? (await readFolder(storage, at, options));
    folders.set(at, folder);
    const expected = await expectedOf(storage, file, folder, options);
    if (expected === 'unfinished') continue;
    result.push({ ...file, expected });
  }
  for (const at of whole) {
    const folder = folders.get(at) ?? (await readFolder(storage, at, options));
    refuseMissing(storage, folder, found);
    // The list of files is older than the set: it is to be made again.
    const isUnseen = [...folder.listed.keys()].some((name) => !found.has(storage.join(at, name)));
    if (isUnseen) options.marks.set(at, '');
  }
  return result;
}

async function requireReady(storage: Storage, path: string, files: readonly StoredFile[], signal: AbortSignal): Promise<void> {
  const folders = files.length === 0 ? [path.replace(/\/+$/, '')] : [...new Set(files.map((file) => folderOf(file.path)))];
  for (const folder of folders) {
    const mark = storage.join(folder, successName);
    signal.throwIfAborted();
    if ((await storage.facts(mark)) !== undefined) continue;
    throw new DrayError('FILES_NOT_READY', `there is no ${successName} in ${storage.nameOf(folder)}`, { place: storage.nameOf(mark) });
  }
}

function folderOf(path: string): string {
  const at = path.lastIndexOf('/');
  return at === 0 ? '/' : at === -1 ? '' : path.slice(0, at);
}

interface Folder {
  readonly path: string;
  readonly success: Success | undefined;
  /** Of finished sets, by name of the file. */
  readonly listed: Map<string, { readonly manifest: Manifest; readonly entry: Manifest['files'][number] }>;
  /** Starts of the names of finished sets' files. */
  readonly starts: string[];
  /** Names of files that are there. */
  readonly present: Set<string>;
}

async function readFolder(
  storage: Storage,
  path: string,
  { signatureKey, signal, marks }: FindOptions & { marks: Marks },
): Promise<Folder> {
  const success = await readSuccess(storage, path, signal);
  marks.set(path, JSON.stringify(success));
  const present = new Set((await storage.filesIn(path)).map((file) => nameIn(file.path)));
  refuseEmptied(storage, path, success, present);
  const folder: Folder = { path, success, listed: new Map(), starts: [], present };
  for (const [fileName, entries] of Object.entries(success?.sets ?? {})) {
    for (const { manifest: name, sha256, run, signature } of entries) {
      const at = storage.join(path, safeName(name, storage.nameOf(storage.join(path, successName))));
      const place = storage.nameOf(at);
      const bytes = await readSmall(storage, at, signal);
      if (bytes === undefined) throw new DrayError('FILE_MISSING', `the manifest ${place} is not there`, { place });
      if (sha256Of(bytes) !== sha256)
        throw new DrayError('FILE_FORGED', `${place} is not the manifest that ${successName} names`, { place });
      if (signatureKey !== undefined && (signature === undefined || !isSigned(bytes, signature, signatureKey))) {
        const what = signature === undefined ? 'is not signed' : 'is signed with another key';
        throw new DrayError('SIGNATURE_WRONG', `the manifest ${place} ${what}`, { place });
      }
      const manifest = parseDocument(manifestSchema, bytes, place);
      if (manifest.fileName !== fileName || manifest.run !== run)
        throw new DrayError('FILE_FORGED', `${place} is that of another set`, { place });
      for (const entry of manifest.files) folder.listed.set(safeName(entry.file, place), { manifest, entry });
      folder.starts.push(`${fileName}__${run}_`);
    }
  }
  if (signatureKey !== undefined && folder.listed.size === 0) {
    throw new DrayError('SIGNATURE_WRONG', `no set in ${storage.nameOf(path)} is signed`, { place: storage.nameOf(path) });
  }
  return folder;
}

/** An empty mark is that of another program; beside a manifest that is not about to be finished it is what a power cut has left of ours. */
function refuseEmptied(storage: Storage, path: string, success: Success | undefined, present: ReadonlySet<string>): void {
  if (success !== undefined || !present.has(successName)) return;
  const manifest = [...present].find(
    (name) => name.endsWith('.manifest.json') && !present.has(`.${name.slice(0, -'.manifest.json'.length)}.publishing.json`),
  );
  if (manifest === undefined) return;
  const place = storage.nameOf(storage.join(path, successName));
  throw new DrayError('FILE_FORGED', `${place} is empty, though ${manifest} stands beside it`, { place });
}

const ofSomeRun = /^(.+)__\d{8}-\d{6}-[0-9a-f]{6}_\d{4,}/s;

async function expectedOf(
  storage: Storage,
  file: StoredFile,
  folder: Folder,
  { verify, signatureKey, signal }: FindOptions,
): Promise<Expected | 'unfinished' | undefined> {
  const name = nameIn(file.path);
  const place = storage.nameOf(file.path);
  const listed = folder.listed.get(name);
  if (listed === undefined) {
    if (folder.starts.some((start) => name.startsWith(start)))
      throw new DrayError('FILE_UNLISTED', `${place} is not in the manifest of its set`, { place });
    const setName = ofSomeRun.exec(name)?.[1];
    // A set that is being made, or one that is being replaced: neither is finished.
    if (setName !== undefined && folder.present.has(`.${name.slice(0, name.lastIndexOf('_'))}.publishing.json`)) return 'unfinished';
    if (setName !== undefined && folder.success?.sets[setName] !== undefined) return 'unfinished';
    if (signatureKey !== undefined) throw new DrayError('SIGNATURE_WRONG', `${place} is in no signed set`, { place });
  }
  const sidecarPath = file.path + sidecarSuffix;
  const bytes = await readSmall(storage, sidecarPath, signal);
  if (bytes === undefined) {
    if (listed !== undefined)
      throw new DrayError('FILE_MISSING', `the sidecar of ${place} is not there`, { place: storage.nameOf(sidecarPath) });
    const other = await otherSidecar(storage, file, signal);
    if (other === undefined && verify === 'require')
      throw new DrayError('FILE_MISSING', `nothing stands beside ${place} that it could be verified with`, { place });
    return other;
  }
  const sidecarPlace = storage.nameOf(sidecarPath);
  if (listed !== undefined && sha256Of(bytes) !== listed.entry.sidecarSha256) {
    throw new DrayError('FILE_FORGED', `${sidecarPlace} is not the sidecar that the manifest names`, { place: sidecarPlace });
  }
  const sidecar = parseDocument(sidecarSchema, bytes, sidecarPlace);
  if (sidecar.file !== name) throw new DrayError('FILE_STALE', `${sidecarPlace} is the sidecar of another file`, { place: sidecarPlace });
  const { storedBytes, sha256, rows, rowDigest } = sidecar;
  return { storedBytes, sha256, rows, rowDigest, sidecar };
}

/** `sha256sum` and `md5sum` lines, and a file with the number of rows and of bytes. */
async function otherSidecar(storage: Storage, { path, bytes }: StoredFile, signal: AbortSignal): Promise<Expected | undefined> {
  for (const [suffix, pattern] of [
    ['sha256', /^\\?([0-9a-f]{64})\b/i],
    ['md5', /^\\?([0-9a-f]{32})\b/i],
  ] as const) {
    const text = await readSmall(storage, `${path}.${suffix}`, signal);
    if (text === undefined) continue;
    const digest = pattern.exec(text.toString('utf8').trim())?.[1]?.toLowerCase();
    if (digest === undefined)
      throw new DrayError('FILE_FORGED', `${storage.nameOf(path)}.${suffix} has no digest`, { place: storage.nameOf(`${path}.${suffix}`) });
    return { storedBytes: bytes, [suffix]: digest };
  }
  const text = await readSmall(storage, `${path}.count`, signal);
  if (text === undefined) return undefined;
  const [, rows, stored] = /^\s*(\d+)[\s,;|]+(\d+)\s*$/.exec(text.toString('utf8')) ?? [];
  if (rows === undefined)
    throw new DrayError('FILE_FORGED', `${storage.nameOf(path)}.count is not "rows bytes"`, { place: storage.nameOf(`${path}.count`) });
  return { storedBytes: Number(stored), rows: Number(rows) };
}

/** Every file of a finished set is there, where the whole folder is read. */
function refuseMissing(storage: Storage, { path, listed, present }: Folder, found: ReadonlyMap<string, StoredFile>): void {
  for (const name of listed.keys()) {
    const at = storage.join(path, name);
    // A link is no file of the folder, and yet found.
    if (present.has(name) || found.has(at)) continue;
    const place = storage.nameOf(at);
    throw new DrayError('FILE_MISSING', `${place} is not there, and the manifest of its set names it`, { place });
  }
}
