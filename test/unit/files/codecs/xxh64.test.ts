import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newXxh64 } from '../../../../plugins/_files/codecs/xxh64.ts';
import { chunkSizes, contents, cut } from './streams.ts';
import { packedText, zstdFiles } from './zstd-files.ts';

test.each([
  ['', 0xef46db3751d8e999n],
  ['a', 0xd24ec4f1a98c6e5bn],
  ['abc', 0x44bc2cf5ad770999n],
])('of %j is what the xxHash project says', async (text, expected) => {
  expect((await newXxh64()).update(Buffer.from(text)).digest()).toBe(expected);
});

test('of a longer text is what zstd has put behind it', async () => {
  const { piped } = zstdFiles;
  expect((await newXxh64()).update(packedText).low32()).toBe(piped.readUInt32LE(piped.length - 4));
});

test('does not depend on the chunks that the bytes come in', async () => {
  await fc.assert(
    fc.asyncProperty(contents, chunkSizes, async (bytes, sizes) => {
      const hash = await newXxh64();
      for (const chunk of cut(bytes, sizes)) hash.update(chunk);
      expect(hash.digest()).toBe((await newXxh64()).update(bytes).digest());
    }),
  );
});
