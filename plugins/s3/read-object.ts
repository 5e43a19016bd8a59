import { setTimeout as pause } from 'node:timers/promises';
import { DrayError } from 'dray/sdk';
import type { ByteRange } from '../_files/storage/storage.ts';
import { type Bucket, type Ending, endingAfter } from './bucket.ts';
import { statusOf } from './faults.ts';
import { bareTag } from './find-keys.ts';

const chunkBytes = 256 * 1024;
/** Of one request. The first ones are smaller: who looks only at the beginning of a file should not fetch all of this. */
const maxRequestBytes = 4 * 1024 * 1024;
/** Attempts that bring not one byte before a connection counts as lost. */
const maxBarrenAttempts = 5;

/** What the first answer tells, and all others must confirm. */
interface Identity {
  readonly etag: string;
  readonly bytes: number;
}

/**
 * The bytes of an object, in order, with up to `bucket.concurrency` requests of 4 MiB ahead of the consumer: these, and the one that it
 * is at, are in memory at most. Where a connection breaks, a new one goes on from there.
 * @throws DrayError FILE_CHANGED if the object becomes another one
 */
export async function* readObject(bucket: Bucket, key: string, { from, to }: ByteRange, outer: AbortSignal): AsyncGenerator<Buffer> {
  outer.throwIfAborted();
  bucket.signal.throwIfAborted();
  if (to !== undefined && to <= from) return;
  const ending = endingAfter(bucket.signal);
  const follow = () => ending.end(outer.reason);
  outer.addEventListener('abort', follow, { once: true });
  try {
    yield* inOrder(new ObjectReader(bucket, key, ending), from, to ?? Number.MAX_SAFE_INTEGER, bucket.concurrency);
  } finally {
    outer.removeEventListener('abort', follow);
    ending.end(new DrayError('INTERNAL', 'nobody reads any more'));
  }
}

async function* inOrder(reader: ObjectReader, from: number, to: number, concurrency: number): AsyncGenerator<Buffer> {
  const first = await reader.fetch(from, Math.min(to, from + chunkBytes));
  const end = Math.min(to, reader.identity?.bytes ?? 0);
  const fetching: Promise<Buffer>[] = [];
  let next = from + first.length;
  let requestBytes = chunkBytes;
  let window = 1;
  let part: Buffer | undefined = first;
  while (part !== undefined) {
    while (next < end && fetching.length < window) {
      requestBytes = Math.min(2 * requestBytes, maxRequestBytes);
      const ahead = reader.fetch(next, Math.min(end, next + requestBytes));
      // It is awaited later, or never if the consumer leaves.
      ahead.catch(() => {});
      fetching.push(ahead);
      next = Math.min(end, next + requestBytes);
    }
    yield* chunksOf(part);
    part = await fetching.shift();
    if (window < concurrency) window += 1;
  }
}

function* chunksOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

class ObjectReader {
  readonly #bucket: Bucket;
  readonly #key: string;
  readonly #ending: Ending;
  #identity: Identity | undefined;

  constructor(bucket: Bucket, key: string, ending: Ending) {
    this.#bucket = bucket;
    this.#key = key;
    this.#ending = ending;
  }

  get identity(): Identity | undefined {
    return this.#identity;
  }

  /** The bytes of a range; fewer if the object ends before, which only the first range does. */
  async fetch(from: number, to: number): Promise<Buffer> {
    const { signal } = this.#ending;
    const buffer = Buffer.allocUnsafe(to - from);
    let filled = 0;
    let barrenAttempts = 0;
    for (;;) {
      const before = filled;
      try {
        const part = await this.#open(from + filled, to, barrenAttempts > 0 || filled > 0);
        if (part === undefined) return buffer.subarray(0, 0);
        for await (const chunk of part.body) {
          if (filled + chunk.length > part.end - from) throw new Error('more bytes came than were asked for');
          filled += chunk.copy(buffer, filled);
        }
        if (from + filled === part.end) return buffer.subarray(0, filled);
        throw new Error('the connection ended early');
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof DrayError && !(error.isRetryable && (filled > 0 || barrenAttempts > 0))) throw error;
        barrenAttempts = filled > before ? 1 : barrenAttempts + 1;
        if (barrenAttempts >= maxBarrenAttempts) throw this.#lost(error);
        await pause(100 * 2 ** barrenAttempts * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => signal.throwIfAborted());
      }
    }
  }

  /** Undefined: the object ends before `from`. `end` is where the body will end. */
  async #open(from: number, to: number, isAgain: boolean): Promise<{ body: AsyncIterable<Buffer>; end: number } | undefined> {
    const bucket = this.#bucket;
    const { signal } = this.#ending;
    const known = this.#identity;
    try {
      const answer = await bucket.request(signal, (client, how) =>
        client.getObject(
          {
            Bucket: bucket.name,
            Key: this.#key,
            Range: `bytes=${from}-${to - 1}`,
            ...(known === undefined ? {} : { IfMatch: known.etag }),
          },
          how,
        ),
      );
      const whole = /^bytes (\d+)-\d+\/(\d+)$/.exec(answer.ContentRange ?? '');
      const bytes = Number(whole?.[2] ?? answer.ContentLength);
      if (whole === null ? from > 0 || bytes > to : Number(whole[1]) !== from) throw this.#failed('the server does not give parts of it');
      const identity = { etag: answer.ETag ?? '', bytes };
      if (known !== undefined && (bareTag(known.etag) !== bareTag(identity.etag) || known.bytes !== bytes)) throw this.#changed();
      this.#identity ??= identity;
      return { body: answer.Body as unknown as AsyncIterable<Buffer>, end: Math.min(to, bytes) };
    } catch (error) {
      signal.throwIfAborted();
      const status = statusOf(error);
      // Of an object without bytes, no range is a right one.
      if (status === 416 && known === undefined && !isAgain) return undefined;
      if (known !== undefined && (status === 412 || status === 416)) throw this.#changed(error);
      if (known !== undefined && status === 404) throw this.#changed(error, 'was removed');
      throw bucket.fault(error, { doing: `read ${bucket.nameOf(this.#key)}`, key: this.#key });
    }
  }

  #changed(cause?: unknown, how = 'changed'): DrayError {
    const place = this.#bucket.nameOf(this.#key);
    return new DrayError('FILE_CHANGED', `${place} ${how} while it was read`, { cause, place });
  }

  #failed(says: string): DrayError {
    const place = this.#bucket.nameOf(this.#key);
    return new DrayError('FILE_FAILED', `${place} cannot be read: ${says}`, { place });
  }

  #lost(cause: unknown): DrayError {
    if (cause instanceof DrayError) return cause;
    const place = this.#bucket.nameOf(this.#key);
    const says = cause instanceof Error ? cause.message : String(cause);
    return new DrayError('CONNECTION_LOST', `cannot read ${place}: the connection broke ${maxBarrenAttempts} times in a row (${says})`, {
      cause,
      place,
    });
  }
}
