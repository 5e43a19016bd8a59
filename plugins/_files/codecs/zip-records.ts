import type { StoredBytes } from './stored-bytes.ts';

/*
 * Records of a zip archive, after APPNOTE.TXT 6.3.10 of PKWARE. Numbers are little-endian.
 */

export const signatures = {
  entry: 0x04034b50,
  descriptor: 0x08074b50,
  directory: 0x02014b50,
  zip64End: 0x06064b50,
  zip64Locator: 0x07064b50,
  end: 0x06054b50,
} as const;

/** What an entry, or the directory at the end of the archive, says of a file in it. */
export interface EntryFacts {
  readonly name: string;
  readonly isEncrypted: boolean;
  /** Its checksum and sizes stand behind its bytes. */
  readonly isDescribedBehind: boolean;
  readonly method: number;
  readonly crc: number;
  readonly packedBytes: number;
  readonly plainBytes: number;
}

/** A record that ends before it is whole. */
export class CutOff extends Error {}

const zip64Field = 0x0001;
const zip64Mark = 0xffffffff;

export async function takeAll(stored: StoredBytes, count: number): Promise<Buffer> {
  const bytes = await stored.take(count);
  if (bytes.length < count) throw new CutOff();
  return bytes;
}

/** The head of an entry, whose signature has been taken. @throws CutOff */
export async function takeEntry(stored: StoredBytes): Promise<EntryFacts> {
  const head = await takeAll(stored, 26);
  const facts = factsAt(head, 2);
  const name = await takeAll(stored, head.readUInt16LE(22));
  return { ...facts, ...sizesOf(facts, await takeAll(stored, head.readUInt16LE(24))), name: name.toString() };
}

/** A record of the directory, whose signature has been taken. @throws CutOff */
export async function takeDirectoryRecord(stored: StoredBytes): Promise<EntryFacts> {
  const head = await takeAll(stored, 42);
  const facts = factsAt(head, 4);
  const name = await takeAll(stored, head.readUInt16LE(24));
  const extra = await takeAll(stored, head.readUInt16LE(26));
  await takeAll(stored, head.readUInt16LE(28));
  return { ...facts, ...sizesOf(facts, extra), name: name.toString() };
}

/** Checksum and sizes, as they were measured. */
export type Measured = Pick<EntryFacts, 'crc' | 'packedBytes' | 'plainBytes'>;

/**
 * What stands behind an entry: its checksum and sizes, with or without a signature, in four bytes or eight, all of which writers do.
 * @returns false if it is in none of these forms what was measured
 */
export async function takeDescriptor(stored: StoredBytes, { crc, packedBytes, plainBytes }: Measured): Promise<boolean> {
  const ahead = await stored.peek(24);
  for (const start of [4, 0]) {
    if (ahead.length < start + 12 || (start === 4 && ahead.readUInt32LE() !== signatures.descriptor)) continue;
    if (ahead.readUInt32LE(start) !== crc) continue;
    for (const size of [8, 4]) {
      if (ahead.length < start + 4 + 2 * size) continue;
      const [packed, plain] = [start + 4, start + 4 + size].map((at) =>
        size === 4 ? ahead.readUInt32LE(at) : Number(ahead.readBigUInt64LE(at)),
      );
      if (packed !== packedBytes || plain !== plainBytes) continue;
      await stored.take(start + 4 + 2 * size);
      return true;
    }
  }
  return false;
}

function factsAt(head: Buffer, at: number): Omit<EntryFacts, 'name'> {
  const flags = head.readUInt16LE(at);
  return {
    isEncrypted: (flags & 1) !== 0,
    isDescribedBehind: (flags & 8) !== 0,
    method: head.readUInt16LE(at + 2),
    crc: head.readUInt32LE(at + 8),
    packedBytes: head.readUInt32LE(at + 12),
    plainBytes: head.readUInt32LE(at + 16),
  };
}

/** Sizes that need more than four bytes stand in a field of their own: first the plain one, each only if it is marked. */
function sizesOf({ packedBytes, plainBytes }: Omit<EntryFacts, 'name'>, extra: Buffer) {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== zip64Field) continue;
    const field = extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2));
    const marked = [plainBytes, packedBytes].filter((size) => size === zip64Mark).length;
    if (field.length < 8 * marked) throw new CutOff();
    const plain = plainBytes === zip64Mark ? Number(field.readBigUInt64LE(0)) : plainBytes;
    const packed = packedBytes === zip64Mark ? Number(field.readBigUInt64LE(plainBytes === zip64Mark ? 8 : 0)) : packedBytes;
    return { packedBytes: packed, plainBytes: plain };
  }
  return {};
}
