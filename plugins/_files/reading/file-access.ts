import type { Schema } from 'dray/sdk';
import { unchain } from '../codecs/chain.ts';
import type { Codec } from '../codecs/codec.ts';
import type { FileFormat, IndexedFile, IndexedFormat } from '../formats/format.ts';
import type { Storage } from '../storage/storage.ts';

/** A file where it is read: in its own storage, or as the copy that was fetched when it was verified. */
export interface FileAccess {
  readonly storage: Storage;
  readonly path: string;
  readonly bytes: number;
  /** As people know it, wherever it is read. */
  readonly name: string;
}

/** Opens a file that has an index. */
export async function openIndexed(
  { storage, path, bytes, name }: FileAccess,
  format: IndexedFormat,
  signal: AbortSignal,
): Promise<IndexedFile> {
  const read = async (from: number, to: number) => {
    const chunks: Buffer[] = [];
    for await (const chunk of storage.read(path, { from, to }, signal)) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  };
  return format.open({ bytes, read }, name);
}

/** The columns of a file; reads as much of it as is needed for that. Undefined: there is no row in it. */
export async function schemaOf(
  file: FileAccess,
  format: FileFormat | IndexedFormat,
  codecs: readonly Codec[],
  signal: AbortSignal,
): Promise<Schema | undefined> {
  if (!('decoder' in format)) return (await openIndexed(file, format, signal)).schema;
  const { storage, path, name } = file;
  const finder = format.finder(name);
  for await (const chunk of unchain(codecs, storage.read(path, { from: 0 }, signal), name)) {
    const schema = finder.push(chunk);
    if (schema !== undefined) return schema;
  }
  return finder.end();
}
