import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encrypted, parseKey } from '../../../../plugins/_files/codecs/cipher.ts';
import { plainToStored } from '../../../../plugins/_files/codecs/cipher-chunks.ts';
import { chunkSizes, contents, file, flipped, MemorySink, outcome, pack, stream, textOf, unpack } from './streams.ts';

const key = parseKey('00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff');
const otherKey = parseKey('QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=');
const chunkBytes = 1000;
const storedChunkBytes = chunkBytes + 16;
const headerBytes = 93;
const codec = encrypted(key, { chunkBytes });
const plain = textOf(5500);
const stored = await pack(codec, plain);

function refused(offset: number | RegExp, sentence: RegExp) {
  const place = typeof offset === 'number' ? `${file}, offset ${offset}` : expect.stringMatching(offset);
  return expect.objectContaining({ code: 'CIPHER_BROKEN', message: expect.stringMatching(sentence), place });
}

const startOf = (chunk: number) => headerBytes + chunk * storedChunkBytes;
const header = stored.subarray(0, headerBytes);
const chunks = Array.from({ length: 6 }, (_, chunk) => stored.subarray(startOf(chunk), startOf(chunk + 1)));

/** A file of the same header, of these chunks. */
const fileOf = (...parts: Buffer[]) => Buffer.concat([header, ...parts]);

describe('what is encrypted', () => {
  test('comes back, however it is cut on both sides', async () => {
    await fc.assert(
      fc.asyncProperty(contents, chunkSizes, chunkSizes, fc.integer({ min: 1, max: 3000 }), async (bytes, written, read, size) => {
        const sizedCodec = encrypted(key, { chunkBytes: size });
        const packed = await pack(sizedCodec, bytes, written);
        expect(packed.length).toBe(headerBytes + bytes.length + 16 * Math.max(1, Math.ceil(bytes.length / size)));
        expect(await unpack(codec, packed, read)).toEqual(bytes);
      }),
      { numRuns: 100 },
    );
  });

  test.each([0, 1, 65_535, 65_536, 65_537, 131_072, 400_000])('comes back in chunks of 64 kB: %i bytes', async (size) => {
    const bytes = textOf(size);
    expect((await unpack(encrypted(key), await pack(encrypted(key), bytes, [300_000]), [262_144])).equals(bytes)).toBe(true);
  });

  test('is another one each time, and shows nothing of the text', async () => {
    const again = await pack(codec, plain);
    expect(again.subarray(headerBytes, headerBytes + 100)).not.toEqual(stored.subarray(headerBytes, headerBytes + 100));
    expect(stored.includes('customer')).toBe(false);
  });

  test('does not depend on memory that the caller uses again', async () => {
    // pack() overwrites what it has written.
    expect(await unpack(codec, await pack(codec, plain, [7, 2500]))).toEqual(plain);
  });
});

describe('a file that somebody has touched is refused', () => {
  test('for a single damaged byte, with the place of its chunk', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(stored.length - 1), fc.integer({ min: 1, max: 255 }), async (at, by) => {
        const result = await outcome(codec, flipped(stored, at, by));
        const isKeyId = at >= 13 && at < 29;
        if (isKeyId) expect(result).toEqual(expect.objectContaining({ code: 'KEY_WRONG' }));
        else if (at < headerBytes)
          expect(result).toEqual(refused(/, offset [08]$/, /does not begin like|is encrypted in form|in its header/));
        else {
          const chunk = Math.floor((at - headerBytes) / storedChunkBytes);
          expect(result).toEqual(refused(startOf(chunk), new RegExp(`^chunk ${chunk} of ${file}, at byte ${startOf(chunk)}, is damaged`)));
        }
      }),
      { numRuns: 500 },
    );
  });

  test('for every length that it may be cut off to', async () => {
    for (let length = 0; length < stored.length; length += length < headerBytes || length > startOf(5) ? 1 : 37) {
      const isHeader = length < headerBytes;
      const sentence = isHeader ? /does not begin like|is cut off within its header/ : /cut off/;
      const chunk = Math.floor((length - headerBytes) / storedChunkBytes);
      const atBorder = length === startOf(chunk) && chunk > 0;
      const offset = isHeader ? /, offset \d+$/ : startOf(atBorder ? chunk - 1 : chunk);
      expect(await outcome(codec, stored.subarray(0, length))).toEqual(refused(offset, sentence));
    }
  });

  test.each(Array.from({ length: 16 }, (_, part) => part))('when %i/16 of it are there', async (part) => {
    expect(await outcome(codec, stored.subarray(0, Math.floor((stored.length * part) / 16)))).toEqual(
      refused(/, offset \d+$/, /cut off|begin/),
    );
  });

  test('for two chunks that changed places', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(5), fc.nat(5), async (one, other) => {
        fc.pre(one !== other);
        const swapped = chunks.with(one, chunks[other]!).with(other, chunks[one]!);
        const first = Math.min(one, other);
        expect(await outcome(codec, fileOf(...swapped))).toEqual(refused(startOf(first), /is damaged, or was changed/));
      }),
    );
  });

  test.each([0, 1, 2, 3, 4])('without chunk %i', async (dropped) => {
    expect(await outcome(codec, fileOf(...chunks.toSpliced(dropped, 1)))).toEqual(refused(startOf(dropped), /is damaged,.* was changed/));
  });

  test('without its last chunk', async () => {
    const sentence = /^chunk 4 of .* is not the last, but nothing follows: the file is cut off$/;
    expect(await outcome(codec, fileOf(...chunks.slice(0, 5)))).toEqual(refused(startOf(4), sentence));
    expect(await outcome(codec, header)).toEqual(refused(headerBytes, /^chunk 0 of .* is not there: the file is cut off$/));
  });

  test('for bytes behind the last chunk', async () => {
    const whole = await pack(codec, textOf(2 * chunkBytes));
    expect(await outcome(codec, Buffer.concat([whole, Buffer.from('x')]))).toEqual(
      refused(startOf(1), /^chunk 1 of .* is the last, but more follows$/),
    );
    expect(await outcome(codec, Buffer.concat([stored, stored]))).toEqual(refused(startOf(5), /chunk 5/));
    expect(await outcome(codec, Buffer.concat([stored, Buffer.from('x')]))).toEqual(refused(startOf(5), /chunk 5/));
  });

  test('for a chunk of another file under the same key', async () => {
    const another = await pack(codec, plain);
    const strange = another.subarray(startOf(2), startOf(3));
    expect(await outcome(codec, fileOf(...chunks.with(2, strange)))).toEqual(refused(startOf(2), /is damaged, or was changed/));
    expect(await outcome(codec, Buffer.concat([another.subarray(0, headerBytes), ...chunks]))).toEqual(refused(startOf(0), /is damaged/));
  });

  test('before a single byte of the chunk is given out', async () => {
    const seen: Buffer[] = [];
    await expect(async () => {
      for await (const chunk of codec.reader(stream(flipped(stored, startOf(3) + 500)), file)) seen.push(chunk);
    }).rejects.toEqual(refused(startOf(3), /chunk 3/));
    expect(Buffer.concat(seen)).toEqual(plain.subarray(0, 3 * chunkBytes));
  });

  test('if it was never encrypted, or in a form to come', async () => {
    expect(await outcome(codec, plain)).toEqual(refused(0, /does not begin like a file that dray has encrypted/));
    expect(await outcome(codec, flipped(stored, 8, 3))).toEqual(refused(8, /is encrypted in form 2, and this dray knows form 1/));
  });
});

