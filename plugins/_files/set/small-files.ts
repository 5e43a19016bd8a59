import { DrayError } from 'dray/sdk';
import type { Receipt, Storage } from '../storage/storage.ts';

/** Sidecars and manifests of a thousand columns or files stay far below. */
const maxDocumentBytes = 16 << 20;
const mostTries = 5;

/** Writes a small file durably; it is not visible yet. */
async function uploadSmall(storage: Storage, path: string, bytes: Buffer): Promise<Receipt> {
  const upload = await storage.begin(path);
  try {
    await upload.write(bytes);
    return await upload.finish();
  } catch (error) {
    await upload.abort().catch(() => undefined);
    throw error;
  }
}

/** The same, and makes it visible in place of what was there. */
export async function putSmall(storage: Storage, path: string, bytes: Buffer): Promise<void> {
  await storage.publish(await uploadSmall(storage, path, bytes), { replaces: true });
}

/** A small file whole, as it was at one moment; undefined if there is none. */
export async function readSmall(storage: Storage, path: string, signal: AbortSignal): Promise<Buffer | undefined> {
  for (let failures = 0; ; ) {
    const facts = await storage.facts(path);
    if (facts === undefined) return undefined;
    if (facts.bytes > maxDocumentBytes) {
      throw new DrayError('FILE_FORGED', `${storage.nameOf(path)} is too big for what it is called`, { place: storage.nameOf(path) });
    }
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of storage.read(path, { from: 0 }, signal)) chunks.push(Buffer.from(chunk));
      return Buffer.concat(chunks);
    } catch (error) {
      // Other runs replace and remove such files.
      const isGone = error instanceof DrayError && (error.code === 'PATH_MISSING' || error.code === 'FILE_CHANGED');
      if (!isGone || ++failures === mostTries) throw error;
    }
  }
}
