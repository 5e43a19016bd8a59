import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { zstd } from '../../../../plugins/_files/codecs/zstd.ts';
import { chunkSizes, contents, file, flipped, MemorySink, outcome, pack, stream, textOf, unpack } from './streams.ts';
import { packedText, zstdFiles } from './zstd-files.ts';

const mebi = 1024 * 1024;
const codec = zstd();
/** Reads everything but the smallest frames block by block, as it does frames of more than 64 MiB. */
const blockwise = zstd({ maxWholeBytes: 1000 });
const plain = textOf(3.5 * mebi);
const memory = new MemorySink();
const sink = codec.writer(memory);
await sink.write(plain);
await sink.end();
const stored = memory.bytes;
const starts = sink.frameIndex!.map(([at]) => at);
const tableAt = stored.length - (8 + 12 * 5 + 9);
const mark = stored.subarray(0, starts[0]);
const frames = starts.map((at, frame) => stored.subarray(at, starts[frame + 1] ?? tableAt));
const table = stored.subarray(tableAt);

function refused(offset: number | RegExp, sentence: RegExp) {
  const place = typeof offset === 'number' ? `${file}, offset ${offset}` : expect.stringMatching(offset);
  return expect.objectContaining({ code: 'FILE_BROKEN', message: expect.stringMatching(sentence), place });
}

describe('what is packed', () => {
  test('comes back, however it is cut on both sides', async () => {
    await fc.assert(
      fc.asyncProperty(contents, chunkSizes, chunkSizes, async (bytes, written, read) => {
        const packed = await pack(codec, bytes, written);
        expect(await unpack(codec, packed, read)).toEqual(bytes);
        expect(await unpack(blockwise, packed, read)).toEqual(bytes);
      }),
      { numRuns: 50 },
    );
  });

  test.each([[[1_000_000]], [[65_536]], [[3, 2_500_000]]])('comes back from several frames, cut to %j', async (sizes) => {
    const packed = await pack(codec, plain, sizes);
    expect(packed.equals(stored)).toBe(true);
    expect((await unpack(codec, packed, sizes)).equals(plain)).toBe(true);
    expect((await unpack(blockwise, packed, sizes)).equals(plain)).toBe(true);
  });

  test('is smaller at a higher level', async () => {
    expect((await pack(zstd({ level: 9 }), plain)).length).toBeLessThan(stored.length);
  });

  test('can be read from each frame on', async () => {
    expect(sink.frameIndex).toHaveLength(4);
    for (const [storedOffset, plainOffset] of sink.frameIndex!) {
      const rest = await unpack(codec, stored.subarray(storedOffset));
      expect(rest.equals(plain.subarray(plainOffset))).toBe(true);
    }
  });

  test('has a table of its frames at its end, in the seekable format', () => {
    expect(table.readUInt32LE(0)).toBe(0x184d2a5e);
    expect(table.readUInt32LE(4)).toBe(table.length - 8);
    expect(table.readUInt32LE(table.length - 4)).toBe(0x8f92eab1);
    expect(table.readUInt32LE(table.length - 9)).toBe(5);
    const sizes = Array.from({ length: 5 }, (_, at) => [table.readUInt32LE(8 + at * 12), table.readUInt32LE(12 + at * 12)]);
    expect(sizes).toEqual([[mark.length, 0], ...frames.map((frame, at) => [frame.length, at < 3 ? mebi : mebi / 2])]);
    expect(frames.map((frame) => frame.readUInt32LE(frame.length - 4))).toEqual([1, 2, 3, 4].map((at) => table.readUInt32LE(16 + at * 12)));
  });

  test('may be nothing', async () => {
    const packed = await pack(codec, Buffer.alloc(0));
    expect(packed.length).toBeGreaterThan(0);
    expect(await unpack(codec, packed)).toEqual(Buffer.alloc(0));
  });

  test('may stand behind other packed bytes', async () => {
    const packed = await pack(codec, Buffer.from('the second one'));
    const both = await unpack(codec, Buffer.concat([stored, packed, zstdFiles.small]));
    expect(both.equals(Buffer.concat([plain, Buffer.from('the second one'), textOf(300)]))).toBe(true);
  });
});

describe('files of other programs', () => {
  test.each([
    ['piped', packedText],
    ['fromFile', packedText],
    ['unchecked', packedText],
    ['pzstd', packedText],
    ['small', textOf(300)],
    ['empty', Buffer.alloc(0)],
  ] as const)('are read: %s', async (name, expected) => {
    for (const sizes of [[1], [7, 60], [1_000_000]]) {
      expect((await unpack(codec, zstdFiles[name], sizes)).equals(expected)).toBe(true);
      expect((await unpack(blockwise, zstdFiles[name], sizes)).equals(expected)).toBe(true);
    }
  });

  test('are read in one frame of more than 64 MiB', async () => {
    // 1200 blocks, each a run of 65,536 spaces; no content size, no checksum.
    const block = Buffer.from([0x02, 0x00, 0x08, 0x20]);
    const blocks = Array.from({ length: 1200 }, (_, at) => (at < 1199 ? block : flipped(block, 0)));
    const bytes = Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58]), ...blocks]);
    let length = 0;
    let largest = 0;
    for await (const chunk of codec.reader(stream(bytes), file)) {
      length += chunk.length;
      largest = Math.max(largest, chunk.length);
    }
    expect(length).toBe(1200 * 65_536);
    expect(largest).toBeLessThanOrEqual(131_072);
  });

  test('are read with skippable frames between, and with a table that is not ours', async () => {
    const skip = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    const bytes = Buffer.concat([skip, zstdFiles.small, skip, skip, zstdFiles.piped, table]);
    expect((await unpack(codec, bytes, [5])).equals(Buffer.concat([textOf(300), packedText]))).toBe(true);
  });

  test('are refused that need a dictionary, or more memory than is allowed', async () => {
    const dictionary = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x21, 7, 0, 1, 0, 0]);
    expect(await outcome(codec, dictionary)).toEqual(refused(0, /was packed with a zstd dictionary/));
    const hugeWindow = flipped(zstdFiles.piped, 5, 0xe0 ^ zstdFiles.piped[5]!);
    expect(await outcome(codec, hugeWindow)).toEqual(refused(0, /takes 274877906944 bytes of memory, and 134217728 are allowed/));
  });
});

