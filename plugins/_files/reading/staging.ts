import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DrayError } from 'dray/sdk';
import type { PartStart } from './start-finder.ts';

/** Where the parts of a file begin, as the verification has found them for the tasks. */
export interface FoundStarts {
  readonly starts: readonly PartStart[];
  readonly end: PartStart;
}

/** The folder in which a run keeps what its tasks need of files: copies of those that are far away, and where their parts begin. */
export class Staging {
  readonly #folder: string;
  #isUsed = false;

  constructor(run: string) {
    this.#folder = join(tmpdir(), `dray-${run}`);
  }

  /** Path of the copy of a file. */
  copyOf(name: string): string {
    return join(this.#folder, createHash('sha256').update(name).digest('hex'));
  }

  /** Begins a copy; what is there of it is overwritten. */
  async begin(name: string): Promise<{ write(chunk: Buffer): Promise<void> } & AsyncDisposable> {
    await this.#make();
    const handle = await open(this.copyOf(name), 'w', 0o600);
    return {
      write: async (chunk) => {
        await handle.write(chunk);
      },
      [Symbol.asyncDispose]: () => handle.close(),
    };
  }

  async keepStarts(name: string, found: FoundStarts): Promise<void> {
    await this.#make();
    // JSON has no infinity.
    await writeFile(this.#startsOf(name), JSON.stringify({ ...found, end: { ...found.end, cut: -1 } }), { mode: 0o600 });
  }

  async startsOf(name: string): Promise<FoundStarts> {
    try {
      return JSON.parse(await readFile(this.#startsOf(name), 'utf8')) as FoundStarts;
    } catch (cause) {
      throw new DrayError('INTERNAL', `nothing is known of where the parts of ${name} begin: it was not verified`, { cause });
    }
  }

  /** Removes what this reader has put there. */
  async remove(): Promise<void> {
    if (this.#isUsed) await rm(this.#folder, { recursive: true, force: true });
  }

  #startsOf(name: string): string {
    return `${this.copyOf(name)}.parts.json`;
  }

  async #make(): Promise<void> {
    this.#isUsed = true;
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
  }
}
