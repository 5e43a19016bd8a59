import { execFileSync } from 'node:child_process';
import { gunzipSync, gzipSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gzip } from '../../../../plugins/_files/codecs/gzip.ts';
import { chunkSizes, contents, file, flipped, MemorySink, outcome, pack, stream, textOf, unpack } from './streams.ts';

const codec = gzip();
const plain = textOf(100_000);
const stored = await pack(codec, plain);

function refused(offset: number | RegExp, sentence: RegExp) {
  const place = typeof offset === 'number' ? `${file}, offset ${offset}` : expect.stringMatching(offset);
  return expect.objectContaining({ code: 'FILE_BROKEN', message: expect.stringMatching(sentence), place });
}

/** The same bytes at each call, which cannot be packed by themselves. */
function noise(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, at) => (Math.imul(at, 2_654_435_761) >>> 13) & 255));
}

/** What the first member holds, and how many bytes stand behind it. */
function firstMember(bytes: Buffer): [Buffer, number] {
  const { buffer, engine } = inflateRawSync(bytes.subarray(10), { info: true }) as unknown as {
    buffer: Buffer;
    engine: { bytesWritten: number };
  };
  return [buffer, bytes.length - 10 - engine.bytesWritten - 8];
}

describe('what is packed', () => {
  test('comes back, however it is cut on both sides', async () => {
    await fc.assert(
      fc.asyncProperty(contents, chunkSizes, chunkSizes, async (bytes, written, read) => {
        expect(await unpack(codec, await pack(codec, bytes, written), read)).toEqual(bytes);
      }),
      { numRuns: 50 },
    );
  });

  test('is read by zlib, and what zlib packs is read', async () => {
    expect(gunzipSync(stored)).toEqual(plain);
    expect(await unpack(codec, gzipSync(plain))).toEqual(plain);
  });

  test('is one member, of many blocks, which others read; each knows what stands before it', async () => {
    const big = textOf(5_000_000);
    const packed = await pack(codec, big, [700_001, 3, 1_000_000]);
    expect(execFileSync('gzip', ['-dc'], { input: packed, maxBuffer: 6_000_000 }).equals(big)).toBe(true);
    const [member, rest] = firstMember(packed);
    expect(member.equals(big)).toBe(true);
    expect(rest).toBe(0);
    const repeated = Buffer.concat(Array.from({ length: 1000 }, () => noise(10_000)));
    expect((await pack(codec, repeated)).length).toBeLessThan(repeated.length / 5);
  });

  test('is smaller at a higher level', async () => {
    expect((await pack(gzip({ level: 9 }), plain)).length).toBeLessThan(stored.length);
  });
});

describe('members', () => {
  const first = gzipSync(textOf(2000));
  const second = gzipSync('the second one');

  test.each([1, 10, first.length - 1, first.length, first.length + 1, 1_000_000])(
    'behind each other are read, cut every %i bytes',
    async (size) => {
      expect(await unpack(codec, Buffer.concat([first, second]), [size])).toEqual(
        Buffer.concat([textOf(2000), Buffer.from('the second one')]),
      );
    },
  );

  test.each([1, 13, first.length, 1_000_000])('may have zeros behind the last one, cut every %i bytes', async (size) => {
    expect(await unpack(codec, Buffer.concat([first, Buffer.alloc(40)]), [size])).toEqual(textOf(2000));
  });

  test.each([1, 13, first.length, 1_000_000])('that follow zeros are not overlooked, cut every %i bytes', async (size) => {
    const bytes = Buffer.concat([first, Buffer.alloc(40), second]);
    const offset = first.length + 40;
    await expect(unpack(codec, bytes, [size])).rejects.toEqual(refused(offset, /goes on behind the end of its gzip data/));
  });

  test.each([1, first.length, 1_000_000])('that are none are refused, cut every %i bytes', async (size) => {
    await expect(unpack(codec, Buffer.concat([first, Buffer.from('garbage')]), [size])).rejects.toEqual(
      refused(/, offset \d+$/, /damaged behind byte \d+: gzip says "incorrect header check"/),
    );
  });
});

