import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What is known of one pair of systems. */
interface Measured {
  /** Bytes of packed rows that one thread moves in a second. */
  readonly bytesPerSecond: number;
  /** Runs it comes from. */
  readonly runs: number;
}

/** How much the latest run counts. */
const weight = 0.3;

/** How fast a thread has moved rows between two systems, over all runs of a state folder. A lost update costs one measurement: nothing is locked. */
export class Speeds {
  readonly #path: string;

  constructor(stateFolder: string) {
    this.#path = join(stateFolder, 'speeds.json');
  }

  /** @param pair names both systems; undefined: nobody has measured it */
  async of(pair: string): Promise<number | undefined> {
    return (await this.#read())[pair]?.bytesPerSecond;
  }

  /** Adds what a run has shown. What cannot be written down is only not known next time. */
  async learn(pair: string, bytesPerSecond: number): Promise<void> {
    const known = await this.#read();
    const { bytesPerSecond: before = bytesPerSecond, runs = 0 } = known[pair] ?? {};
    const next = { ...known, [pair]: { bytesPerSecond: Math.round((1 - weight) * before + weight * bytesPerSecond), runs: runs + 1 } };
    const temporary = `${this.#path}.${randomBytes(4).toString('hex')}`;
    try {
      await writeFile(temporary, JSON.stringify(next, null, 1));
      await rename(temporary, this.#path);
    } catch {
      // The disk is full, or the folder is gone: whatever needs it says so.
    }
  }

  async #read(): Promise<Record<string, Measured>> {
    try {
      return JSON.parse(await readFile(this.#path, 'utf8')) as Record<string, Measured>;
    } catch {
      return {};
    }
  }
}
