import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chain, suffixOf, unchain } from '../../../../plugins/_files/codecs/chain.ts';
import { encrypted, parseKey } from '../../../../plugins/_files/codecs/cipher.ts';
import { plainToStored } from '../../../../plugins/_files/codecs/cipher-chunks.ts';
import type { Codec } from '../../../../plugins/_files/codecs/codec.ts';
import { countingSink } from '../../../../plugins/_files/codecs/digest.ts';
import { gzip } from '../../../../plugins/_files/codecs/gzip.ts';
import { StoredBytes } from '../../../../plugins/_files/codecs/stored-bytes.ts';
import { zstd } from '../../../../plugins/_files/codecs/zstd.ts';
import { chunkSizes, contents, cut, file, flipped, MemorySink, stream, textOf } from './streams.ts';

const cipher = encrypted(parseKey('42'.repeat(32)));

async function stored(codecs: readonly Codec[], bytes: Buffer, sizes: readonly number[]): Promise<Buffer> {
  const memory = new MemorySink();
  const counting = countingSink(memory);
  const sink = chain(codecs, counting);
  for (const chunk of cut(bytes, sizes)) await sink.write(chunk);
  await sink.end();
  expect(memory.state).toBe('ended');
  expect(counting.bytes).toBe(memory.bytes.length);
  return memory.bytes;
}

async function plain(codecs: readonly Codec[], bytes: Buffer, maxBytes?: number, sizes?: readonly number[]): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of unchain(codecs, stream(bytes, sizes), file, maxBytes === undefined ? {} : { maxBytes })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test.each([
  ['', []],
  ['.gz', [gzip()]],
  ['.enc', [cipher]],
  ['.gz.enc', [gzip(), cipher]],
  ['.zst.enc', [zstd(), cipher]],
  ['.gz.zst.enc', [gzip(), zstd(), cipher]],
] as const)('bytes come back through a chain with the suffix "%s"', async (suffix, codecs) => {
  expect(suffixOf(codecs)).toBe(suffix);
  await fc.assert(
    fc.asyncProperty(contents, chunkSizes, chunkSizes, async (bytes, written, read) => {
      expect(await plain(codecs, await stored(codecs, bytes, written), undefined, read)).toEqual(bytes);
    }),
    { numRuns: 15 },
  );
});

test('the first codec gets the bytes first', async () => {
  const bytes = textOf(5000);
  const packed = await stored([gzip(), cipher], bytes, [1000]);
  expect(gunzipSync(await plain([cipher], packed))).toEqual(bytes);
});

test('the limit holds for what comes out at the end, not for what is between', async () => {
  const codecs = [gzip(), cipher];
  const noise = Buffer.from(Array.from({ length: 1000 }, (_, at) => (Math.imul(at + 1, 2_654_435_761) >>> 11) & 255));
  const packed = await stored(codecs, noise, [1000]);
  expect(await plain(codecs, packed, 1000)).toEqual(noise);
  await expect(plain(codecs, packed, 999)).rejects.toEqual(expect.objectContaining({ code: 'FILE_BROKEN' }));
});

test('damage is found by the codec that it happened to', async () => {
  const packed = await stored([zstd(), cipher], textOf(100_000), [1000]);
  await expect(plain([zstd(), cipher], flipped(packed, packed.length - 100))).rejects.toEqual(
    expect.objectContaining({ code: 'CIPHER_BROKEN' }),
  );
});

test('the places to read from are those of the codec that has some', async () => {
  const bytes = textOf(2_500_000);
  const memory = new MemorySink();
  const sink = chain([zstd(), cipher], memory);
  await sink.write(bytes);
  await sink.end();
  expect(sink.frameIndex?.map(([, at]) => at)).toEqual([0, 1_048_576, 2_097_152]);
  expect(plainToStored(sink.frameIndex![2]![0]).storedOffset).toBeLessThan(memory.bytes.length);
  expect(chain([gzip(), cipher], new MemorySink()).frameIndex).toBeUndefined();
});

test('everything is destroyed together', async () => {
  for (const codecs of [[gzip(), cipher], [zstd(), cipher], []]) {
    const memory = new MemorySink();
    const sink = chain(codecs, memory);
    await sink.write(textOf(1000));
    sink.destroy();
    expect(memory.state).toBe('destroyed');
  }
});

test('stored bytes are taken in any pieces, with their offset', async () => {
  await fc.assert(
    fc.asyncProperty(contents, chunkSizes, chunkSizes, async (bytes, chunks, pieces) => {
      const stored = new StoredBytes(stream(bytes, chunks));
      let at = 0;
      for (let turn = 0; at < bytes.length; turn++) {
        const count = pieces[turn % pieces.length]!;
        expect(await stored.isAtEnd()).toBe(false);
        expect((await stored.peek(count + 3)).equals(bytes.subarray(at, at + count + 3))).toBe(true);
        expect((await stored.take(count)).equals(bytes.subarray(at, at + count))).toBe(true);
        at = Math.min(bytes.length, at + count);
        expect(stored.offset).toBe(at);
      }
      expect(await stored.isAtEnd()).toBe(true);
      expect(await stored.take(5)).toEqual(Buffer.alloc(0));
    }),
    { numRuns: 50 },
  );
});