describe('a file that is not whole', () => {
  test.each(Array.from({ length: 16 }, (_, part) => part))('is refused when %i/16 of it are there', async (part) => {
    const bytes = stored.subarray(0, Math.floor((stored.length * part) / 16));
    await expect(unpack(codec, bytes, [1000])).rejects.toEqual(refused(bytes.length, /is cut off: its gzip data breaks off at byte/));
  });

  test('gives no other bytes than were packed, whichever byte is damaged', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(stored.length - 1), fc.integer({ min: 1, max: 255 }), async (at, by) => {
        const result = await outcome(codec, flipped(stored, at, by));
        // Some bits are never looked at: the time in the header, and what fills the last byte of the data.
        if (Buffer.isBuffer(result)) expect(result.equals(plain)).toBe(true);
        else expect(result).toEqual(refused(/, offset \d+$/, /is damaged behind byte|is cut off|goes on behind/));
      }),
      { numRuns: 200 },
    );
  });

  test('is refused for nearly every byte that is damaged', async () => {
    const places = Array.from({ length: 100 }, (_, part) => 10 + Math.floor(((stored.length - 10) * part) / 100));
    const results = await Promise.all(places.map((at) => outcome(codec, flipped(stored, at, 0xff))));
    expect(results.filter((result) => Buffer.isBuffer(result))).toEqual([]);
  });

  test('is refused by its checksum at the end', async () => {
    await expect(unpack(codec, flipped(stored, stored.length - 6))).rejects.toEqual(refused(/offset/, /gzip says "incorrect data check"/));
  });
});

describe('a reader', () => {
  test('stops at more bytes than are expected', async () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000));
    await expect(unpack(codec, bomb, undefined, 1_000_000)).rejects.toEqual(
      refused(/offset/, /unpacks to more than the 1000000 bytes that are expected/),
    );
    expect(await unpack(codec, stored, undefined, plain.length)).toEqual(plain);
  });

  test('closes its source when it is left', async () => {
    let isClosed = false;
    async function* source() {
      try {
        for (;;) yield* stream(gzipSync(Buffer.alloc(5_000_000)));
      } finally {
        isClosed = true;
      }
    }
    for await (const _ of codec.reader(source(), file)) break;
    expect(isClosed).toBe(true);
  });

  test('passes on what its source fails with', async () => {
    const fault = new Error('the network is gone');
    async function* source() {
      yield stored.subarray(0, 100);
      throw fault;
    }
    await expect(async () => {
      for await (const _ of codec.reader(source(), file));
    }).rejects.toBe(fault);
  });
});

describe('a writer', () => {
  test('passes on what the sink behind it fails with, while it waits for room', async () => {
    const fault = new Error('the disk is full');
    const full = new MemorySink();
    full.write = () => Promise.reject(fault);
    const sink = codec.writer(full);
    await expect(sink.write(noise(4_000_000))).rejects.toBe(fault);
    sink.destroy();
    expect(full.state).toBe('destroyed');
  });

  test('ends the sink behind it, and destroys it', async () => {
    const memory = new MemorySink();
    await codec.writer(memory).end();
    expect(memory.state).toBe('ended');
    expect(gunzipSync(memory.bytes)).toEqual(Buffer.alloc(0));
    const other = new MemorySink();
    const sink = codec.writer(other);
    await sink.write(plain);
    sink.destroy();
    expect(other.state).toBe('destroyed');
  });
});

test('texts that come again after more than 8 KiB are found again', async () => {
  const text = noise(9000).toString('base64url');
  const rows = Buffer.from(Array.from({ length: 200 }, (_, row) => `${row},${text}\n`).join(''));
  expect((await pack(codec, rows)).length).toBeLessThan(1.5 * gzipSync(rows, { level: 1 }).length);
});
