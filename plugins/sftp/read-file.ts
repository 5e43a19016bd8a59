import { DrayError } from 'dray/sdk';
import type { Attributes } from 'ssh2-sftp-client';
import type { ByteRange } from '../_files/storage/storage.ts';
import type { Connection } from './connection.ts';
import { leastRequestBytes, openFlags, requestFault } from './faults.ts';
import { kindOf, storedFile } from './listing.ts';
import type { Session } from './session.ts';

/** What one READ asks for; 16 of them fill ssh2's channel window, and more would only wait at the server. */
const requestBytes = 128 * 1024;
export const readAheadBytes = 2 * 1024 * 1024;

/** A file by its path, and by its name for people. */
interface Named {
  readonly path: string;
  readonly name: string;
}

interface OpenFile extends Named {
  readonly connection: Connection;
  readonly handle: Buffer;
  readonly attributes: Attributes;
}

/**
 * The bytes of a file, with up to 2 MB of READ requests under way: that is also the most that is in memory. When the connection is lost it
 * goes on over a new one where it stopped. The end is where the file ended when it was opened.
 * @throws DrayError PATH_MISSING, PERMISSION_DENIED; FILE_CHANGED if the file is shorter than it was or, after a new connection, another one
 */
export async function* readFile(session: Session, file: Named, range: ByteRange, signal: AbortSignal): AsyncGenerator<Buffer> {
  let version: string | undefined;
  let position = range.from;
  for (let failures = 0; ; ) {
    try {
      signal.throwIfAborted();
      const open = await openToRead(await interruptible(session.connection(), signal), file, signal);
      const found = storedFile(file.path, open.attributes);
      version ??= found.version;
      try {
        if (version !== found.version) throw changed(file, 'was changed while it was read');
        for await (const chunk of chunksOf(open, position, Math.min(range.to ?? found.bytes, found.bytes), signal)) {
          position += chunk.length;
          failures = 0;
          yield chunk;
        }
      } finally {
        const closed = closeHandle(open.connection, open.handle);
        if (!signal.aborted) await closed;
      }
      return;
    } catch (error) {
      signal.throwIfAborted();
      await session.afterLoss(requestFault(error, { verb: 'read', name: file.name }), ++failures);
    }
  }
}

async function openToRead(connection: Connection, file: Named, signal: AbortSignal): Promise<OpenFile> {
  const opening = connection.request<Buffer>((sftp, done) => sftp.open(file.path, openFlags.read, done));
  const handle = await interruptible(opening, signal).catch((error: unknown) => {
    void opening.then((late) => closeHandle(connection, late)).catch(() => undefined);
    throw error;
  });
  try {
    const attributes = await interruptible(
      connection.request<Attributes>((sftp, done) => sftp.fstat(handle, done)),
      signal,
    );
    // A server may open a folder, too.
    if (kindOf(attributes) !== 'file') throw new DrayError('FILE_FAILED', `${file.name} is not a file`, { place: file.name });
    return { ...file, connection, handle, attributes };
  } catch (error) {
    void closeHandle(connection, handle);
    throw error;
  }
}

async function* chunksOf(file: OpenFile, from: number, end: number, signal: AbortSignal): AsyncGenerator<Buffer> {
  const blockBytes = Math.min(requestBytes, file.connection.sftp._maxReadLen ?? leastRequestBytes);
  const most = Math.max(1, Math.floor(readAheadBytes / blockBytes));
  const ahead: Promise<Buffer>[] = [];
  for (let asked = from; ; ) {
    while (ahead.length < most && asked < end) {
      const block = readBlock(file, asked, Math.min(blockBytes, end - asked));
      // All of them reject when the connection is lost, and only one is waited for.
      block.catch(() => undefined);
      ahead.push(block);
      asked += blockBytes;
    }
    const next = ahead.shift();
    if (next === undefined) return;
    yield await interruptible(next, signal);
  }
}

/** A server may answer with less than was asked for (section 6.4 of the draft); only "end of file" means that there is no more. */
async function readBlock(file: OpenFile, position: number, length: number): Promise<Buffer> {
  const { connection, handle } = file;
  const block = Buffer.allocUnsafeSlow(length);
  for (let filled = 0; filled < length; ) {
    const at = filled;
    const count = await connection.request<number>((sftp, done) => sftp.read(handle, block, at, length - at, position + at, done));
    if (count === 0)
      throw changed(file, `ends at ${position + filled} of ${file.attributes.size ?? 0} bytes: it was cut while it was read`);
    filled += count;
  }
  return block;
}

function changed({ name }: Named, what: string): DrayError {
  return new DrayError('FILE_CHANGED', `${name} ${what}`, { place: name });
}

/** Never rejects: a handle ends with its connection at the latest. */
async function closeHandle(connection: Connection, handle: Buffer): Promise<void> {
  await connection.request((sftp, done) => sftp.close(handle, done)).catch(() => undefined);
}

/** Rejects as soon as the signal fires; the promise goes on. */
function interruptible<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
