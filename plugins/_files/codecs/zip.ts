import type { DrayError } from 'dray/sdk';
import { broken, tooLong } from './broken.ts';
import type { Codec } from './codec.ts';
import { crc32 } from './crc32.ts';
import { BadDeflate, inflated } from './inflate-raw.ts';
import { StoredBytes } from './stored-bytes.ts';
import {
  CutOff,
  type EntryFacts,
  type Measured,
  signatures,
  takeAll,
  takeDescriptor,
  takeDirectoryRecord,
  takeEntry,
} from './zip-records.ts';

const storedMethod = 0;
const deflateMethod = 8;
const pieceBytes = 256 * 1024;
/** Of an archive without the extension for more. */
const maxEntries = 65_535;
/** Of a record that has 44, and what no program has put behind them so far. */
const maxEndBytes = 64 * 1024;

/**
 * zip, for reading only: the files in it one after the other, as DataX has it. It is read from its start, and what its directory at the end says must be what was
 * found.
 */
export function zip(): Codec {
  return {
    suffix: '.zip',
    writer: () => {
      throw new Error('zip is not written');
    },
    reader: unpacked,
  };
}

async function* unpacked(source: AsyncIterable<Buffer>, file: string, maxBytes = Number.POSITIVE_INFINITY): AsyncGenerator<Buffer> {
  const archive = new Archive(new StoredBytes(source), file);
  let produced = 0;
  try {
    for await (const chunk of archive.bytes()) {
      produced += chunk.length;
      if (produced > maxBytes) throw tooLong(file, maxBytes, archive.offset);
      yield chunk;
    }
  } catch (error) {
    if (!(error instanceof CutOff)) throw error;
    throw broken(file, `is cut off: its zip data breaks off at byte ${archive.offset}`, archive.offset, error);
  } finally {
    await archive.close();
  }
}

class Archive {
  readonly #stored: StoredBytes;
  readonly #file: string;
  /** What was found of each entry, for the comparison with the directory; with the checksum of its name. */
  readonly #found = new Map<string, number>();
  #entries = 0;

  constructor(stored: StoredBytes, file: string) {
    this.#stored = stored;
    this.#file = file;
  }

  get offset(): number {
    return this.#stored.offset;
  }

  close(): Promise<void> {
    return this.#stored.close();
  }

