import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BatchBuilder, type Cell, type Column, type LogicalType } from '../../../core/sdk/index.ts';
import { Fit, fits } from '../../../core/task/fit.ts';

type Limits = Partial<Omit<Column, 'name' | 'type'>>;

function column(type: LogicalType, limits: Limits = {}): Column {
  return { name: 'c', type, isNullable: true, ...limits };
}

/** Why a cell does not fit; undefined if it does. */
function misfit(from: Column, to: Column, cell: Cell): string | undefined {
  const source = { columns: [from] };
  const builder = new BatchBuilder(source, { maxBytes: 1000, maxRows: 10 });
  builder.push([cell]);
  return new Fit(source, { columns: [to] }).misfits(builder.take()!)[0]?.cause;
}

const text = column('string');

test.each<[string, Column, Column, string]>([
  ['a fraction into whole numbers', column('double'), column('integer'), '1.5'],
  ['too many digits after the point', column('decimal', { scale: 4 }), column('decimal', { scale: 2 }), '1.2345'],
  ['a long number into a double', column('decimal'), column('double'), '0.1234567890123456789'],
  ['a double into a single', column('double'), column('double', { mantissaBits: 24 }), '0.1234567890123'],
  ['a time of day into a date', column('timestamp'), column('date'), '2026-01-01 00:00:01'],
  ['a two-digit year into a date', text, column('date'), '20-1-5'],
  ['a two-digit year into a timestamp', text, column('timestamp'), '20-1-5 10:00:00'],
  ['a date into a time', text, column('time'), '2026-01-01'],
  ['microseconds into milliseconds', column('timestamp'), column('timestamp', { fractionDigits: 3 }), '2026-01-01 00:00:00.123456'],
  ['a time zone into a timestamp without one', text, column('timestamp'), '2026-01-01 00:00:00+02'],
  ['a named time zone into a timestamp without one', text, column('timestamp'), '2026-01-01 00:00:00 Europe/Berlin'],
  ['a text with a backslash into bytes', text, column('bytes'), '\\x41'],
  ['a long text into a short column', text, column('string', { length: 3 }), 'abcd'],
  ['blanks behind a short column', text, column('string', { length: 3 }), 'abc  '],
  ['a word that an enum does not list', text, column('string', { values: ['a', 'b'] }), 'c'],
  ['a word that a set does not list', text, column('string', { values: ['a', 'b'], valueList: true }), 'a,c'],
  ['bits of another width', text, column('string', { pattern: '^[01]{1,3}$', nativeType: 'bit(3)' }), '1111'],
])('%s is a misfit', (_, from, to, cell) => {
  expect(misfit(from, to, cell)).toMatch(/^[a-z].+/);
});

test.each<[string, Column, Column, Cell]>([
  ['1.00 into whole numbers', column('double'), column('integer'), '1.00'],
  ['zeros behind the point', column('decimal', { scale: 4 }), column('decimal', { scale: 2 }), '1.2300'],
  ['0.1 into a single', column('double'), column('double', { mantissaBits: 24 }), '0.1'],
  ['midnight into a date', column('timestamp'), column('date'), '2026-01-01 00:00:00'],
  ['midnight in UTC into a date', column('timestamptz'), column('date'), '2026-01-01 00:00:00+00'],
  ['a date of five-digit years', text, column('date'), '12026-01-01'],
  ['zeros in the microseconds', column('timestamp'), column('timestamp', { fractionDigits: 3 }), '2026-01-01 00:00:00.123000'],
  ['UTC written as Z into a timestamp with zone', text, column('timestamptz'), '2026-01-01 00:00:00Z'],
  ['three characters of four bytes', text, column('string', { length: 3 }), '😀😀😀'],
  ['a word of an enum', text, column('string', { values: ['a', 'b'] }), 'b'],
  ['the empty set', text, column('string', { values: ['a', 'b'], valueList: true }), ''],
  ['two words of a set', text, column('string', { values: ['a', 'b'], valueList: true }), 'b,a'],
  ['NULL', text, column('integer'), null],
  ['any JSON', text, column('json'), '{"a": 1}'],
])('%s fits', (_, from, to, cell) => {
  expect(misfit(from, to, cell)).toBeUndefined();
});

test('a cause never quotes the value', () => {
  expect(misfit(text, column('string', { length: 3 }), 'geheim')).not.toContain('geheim');
  expect(misfit(text, column('date'), 'geheim')).not.toContain('geheim');
});

test('NULL is a misfit where the target would put a value of its own', () => {
  const clock = column('timestamptz', { replacesNull: true, isNullable: false });
  expect(misfit(column('timestamptz'), clock, null)).toMatch(/^NULL/);
  expect(misfit(column('timestamptz'), clock, '2026-01-01 00:00:00+00')).toBeUndefined();
});

