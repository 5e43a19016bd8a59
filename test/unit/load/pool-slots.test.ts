import fc from 'fast-check';
import { expect, test } from 'vitest';
import { poolSlots } from '../../../core/load/pool-slots.ts';
import { slotsFor } from '../../../core/load/slots.ts';

const sum = (slots: Readonly<Record<string, number>>) => Object.values(slots).reduce((total, one) => total + one, 0);

test.each([
  [10, { default: 8, night: 2 }],
  [9, { default: 7, night: 2 }],
  [5, { default: 4, night: 1 }],
  [2, { default: 1, night: 1 }],
  [1, { default: 1, night: 1 }],
])('%i open slots of ten are shared out in proportion', (open, shared) => {
  expect(poolSlots({ default: 8, night: 2 }, open)).toEqual(shared);
});

test('a single pool has all that are open', () => {
  for (let open = 1; open <= 6; open++) expect(poolSlots({ default: 6 }, open)).toEqual({ default: open });
});

const anySizes = fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), fc.integer({ min: 1, max: 50 }), { minKeys: 1, maxKeys: 8 });

test('every pool has at least one, none more than its own, and together they are as many as are open', () => {
  fc.assert(
    fc.property(anySizes, fc.nat(400), (sizes, wanted) => {
      const open = Math.min(sum(sizes), Math.max(1, wanted));
      const slots = poolSlots(sizes, open);
      expect(Object.keys(slots)).toEqual(Object.keys(sizes));
      for (const [name, size] of Object.entries(sizes)) {
        expect(slots[name]).toBeGreaterThanOrEqual(1);
        expect(slots[name]).toBeLessThanOrEqual(size);
        // Never more than one away from its share, but for the one that each has.
        expect(slots[name]).toBeLessThan(Math.max(1, (size * open) / sum(sizes)) + 1);
      }
      const ones = Object.values(sizes).filter((size) => (size * open) / sum(sizes) < 1).length;
      expect(sum(slots)).toBeGreaterThanOrEqual(open);
      expect(sum(slots)).toBeLessThanOrEqual(open + ones);
    }),
  );
});

test('one slot more gives all together no fewer, and takes one from a pool at most', () => {
  fc.assert(
    fc.property(anySizes, fc.nat(400), (sizes, wanted) => {
      const open = 1 + (wanted % sum(sizes));
      const [fewer, more] = [poolSlots(sizes, open), poolSlots(sizes, Math.min(sum(sizes), open + 1))];
      for (const name of Object.keys(sizes)) expect(more[name]! - fewer[name]!).toBeGreaterThanOrEqual(-1);
      expect(sum(more)).toBeGreaterThanOrEqual(sum(fewer));
    }),
  );
});

test('a machine on which others use most of the cores closes slots of all pools', () => {
  const sizes = { default: 6, night: 2 };
  const sample = {
    ...{ cores: 4, busyOthers: 2, ours: 0, memoryAvailableBytes: 8e9, rssBytes: 8e7, loopUtilisation: 0 },
    pressure: { cpu: 0, memory: 0 },
  };
  const limits = { maxSlots: sum(sizes), coresPerSlot: 0.5, bytesPerSlot: 1e8, reserveBytes: 2e8 };
  const plan = slotsFor({ sample, running: 0, localEnds: 0, now: 0 }, limits, undefined);
  expect(plan).toMatchObject({ slots: 4, why: '4 of 8 slots: others use 2.0 of 4 cores' });
  expect(poolSlots(sizes, plan.slots)).toEqual({ default: 3, night: 1 });
});
