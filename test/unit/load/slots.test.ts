import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LoadSample } from '../../../core/load/load-sensor.ts';
import { type SlotLimits, type SlotPlan, type SlotSituation, slotsFor } from '../../../core/load/slots.ts';

const MB = 2 ** 20;
const limits: SlotLimits = { maxSlots: 4, coresPerSlot: 1, bytesPerSlot: 100 * MB, reserveBytes: 256 * MB };
const idle: LoadSample = {
  cores: 4,
  busyOthers: 0,
  ours: 0,
  memoryAvailableBytes: 8000 * MB,
  rssBytes: 80 * MB,
  loopUtilisation: 0.1,
  pressure: { cpu: 0, memory: 0 },
};

/** Looks once a second, as often as there are samples. */
function follow(samples: readonly Partial<LoadSample & Omit<SlotSituation, 'sample'>>[], given = limits, from?: SlotPlan): SlotPlan[] {
  const plans: SlotPlan[] = [];
  let now = from?.at ?? 0;
  for (const { running = 0, localEnds = 0, ...sample } of samples) {
    now += 1000;
    plans.push(slotsFor({ sample: { ...idle, ...sample }, running, localEnds, now }, given, plans.at(-1) ?? from));
  }
  return plans;
}

const repeated = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);
const slotsOf = (plans: readonly SlotPlan[]) => plans.map(({ slots }) => slots);
const changes = (plans: readonly SlotPlan[]) => plans.filter(({ slots }, index) => index > 0 && plans[index - 1]!.slots !== slots).length;

test('an idle machine gives all slots, from the first moment', () => {
  expect(new Set(slotsOf(follow([{ busyOthers: undefined }, ...repeated(20, {})])))).toEqual(new Set([4]));
});

test('a machine that is busy with the work of others gives less, and all again when they are gone', () => {
  const busy = follow(repeated(20, { busyOthers: 3 }), limits, follow([{}])[0]);
  expect(busy.at(-1)!.slots).toBe(1);
  expect(busy.at(-1)!.why).toBe('1 of 4 slots: others use 3.0 of 4 cores');
  const after = follow(repeated(40, {}), limits, busy.at(-1)!);
  expect(after.at(-1)!.slots).toBe(4);
  // It opens step by step.
  expect(slotsOf(after).every((slots, index) => index === 0 || slots >= after[index - 1]!.slots)).toBe(true);
  expect(slotsOf(after)).toContain(3);
});

test('a burst of a second changes nothing', () => {
  const plans = follow([...repeated(10, {}), { busyOthers: 2.5 }, ...repeated(10, {})]);
  expect(changes(plans)).toBe(0);
});

test('servers on this machine that work for our tasks are none of the others', () => {
  const busy = { busyOthers: 2, ours: 2, running: 4 };
  expect(follow(repeated(20, { ...busy, localEnds: 1 })).at(-1)!.slots).toBe(4);
  expect(follow(repeated(20, busy)).at(-1)!.slots).toBe(2);
});

test('tasks that are seen to take more memory than was thought get fewer slots', () => {
  const first = follow([{}])[0];
  const small = { running: 2, rssBytes: 180 * MB, memoryAvailableBytes: 600 * MB };
  expect(follow([small], limits, first).at(-1)!.slots).toBe(4);
  const big = { running: 2, rssBytes: 1080 * MB, memoryAvailableBytes: 600 * MB };
  const plan = follow([big], limits, first).at(-1)!;
  expect(plan).toMatchObject({ slots: 2, why: '2 of 4 slots: 600 MB of memory are free' });
});

test('while memory is short, or the main thread is what everything waits for, nothing is added', () => {
  const [low] = follow([{ memoryAvailableBytes: 300 * MB }]);
  expect(low!.slots).toBe(1);
  const short = follow(repeated(30, { pressure: { cpu: 0, memory: 0.3 } }), limits, low).at(-1)!;
  expect(short).toMatchObject({ slots: 1, why: '1 of 4 slots: memory is short on this machine' });
  expect(follow(repeated(30, { loopUtilisation: 0.99 }), limits, short).at(-1)!.slots).toBe(1);
  expect(follow(repeated(30, {}), limits, short).at(-1)!.slots).toBe(4);
});

