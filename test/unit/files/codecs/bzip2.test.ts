import { randomBytes } from 'node:crypto';
import type { DrayError } from 'dray/sdk';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { bzip2 } from '../../../../plugins/_files/codecs/bzip2.ts';
import { bzip2Of, requirePackers } from '../../../support/packers.ts';
import { chunkSizes, contents, file, flipped, outcome, stream, textOf, unpack } from './streams.ts';

const codec = bzip2();
const plain = textOf(300_000);
let stored: Buffer;

beforeAll(() => {
  requirePackers();
  stored = bzip2Of(plain, '-1');
});

const refused = (sentence: RegExp) => expect.objectContaining({ code: 'FILE_BROKEN', message: expect.stringMatching(sentence) });

describe('what bzip2 has packed comes back', () => {
  test.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['one byte', Buffer.from('a')],
    ['every byte', Buffer.from(Array.from({ length: 256 }, (_, index) => index))],
    [
      'runs of all lengths around those that are shortened',
      Buffer.from(Array.from({ length: 300 }, (_, length) => 'ab'[length % 2]!.repeat(length)).join('')),
    ],
    ['one byte over and over', Buffer.alloc(3_000_000, 'x')],
    ['noise', randomBytes(1_500_000)],
    ['what repeats itself after a while', Buffer.concat(Array.from({ length: 40 }, () => textOf(50_000)))],
  ])('%s', async (_, bytes) => {
    for (const level of ['-1', '-9']) expect((await unpack(codec, bzip2Of(bytes, level))).equals(bytes)).toBe(true);
  });

  test('however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(contents, chunkSizes, async (bytes, sizes) => {
        expect((await unpack(codec, bzip2Of(bytes), sizes)).equals(bytes)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  test.each([1, 1000, 1_000_000])('from several streams behind each other, cut every %i bytes', async (size) => {
    const streams = [textOf(2000), Buffer.alloc(0), Buffer.from('the last one')];
    const bytes = Buffer.concat(streams.map((one, index) => bzip2Of(one, `-${index + 1}`)));
    expect(await unpack(codec, bytes, [size])).toEqual(Buffer.concat(streams));
  });
});

describe('what is not whole is an error', () => {
  test('wherever it is cut off', async () => {
    const small = bzip2Of(textOf(3000));
    for (let length = 0; length < small.length; length++) {
      expect(await outcome(codec, small.subarray(0, length))).toEqual(refused(/is cut off: its bzip2 data breaks off at byte \d+/));
    }
    for (const share of [0.3, 0.6, 0.99]) {
      expect(await outcome(codec, stored.subarray(0, Math.floor(share * stored.length)))).toEqual(refused(/is cut off/));
    }
  });

  test('whichever byte is changed, or the same comes out', async () => {
    const small = bzip2Of(textOf(2000));
    for (let at = 0; at < small.length; at++) {
      for (const by of [1, 0x80, 0xff]) {
        const found = await outcome(codec, flipped(small, at, by));
        // The level may be another one, and there are bits that nobody needs: in tables, and in the last byte.
        if (Buffer.isBuffer(found)) expect({ at, by, isSame: found.equals(textOf(2000)) }).toEqual({ at, by, isSame: true });
        else expect(found).toEqual(refused(/cut off|damaged|does not begin like bzip2 data|goes on behind/));
      }
    }
  });

  test('a checksum of all blocks that is another', async () => {
    for (const bytes of [bzip2Of(textOf(2000)), stored]) {
      expect(await outcome(codec, flipped(bytes, bytes.length - 3))).toEqual(
        refused(/is damaged behind byte \d+: the checksum of the stream is wrong/),
      );
    }
  });

  test('and bytes that no bzip2 has written never get through, whatever they are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.integer({ min: 4, max: 60 }), async (noise, from) => {
        const bytes = Buffer.concat([stored.subarray(0, from), noise]);
        expect(await outcome(codec, bytes)).toEqual(refused(/cut off|damaged/));
      }),
      { numRuns: 300 },
    );
  });

  test('or goes on with something else', async () => {
    expect(await outcome(codec, Buffer.concat([bzip2Of(textOf(10)), Buffer.from('garbage')]))).toEqual(
      refused(/goes on behind the end of its bzip2 data, at byte \d+/),
    );
    expect(await outcome(codec, Buffer.from('id,name\n1,a\n'))).toEqual(refused(/does not begin like bzip2 data/));
  });

  test('a small file that unpacks to more than is expected', async () => {
    const bomb = bzip2Of(Buffer.alloc(50_000_000));
    expect(bomb.length).toBeLessThan(1000);
    const found = await unpack(codec, bomb, undefined, 1_000_000).catch((error: DrayError) => error);
    expect(found).toEqual(refused(/unpacks to more than the 1000000 bytes that are expected/));
  });
});

test('who stops listening closes the source', async () => {
  let isClosed = false;
  async function* source() {
    try {
      yield* stream(stored, [1000]);
    } finally {
      isClosed = true;
    }
  }
  for await (const _ of codec.reader(source(), file)) break;
  expect(isClosed).toBe(true);
});