  async *bytes(): AsyncGenerator<Buffer> {
    let before: { readonly entry: number; readonly name: string; readonly end: Buffer } | undefined;
    let signature = await this.#signature();
    for (; signature === signatures.entry; signature = await this.#signature()) {
      const facts = await takeEntry(this.#stored);
      for await (const chunk of this.#entry(facts)) {
        if (chunk.length === 0) continue;
        if (before !== undefined && before.entry !== this.#entries && !endsLine(before.end)) throw this.#runsOn(before.name);
        before = { entry: this.#entries, name: facts.name, end: chunk.subarray(-2) };
        yield chunk;
      }
    }
    await this.#directory(signature);
  }

  async #signature(): Promise<number> {
    if (this.#entries > 0) return (await takeAll(this.#stored, 4)).readUInt32LE();
    const start = await this.#stored.take(4);
    if (start.length === 4 && start.toString('latin1', 0, 2) === 'PK') return start.readUInt32LE();
    if (start.length < 4 && 'PK\u0003\u0004'.startsWith(start.toString('latin1'))) throw new CutOff();
    throw broken(this.#file, 'does not begin like a zip archive', 0);
  }

  async *#entry(facts: EntryFacts): AsyncGenerator<Buffer> {
    const { name, method, isEncrypted, isDescribedBehind } = facts;
    const startsAt = this.offset;
    if (++this.#entries > maxEntries) throw this.#refused(`has more than ${maxEntries.toLocaleString('en-US')} files`);
    if (isEncrypted) throw this.#refused(`has ${name} encrypted with a password`);
    if (method !== storedMethod && method !== deflateMethod)
      throw this.#refused(`has ${name} packed with method ${method}, and not deflated`);
    if (method === storedMethod && isDescribedBehind) throw this.#refused(`does not say how long ${name} is before it begins`);
    let measured: Measured = { crc: 0, packedBytes: 0, plainBytes: 0 };
    const pieces = method === deflateMethod ? inflated(this.#stored) : this.#pieces(facts.packedBytes);
    try {
      for await (const chunk of pieces) {
        measured = { ...measured, crc: crc32(chunk, measured.crc), plainBytes: measured.plainBytes + chunk.length };
        yield chunk;
      }
    } catch (error) {
      if (!(error instanceof BadDeflate)) throw error;
      if (await this.#stored.isAtEnd()) throw new CutOff(error.message, { cause: error });
      throw this.#damaged(`${name} is not what was packed (${error.message})`, error);
    }
    measured = { ...measured, packedBytes: this.offset - startsAt };
    const isRight = isDescribedBehind ? await takeDescriptor(this.#stored, measured) : keyOf(facts) === keyOf({ ...facts, ...measured });
    // Behind an entry there is more than its description: the directory.
    if (!isRight && (await this.#stored.peek(24)).length < 24) throw new CutOff();
    if (!isRight) throw this.#damaged(`the checksum or the length of ${name} is wrong`);
    const key = keyOf({ ...facts, ...measured });
    this.#found.set(key, (this.#found.get(key) ?? 0) + 1);
  }

  async *#pieces(count: number): AsyncGenerator<Buffer> {
    for (let left = count; left > 0; ) {
      const piece = await this.#stored.take(Math.min(left, pieceBytes));
      if (piece.length === 0) throw new CutOff();
      left -= piece.length;
      yield piece;
    }
  }

  /** Everything behind the entries: what it says must be what was found, and nothing may follow. */
  async #directory(first: number): Promise<void> {
    let signature = first;
    for (; signature === signatures.directory; signature = (await takeAll(this.#stored, 4)).readUInt32LE()) {
      const facts = await takeDirectoryRecord(this.#stored);
      const left = (this.#found.get(keyOf(facts)) ?? 0) - 1;
      if (left < 0) throw this.#damaged(`its directory has ${facts.name}, of which there is nothing`);
      this.#found.set(keyOf(facts), left);
    }
    if ([...this.#found.values()].some((left) => left > 0)) throw this.#damaged('it has files that are not in its directory');
    if (signature === signatures.zip64End) {
      const bytes = Number((await takeAll(this.#stored, 8)).readBigUInt64LE());
      if (bytes > maxEndBytes) throw this.#damaged('its end is not where it should be');
      await takeAll(this.#stored, bytes);
      signature = (await takeAll(this.#stored, 4)).readUInt32LE();
      if (signature !== signatures.zip64Locator) throw this.#damaged('its end is not where it should be');
      await takeAll(this.#stored, 16);
      signature = (await takeAll(this.#stored, 4)).readUInt32LE();
    }
    if (signature !== signatures.end) throw this.#damaged('nothing that belongs into an archive begins there');
    const end = await takeAll(this.#stored, 18);
    await takeAll(this.#stored, end.readUInt16LE(16));
    if (!(await this.#stored.isAtEnd()))
      throw broken(this.#file, `goes on behind the end of its zip data, at byte ${this.offset}`, this.offset);
  }

  #runsOn(name: string): DrayError {
    return this.#refused(`has ${name} without a line end behind its last row, and more behind it: two rows would become one`);
  }

  #refused(why: string): DrayError {
    return broken(this.#file, `${why}: unpack it first`, this.offset);
  }

  #damaged(why: string, cause?: Error): DrayError {
    return broken(this.#file, `is damaged before byte ${this.offset}: ${why}`, this.offset, cause);
  }
}

function keyOf({ name, crc, packedBytes, plainBytes }: EntryFacts): string {
  return [crc32(Buffer.from(name)), crc, packedBytes, plainBytes].join(' ');
}

/** Also in UTF-16, of either order. */
function endsLine(end: Buffer): boolean {
  const last = end.at(-1) === 0 ? end.at(-2) : end.at(-1);
  return last === 0x0a || last === 0x0d;
}