describe('a file that is not whole', () => {
  test.each(Array.from({ length: 16 }, (_, part) => part))('is refused when %i/16 of it are there', async (part) => {
    const bytes = stored.subarray(0, Math.floor((stored.length * part) / 16));
    expect(await outcome(codec, bytes)).toEqual(
      refused(bytes.length, part === 0 ? /is empty/ : /is cut off: its zstd data breaks off at byte/),
    );
  });

  test('is refused when it is cut off at any byte, also between two frames', async () => {
    const small = await pack(codec, textOf(2000));
    for (let length = 0; length < small.length; length++) {
      expect(await outcome(codec, small.subarray(0, length))).toEqual(refused(length, /is empty|is cut off/));
    }
    for (const length of [...starts, tableAt]) {
      expect(await outcome(codec, stored.subarray(0, length))).toEqual(
        refused(length, /is cut off at byte \d+: the table of its zstd frames is not there/),
      );
    }
  });

  test('gives no other bytes than were packed, whichever byte is damaged', async () => {
    const small = await pack(codec, textOf(2000));
    const missed: number[] = [];
    for (let at = 0; at < small.length; at++) {
      for (const by of [1, 0x10, 0x80, 0xff]) {
        for (const reader of [codec, zstd({ maxWholeBytes: 0 })]) {
          const result = await outcome(reader, flipped(small, at, by));
          if (!Buffer.isBuffer(result)) {
            expect(result).toEqual(refused(/, offset \d+$/, /is damaged|is cut off|not zstd data|dictionary|of memory|did not write/));
            continue;
          }
          expect(result.equals(textOf(2000))).toBe(true);
          missed.push(at);
        }
      }
    }
    // What can be missed: the mark that says who wrote it, and bits that fill bytes.
    expect(missed.filter((at) => at >= mark.length).length).toBeLessThan(small.length / 20);
  });

  test('is refused for a damaged byte far inside, with the place of the frame', async () => {
    expect(await outcome(codec, flipped(stored, starts[2]! + 5000))).toEqual(refused(/offset/, /is damaged/));
    for (const reader of [codec, blockwise]) {
      const last = starts[3]! - 1;
      expect(await outcome(reader, flipped(stored, last))).toEqual(
        refused(starts[2]!, new RegExp(`its zstd frame at byte ${starts[2]} cannot be unpacked`)),
      );
    }
  });

  test('is refused when frames changed places, or one is missing or twice there', async () => {
    const [a, b, c, d] = frames as [Buffer, Buffer, Buffer, Buffer];
    for (const wrong of [
      [b, a, c, d],
      [a, b, c],
      [a, c, b, d],
      [a, a, b, c, d],
      [a, b, c, d, d],
    ]) {
      const at = mark.length + wrong.reduce((sum, frame) => sum + frame.length, 0);
      expect(await outcome(codec, Buffer.concat([mark, ...wrong, table]))).toEqual(
        refused(at, /the table at byte \d+ is not that of the frames before it/),
      );
    }
  });

  test('is refused when another one stands behind its end that is cut off', async () => {
    const cutOff = stored.subarray(0, starts[2]);
    expect(await outcome(codec, Buffer.concat([cutOff, stored]))).toEqual(refused(/offset/, /the table at byte/));
    expect(await outcome(codec, Buffer.concat([stored, cutOff]))).toEqual(refused(/offset/, /the table of its zstd frames is not there/));
  });

  test.each(['x', 'garbage behind the end'])('is refused with %j behind it', async (garbage) => {
    const sentence = /is cut off|something that is not zstd data at byte/;
    expect(await outcome(codec, Buffer.concat([stored, Buffer.from(garbage)]))).toEqual(refused(/offset/, sentence));
  });
});

describe('a reader', () => {
  test('stops at more bytes than are expected', async () => {
    await expect(unpack(codec, stored, undefined, plain.length - 1)).rejects.toEqual(
      refused(/offset/, /unpacks to more than the \d+ bytes/),
    );
    expect((await unpack(codec, stored, undefined, plain.length)).equals(plain)).toBe(true);
  });

  test('closes its source when it is left', async () => {
    let isClosed = false;
    async function* source() {
      try {
        for (;;) yield* stream(stored);
      } finally {
        isClosed = true;
      }
    }
    for await (const _ of codec.reader(source(), file)) break;
    expect(isClosed).toBe(true);
  });
});

test('a writer passes on what the sink behind it fails with, and destroys it', async () => {
  const fault = new Error('the disk is full');
  const full = new MemorySink();
  full.write = () => Promise.reject(fault);
  const broken = codec.writer(full);
  await expect(broken.write(textOf(5 * mebi))).rejects.toBe(fault);
  broken.destroy();
  expect(full.state).toBe('destroyed');
  expect(memory.state).toBe('ended');
});
