import { createHash, createHmac } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type DrayResult, runDray, writeJob } from '../../support/run-dray.ts';

type Parameter = Record<string, unknown>;
export type Document = Record<string, unknown>;

export const sealedWith = { encryptionKey: 'ab'.repeat(32), signatureKey: 'a secret of the shop and the bank' };
export const rowsPerSet = 2000;

/** A set that the real command line has made in a folder, with the names of its files. */
export class MadeSet {
  readonly folder: string;
  readonly run: string;
  readonly data: readonly [string, string];
  readonly sidecars: readonly [string, string];
  readonly manifest: string;

  constructor(folder: string) {
    this.folder = folder;
    const names = readdirSync(folder).sort();
    const sidecars = names.filter((name) => name.endsWith('.meta.json'));
    this.sidecars = sidecars as unknown as [string, string];
    this.data = sidecars.map((name) => name.slice(0, -'.meta.json'.length)) as unknown as [string, string];
    this.manifest = names.find((name) => name.endsWith('.manifest.json'))!;
    this.run = /__(.+)\.manifest\.json$/.exec(this.manifest)![1]!;
    if (sidecars.length !== 2) throw new Error(`Expected a set of two files, found ${names.join(', ')}`);
  }

  at(name: string): string {
    return join(this.folder, name);
  }

  bytes(name: string): Buffer {
    return readFileSync(this.at(name));
  }

  write(name: string, content: Buffer | string | object): void {
    const isText = typeof content === 'string' || Buffer.isBuffer(content);
    writeFileSync(this.at(name), isText ? content : `${JSON.stringify(content, null, 2)}\n`);
  }

  remove(...names: string[]): void {
    for (const name of names) rmSync(this.at(name));
  }

  json(name: string): Document {
    return JSON.parse(this.bytes(name).toString()) as Document;
  }

  edit(name: string, change: (document: Document) => Document): void {
    this.write(name, change(this.json(name)));
  }

  /** Keeps the first part of a file, in sixteenths. */
  truncate(name: string, sixteenths: number): void {
    const bytes = this.bytes(name);
    this.write(name, bytes.subarray(0, Math.floor((bytes.length * sixteenths) / 16)));
  }

  /** Changes one bit at a place from 0 (first byte) to 1 (last byte). */
  flip(name: string, place: number): void {
    const bytes = this.bytes(name);
    bytes[Math.round((bytes.length - 1) * place)]! ^= 4;
    this.write(name, bytes);
  }

  /** Changes the list of files of the manifest. */
  editFiles(change: (files: Document[]) => Document[]): void {
    this.edit(this.manifest, (manifest) => ({ ...manifest, files: change(manifest.files as Document[]) }));
  }

  /** Changes the entries of `_SUCCESS`. */
  editMark(change: (entry: Document) => Document): void {
    this.edit('_SUCCESS', ({ sets, ...rest }) => ({
      ...rest,
      sets: Object.fromEntries(Object.entries(sets as Record<string, Document[]>).map(([name, entries]) => [name, entries.map(change)])),
    }));
  }

  /** Makes the manifest name a sidecar that was changed, as its maker would. */
  rehashSidecar(which: 0 | 1): void {
    const sidecarSha256 = sha256(this.bytes(this.sidecars[which]));
    this.editFiles((files) => files.map((file) => (file.file === this.data[which] ? { ...file, sidecarSha256 } : file)));
  }

  /** Makes `_SUCCESS` name a manifest that was changed, as its maker would; with a key, signed. */
  rehashManifest(signatureKey?: string): void {
    const bytes = this.bytes(this.manifest);
    const value = signatureKey === undefined ? undefined : createHmac('sha256', signatureKey).update(bytes).digest('base64');
    this.editMark((entry) => ({
      ...entry,
      sha256: sha256(bytes),
      ...(value === undefined ? {} : { signature: { algorithm: 'hmac-sha256', value } }),
    }));
  }
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Folders of one test file; jobs of them run three at a time. */
export class Workshop {
  readonly root = mkdtempSync(join(tmpdir(), 'dray-sets-'));
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  newFolder(): string {
    return mkdtempSync(join(this.root, 'case-'));
  }

  /** A copy of a set, to be damaged. */
  copyOf(set: MadeSet): MadeSet {
    const folder = join(this.newFolder(), basename(set.folder));
    cpSync(set.folder, folder, { recursive: true });
    return new MadeSet(folder);
  }

  /** Makes a set of two files with `rowsPerSet` rows in all. */
  async make(folder: string, parameter: Parameter): Promise<DrayResult> {
    mkdirSync(folder, { recursive: true });
    const column = [
      { name: 'id', type: 'long', sequence: 1 },
      { name: 'word', type: 'string', random: '8, 40' },
    ];
    const reader = { name: 'streamreader', parameter: { column, sliceRecordCount: rowsPerSet / 2 } };
    const result = await this.run(reader, { path: folder, fileName: 'orders', writeMode: 'truncate', ...parameter });
    return result;
  }

  /** Makes a set that must come to be. */
  async made(parameter: Parameter): Promise<MadeSet> {
    const folder = join(this.newFolder(), 'set');
    const result = await this.make(folder, parameter);
    if (result.exitCode !== 0) throw new Error(result.stderr);
    return new MadeSet(folder);
  }

  /** Loads a folder into another one, which must be whole and ready unless the parameter says otherwise. */
  async load(path: string, parameter: Parameter = {}, cwd?: string): Promise<DrayResult & { readonly written: string[] }> {
    const job = this.loadJob(path, parameter);
    const result = await this.dray(['run', '--json', job.path], cwd);
    return { ...result, written: job.written() };
  }

  /** A job that does it, and what there is at its target. */
  loadJob(path: string, parameter: Parameter): { path: string; written: () => string[] } {
    const target = join(this.newFolder(), 'target');
    const reader = { name: 'txtfilereader', parameter: { path, verify: 'require', ready: 'require', ...parameter } };
    const job = this.#job(reader, { path: target, fileName: 'loaded', writeMode: 'truncate' });
    return { path: job, written: () => (existsSync(target) ? readdirSync(target) : []) };
  }

  async run(reader: object, writer: Parameter): Promise<DrayResult> {
    return this.dray(['run', '--json', this.#job(reader, writer)]);
  }

  #job(reader: object, writer: Parameter): string {
    const content = [{ reader, writer: { name: 'txtfilewriter', parameter: writer } }];
    return writeJob(this.newFolder(), { job: { setting: { speed: { channel: 2 } }, content } });
  }

  /** Waits its turn. */
  async dray(args: readonly string[], cwd?: string): Promise<DrayResult> {
    while (this.#running >= 3) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running++;
    try {
      return await runDray(args, cwd === undefined ? {} : { cwd });
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  close(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