test('columns that cannot lose anything cost nothing', () => {
  const pairs: [Column, Column][] = [
    [column('integer'), column('integer')],
    [column('integer'), column('decimal', { scale: 0 })],
    [column('string', { length: 10 }), column('string', { length: 10 })],
    [column('decimal', { scale: 2 }), column('decimal', { scale: 2 })],
    [column('double'), column('double')],
    [column('date'), column('timestamp', { fractionDigits: 0 })],
    [column('timestamp', { fractionDigits: 3 }), column('timestamp', { fractionDigits: 6 })],
    [column('bytes'), column('bytes')],
    [column('json'), column('json')],
  ];
  expect(new Fit({ columns: pairs.map(([from]) => from) }, { columns: pairs.map(([, to]) => to) }).isTrivial).toBe(true);
});

test('each row that does not fit is found once, in order, with the first column that refuses it', () => {
  const source = { columns: [column('double'), text] };
  const target = {
    columns: [
      { ...column('integer'), name: 'n' },
      { ...column('string', { length: 1 }), name: 's' },
    ],
  };
  const builder = new BatchBuilder(source, { maxBytes: 1000, maxRows: 10 });
  for (const row of [
    ['1', 'a'],
    ['1.5', 'toolong'],
    ['2', 'b'],
    ['3', 'toolong'],
  ])
    builder.push(row);
  expect(new Fit(source, target).misfits(builder.take()!).map(({ row, column: name }) => [row, name])).toEqual([
    [1, 'n'],
    [3, 's'],
  ]);
});

/** Columns of which a misfit has a mark at its beginning, its end or somewhere in it, and values next to them. */
const marked: readonly {
  readonly from: Column;
  readonly to: Column;
  readonly values: readonly Cell[];
  readonly misfits: readonly Cell[];
}[] = [
  {
    from: column('double'),
    to: column('double', { dropsNegativeZero: true }),
    values: ['-0.5', '0', '-1', '1-0', null],
    misfits: ['-0', '-0.0', '-0e5', '-00', '-0E5'],
  },
  {
    from: column('string', { length: 5 }),
    to: column('string', { length: 5, trailingBlanks: 'dropped' }),
    values: ['a b', '', ' a', '-0', 'x\t', null],
    misfits: ['a ', ' '],
  },
  { from: text, to: column('bytes'), values: ['a', '\n-0', '\t ', '', null], misfits: ['\\', 'a\\b'] },
  {
    from: column('timestamptz'),
    to: column('timestamptz', { replacesNull: true, isNullable: false }),
    values: ['2026-01-01 00:00:00+00', '\\N'],
    misfits: [null],
  },
];

test('in rows of any columns and values, few or many of them odd, exactly the misfits are found', () => {
  const rows = fc
    .tuple(fc.array(fc.constantFrom(...marked), { minLength: 1, maxLength: 5 }), fc.constantFrom(0, 1, 20))
    .chain(([columns, odd]) =>
      fc.tuple(
        fc.constant(columns),
        fc.array(
          fc.tuple(
            ...columns.map(({ values, misfits }) => {
              const good = fc.constantFrom(...values).map((cell) => ({ cell, isMisfit: false }));
              const bad = fc.constantFrom(...misfits).map((cell) => ({ cell, isMisfit: true }));
              return fc.oneof({ arbitrary: good, weight: 100 }, { arbitrary: bad, weight: odd });
            }),
          ),
          { minLength: 1, maxLength: 30 },
        ),
      ),
    );
  fc.assert(
    fc.property(rows, ([columns, all]) => {
      const source = { columns: columns.map(({ from }) => from) };
      const fit = new Fit(source, { columns: columns.map(({ to }, index) => ({ ...to, name: String(index) })) });
      const builder = new BatchBuilder(source, { maxBytes: 1 << 20, maxRows: 100 });
      for (const row of all) builder.push(row.map(({ cell }) => cell));
      const expected = all.flatMap((row, number) => {
        const first = row.findIndex(({ isMisfit }) => isMisfit);
        return first === -1 ? [] : [[number, String(first)]];
      });
      const batch = builder.take()!;
      expect(fit.misfits(batch).map(({ row, column: name }) => [row, name])).toEqual(expected);
      // Those who test each cell find the same.
      const tests = fit.testsFor(batch);
      const failing = all.flatMap((row, number) => {
        const column = row.findIndex(({ cell }, index) => {
          const test = tests[index];
          if (test === undefined || cell === null) return test?.refusesNull === true;
          const bytes = Buffer.from(cell);
          return !fits(test, bytes, 0, bytes.length);
        });
        return column === -1 ? [] : [[number, String(column)]];
      });
      expect(failing).toEqual(expected);
    }),
    { numRuns: 3000, seed: 11 },
  );
});