test('whoever had all slots has all when there are more of them', () => {
  const [first] = follow([{}]);
  const [more] = follow([{ cores: 16 }], { ...limits, maxSlots: 12 }, first);
  expect(more!.slots).toBe(12);
});

const anySample = fc.record({
  cores: fc.double({ min: 0.5, max: 64, noNaN: true }),
  busyOthers: fc.option(fc.double({ min: 0, max: 64, noNaN: true }), { nil: undefined }),
  ours: fc.double({ min: 0, max: 64, noNaN: true }),
  memoryAvailableBytes: fc.integer({ min: 0, max: 64_000 * MB }),
  rssBytes: fc.integer({ min: MB, max: 8000 * MB }),
  loopUtilisation: fc.double({ min: 0, max: 1, noNaN: true }),
  running: fc.nat(20),
  localEnds: fc.integer({ min: 0, max: 2 }),
});

test('there is always at least one slot, and never more than the limit', () => {
  fc.assert(
    fc.property(fc.array(anySample, { minLength: 1, maxLength: 60 }), fc.integer({ min: 1, max: 40 }), (samples, maxSlots) => {
      for (const { slots } of follow(samples, { ...limits, maxSlots })) {
        expect(Number.isInteger(slots)).toBe(true);
        expect(slots).toBeGreaterThanOrEqual(1);
        expect(slots).toBeLessThanOrEqual(maxSlots);
      }
    }),
  );
});

test('a steady load leads to steady slots, which are about what others leave', () => {
  fc.assert(
    fc.property(anySample, anySample, (before, steady) => {
      const start = follow(repeated(10, before));
      const sample = { ...steady, loopUtilisation: 0, running: 0, localEnds: 0, memoryAvailableBytes: 64_000 * MB };
      const plans = follow(repeated(200, sample), { ...limits, maxSlots: 16 }, start.at(-1));
      const end = plans.slice(120);
      expect(changes(end)).toBe(0);
      const free = steady.cores - Math.min(steady.cores, steady.busyOthers ?? 0);
      if (steady.busyOthers === undefined || steady.busyOthers > steady.cores) return;
      expect(end[0]!.slots).toBeGreaterThanOrEqual(Math.min(16, Math.max(1, Math.floor(free))));
      expect(end[0]!.slots).toBeLessThanOrEqual(Math.min(16, Math.max(1, Math.ceil(free + 0.61))));
    }),
  );
});

test('noise around a steady load does not make the slots flap', () => {
  const noise = fc.array(fc.double({ min: -0.15, max: 0.15, noNaN: true }), { minLength: 120, maxLength: 120 });
  fc.assert(
    fc.property(fc.double({ min: 0, max: 4, noNaN: true }), noise, (others, noises) => {
      const settled = follow(repeated(60, { busyOthers: others }));
      const plans = follow(
        noises.map((by) => ({ busyOthers: Math.min(4, Math.max(0, others + by)) })),
        limits,
        settled.at(-1),
      );
      expect(changes(plans)).toBeLessThanOrEqual(1);
    }),
  );
});

test('slots that were taken away do not come back within five seconds', () => {
  fc.assert(
    fc.property(fc.array(anySample, { minLength: 2, maxLength: 80 }), (samples) => {
      const plans = follow(samples, { ...limits, maxSlots: 16 });
      let takenAt = -Infinity;
      for (const [index, { slots, at }] of plans.entries()) {
        const before = plans[index - 1]?.slots ?? 16;
        if (slots > before) expect(at - takenAt).toBeGreaterThan(5000);
        if (slots < before) takenAt = at;
      }
    }),
  );
});
