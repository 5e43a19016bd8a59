import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countingSink } from '../../../../plugins/_files/codecs/digest.ts';
import { chunkSizes, contents, cut, MemorySink, textOf } from './streams.ts';

test('what passes through is counted, hashed and not changed', async () => {
  await fc.assert(
    fc.asyncProperty(contents, chunkSizes, async (bytes, sizes) => {
      const memory = new MemorySink();
      const sink = countingSink(memory);
      for (const chunk of cut(bytes, sizes)) await sink.write(chunk);
      expect(memory.state).toBe('open');
      await sink.end();
      expect(memory.state).toBe('ended');
      expect(sink.bytes).toBe(bytes.length);
      expect(sink.sha256()).toBe(createHash('sha256').update(bytes).digest('hex'));
      expect(memory.bytes).toEqual(bytes);
    }),
    { numRuns: 30 },
  );
});

test('the sink behind it is destroyed with it, and what that fails with is passed on', async () => {
  const memory = new MemorySink();
  countingSink(memory).destroy();
  expect(memory.state).toBe('destroyed');
  const fault = new Error('the disk is full');
  memory.write = () => Promise.reject(fault);
  await expect(countingSink(memory).write(textOf(10))).rejects.toBe(fault);
});