describe('the number of chunks', () => {
  const limited = encrypted(key, { chunkBytes, maxChunks: 3 });

  test('has a limit for a writer, which allows the last one', async () => {
    expect(await unpack(codec, await pack(limited, textOf(3000)))).toEqual(textOf(3000));
    await expect(pack(limited, textOf(3001))).rejects.toEqual(
      expect.objectContaining({ code: 'FILE_FAILED', message: 'an encrypted file holds at most 3000 bytes' }),
    );
  });

  test('has a limit for a reader', async () => {
    expect(await unpack(limited, await pack(codec, textOf(3000)))).toEqual(textOf(3000));
    expect(await outcome(limited, stored)).toEqual(refused(startOf(3), /^chunk 3 of .* is more than a file can have$/));
  });
});

describe('a key', () => {
  const text = key.secret.export();

  test('is the same one in hexadecimal digits and in base64', () => {
    expect(parseKey(text.toString('base64')).id).toBe(key.id);
    expect(parseKey(`${text.toString('hex').toUpperCase()}\n`).id).toBe(key.id);
    expect(key.id).toMatch(/^[0-9a-f]{32}$/);
    expect(otherKey.id).not.toBe(key.id);
  });

  test.each(['', 'secret', 'a'.repeat(63), 'a'.repeat(65), 'g'.repeat(64), Buffer.alloc(31, 1).toString('base64'), `${'A'.repeat(42)}B=`])(
    'is refused without being shown: %j',
    (wrong) => {
      expect(() => parseKey(wrong)).toThrow(
        expect.objectContaining({ code: 'JOB_INVALID', remedy: expect.stringContaining('openssl rand -base64 32') }),
      );
      expect(() => parseKey(wrong)).toThrow(/^the key that encrypts files is neither 64 hexadecimal digits nor base64 of 32 bytes$/);
    },
  );

  test('that is another one is told from damage, and both are named', async () => {
    expect(await outcome(encrypted(otherKey), stored)).toEqual(
      expect.objectContaining({
        code: 'KEY_WRONG',
        message: `${file} was encrypted with the key ${key.id}, and the key given is ${otherKey.id}`,
        place: file,
      }),
    );
  });
});

test('a plain byte is found in the file without reading what comes before it', async () => {
  const bytes = textOf(200_000);
  const packed = await pack(encrypted(key), bytes);
  for (const offset of [0, 65_535, 65_536, 150_000]) {
    const { chunk, storedOffset, skip } = plainToStored(offset);
    expect(storedOffset).toBe(headerBytes + chunk * (65_536 + 16));
    expect(chunk * 65_536 + skip).toBe(offset);
    expect(await outcome(encrypted(key), flipped(packed, storedOffset + skip))).toEqual(
      refused(storedOffset, new RegExp(`^chunk ${chunk} `)),
    );
  }
});

test('a sink is ended and destroyed together with the one behind it', async () => {
  const memory = new MemorySink();
  const sink = codec.writer(memory);
  await sink.write(plain);
  sink.destroy();
  expect(memory.state).toBe('destroyed');
  const other = new MemorySink();
  await codec.writer(other).end();
  expect(other.state).toBe('ended');
  expect(await unpack(codec, other.bytes)).toEqual(Buffer.alloc(0));
});

test('more bytes than are expected are refused', async () => {
  await expect(unpack(codec, stored, undefined, 5499)).rejects.toEqual(
    expect.objectContaining({ code: 'FILE_BROKEN', place: `${file}, offset ${startOf(5)}` }),
  );
  expect(await unpack(codec, stored, undefined, 5500)).toEqual(plain);
});
