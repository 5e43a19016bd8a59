import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chain, stretch, unchain, unchainAt } from '../../../../plugins/_files/codecs/chain.ts';
import { encrypted, parseKey } from '../../../../plugins/_files/codecs/cipher.ts';
import type { Codec, Place } from '../../../../plugins/_files/codecs/codec.ts';
import { zstd } from '../../../../plugins/_files/codecs/zstd.ts';
import { cut, file, MemorySink, stream, textOf } from './streams.ts';

const key = parseKey('cd'.repeat(32));
const frame = 1024 * 1024;

async function packed(codecs: readonly Codec[], plain: Buffer): Promise<Buffer> {
  const memory = new MemorySink();
  const sink = chain(codecs, memory);
  for (const chunk of cut(plain, [100_000])) await sink.write(chunk);
  await sink.end();
  return memory.bytes;
}

/** The places that unpacking from the start tells of. */
async function placesOf(codecs: readonly Codec[], bytes: Buffer): Promise<Place[]> {
  const places: Place[] = [];
  for await (const chunk of unchain(codecs, stream(bytes), file, { onFrame: (place) => places.push(place) }))
    expect(chunk.length).toBeGreaterThan(0);
  return places;
}

async function bytesAt(codecs: readonly Codec[], bytes: Buffer, place: Place, skip: number, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const read = (offset: number) => stream(bytes.subarray(offset));
  for await (const chunk of stretch(unchainAt(codecs, read, place, file), skip, length)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

describe('a file can be unpacked from within', () => {
  const plain = textOf(3 * frame + 12_345);

  test.each<[string, Codec[]]>([
    ['as it is', []],
    ['encrypted', [encrypted(key)]],
    ['in small encrypted chunks', [encrypted(key, { chunkBytes: 1000 })]],
  ])('at any byte: %s', async (_, codecs) => {
    const bytes = await packed(codecs, plain);
    await fc.assert(
      fc.asyncProperty(fc.nat(plain.length - 1), fc.integer({ min: 1, max: 300_000 }), async (offset, length) => {
        const place = { stored: 0, plain: offset };
        expect(plain.subarray(offset, offset + length).equals(await bytesAt(codecs, bytes, place, 0, length))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test.each<[string, Codec[]]>([
    ['zstd', [zstd()]],
    ['zstd, encrypted', [zstd(), encrypted(key)]],
  ])('at each frame: %s', async (_, codecs) => {
    const bytes = await packed(codecs, plain);
    const places = await placesOf(codecs, bytes);
    expect(places.map((place) => place.plain)).toEqual([0, frame, 2 * frame, 3 * frame]);
    for (const place of places) {
      const rest = plain.subarray(place.plain);
      expect(rest.equals(await bytesAt(codecs, bytes, place, 0, rest.length))).toBe(true);
      expect(await bytesAt(codecs, bytes, place, 777, 10_000)).toEqual(rest.subarray(777, 10_777));
    }
  });

  test('and what was changed there is found', async () => {
    const codecs = [zstd(), encrypted(key)];
    const bytes = await packed(codecs, plain);
    const places = await placesOf(codecs, bytes);
    bytes[Math.floor(bytes.length * 0.6)]! ^= 1;
    await expect(bytesAt(codecs, bytes, places[2]!, 0, plain.length)).rejects.toMatchObject({ code: 'CIPHER_BROKEN' });
    expect(await bytesAt(codecs, bytes, places[3]!, 0, 100)).toEqual(plain.subarray(3 * frame, 3 * frame + 100));
  });
});
