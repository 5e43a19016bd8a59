import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RowPlaces } from '../../../core/task/row-places.ts';

test('each row has the split it came from, and its position there, whatever splits are empty', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5), { minLength: 1, maxLength: 10 }), (counts) => {
      const places = new RowPlaces();
      const expected = counts.flatMap((count, split) => Array.from({ length: count }, (_, row) => ({ split: `s${split}`, row: row + 1 })));
      let rowsBefore = 0;
      for (const [split, count] of counts.entries()) {
        places.begin({ name: `s${split}` }, { source: rowsBefore, target: 2 * rowsBefore });
        rowsBefore += count;
      }
      expect(expected.map((_, index) => places.of('source', index + 1))).toEqual(expected);
    }),
  );
});

test('a row that is refused only while a later split is read keeps its own', () => {
  const places = new RowPlaces();
  places.begin({ name: 'first' }, { source: 0, target: 0 });
  places.begin({ name: 'second' }, { source: 10, target: 10 });
  expect(places.of('target', 10)).toEqual({ split: 'first', row: 10 });
  places.begin({ name: 'third' }, { source: 12, target: 12 });
  expect(places.of('target', 12)).toEqual({ split: 'second', row: 2 });
});

describe('a row that the reader could not even deliver', () => {
  test('has the first split and the position 0', () => {
    const places = new RowPlaces();
    places.begin({ name: 'only' }, { source: 0, target: 0 });
    expect(places.of('target', 0)).toEqual({ split: 'only', row: 0 });
  });

  test('has no split before reading began', () => {
    expect(new RowPlaces().of('source', 0)).toEqual({ split: '', row: 0 });
  });
});

test('the current split is the one that was begun last', () => {
  const places = new RowPlaces();
  expect(places.current).toBeUndefined();
  places.begin({ name: 'first' }, { source: 0, target: 0 });
  places.begin({ name: 'second' }, { source: 0, target: 0 });
  expect(places.current).toBe('second');
});
