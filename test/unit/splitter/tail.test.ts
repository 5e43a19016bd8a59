import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { KeyPoint, Split } from '../../../core/sdk/index.ts';
import { rangesOf } from '../../../core/splitter/ranges.ts';
import { divideTail } from '../../../core/splitter/tail.ts';
import { holds, keyValue, numberKey } from './number-key.ts';

/** Ranges of a table, the one for rows to come left out, and what they are divided into. */
function divided(points: readonly KeyPoint[], pieces: number, channels: number) {
  const ranges = rangesOf({ ...numberKey, isNullable: true }, points, pieces, keyValue(300)).slice(0, -1);
  return divideTail(
    ranges.map(({ range, rows, inner }, index) => ({
      inner,
      split: { name: `t ${index}`, range, estimatedRows: rows, estimatedBytes: 100 * rows },
    })),
    channels,
  );
}

const evenPoints = Array.from({ length: 32 }, (_, at) => ({ value: keyValue(8 * at), rows: 50_000 }));

test('the last two splits per channel are read in parts, the others as they are', () => {
  const splits = divided(evenPoints, 8, 2);
  expect(splits.map(({ members }) => members?.length)).toEqual([undefined, undefined, undefined, undefined, 4, 4, 4, 4]);
  expect(divided(evenPoints, 8, 1).every(({ members }) => members === undefined)).toBe(true);
});

test('parts are not smaller than is worth a statement', () => {
  const small = evenPoints.map((point) => ({ ...point, rows: 500 }));
  expect(divided(small, 8, 4).every(({ members }) => members === undefined)).toBe(true);
});

test('the parts of a split hold each of its keys once, and no other, and add up to its size', () => {
  const anyPoints = fc
    .uniqueArray(fc.record({ at: fc.integer({ min: -200, max: 300 }), rows: fc.integer({ min: 0, max: 100_000 }) }), {
      selector: ({ at }) => at,
      minLength: 4,
      maxLength: 40,
    })
    .map((all) => all.toSorted((a, b) => a.at - b.at).map(({ at, rows }) => ({ value: keyValue(at), rows })));
  let dividedSplits = 0;
  fc.assert(
    fc.property(anyPoints, fc.integer({ min: 2, max: 8 }), (points, pieces) => {
      for (const { range, members, estimatedRows } of divided(points, pieces, 4)) {
        if (members === undefined) continue;
        dividedSplits++;
        const holding = (value: bigint | null) => members.filter((part: Split) => holds(part.range!, value)).length;
        for (let value = -202n; value <= 302n; value++) expect(holding(value)).toBe(holds(range!, value) ? 1 : 0);
        expect(holding(null)).toBe(holds(range!, null) ? 1 : 0);
        const sum = members.reduce((total, part) => total + part.estimatedRows!, 0);
        expect(Math.abs(sum - estimatedRows!)).toBeLessThan(members.length + 1);
      }
    }),
  );
  expect(dividedSplits).toBeGreaterThan(100);
});
