import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BatchBuilder,
  type Cell,
  type Column,
  DrayError,
  defineTransformer,
  type OutputColumn,
  type Schema,
  type Transformer,
  z,
} from '../../../core/sdk/index.ts';
import { openChain } from '../../../core/transform/chain.ts';
import { anyCell, textSchema } from '../../support/arbitraries.ts';

const context = { run: 'test', job: 'test', warn: () => undefined, print: () => undefined, signal: new AbortController().signal };
const limits = { maxBytes: 1 << 20, maxRows: 1 << 16 };

function link(open: (schema: Schema) => Transformer, name = 'made') {
  const plugin = defineTransformer({ name, summary: '', options: z.strictObject({}), open: (_options, schema) => open(schema) });
  return { plugin, options: {} };
}

function packed(schema: Schema, rows: readonly (readonly Cell[])[]) {
  const builder = new BatchBuilder(schema, limits);
  for (const row of rows) builder.push(row);
  return builder.take()!;
}

const text = (name: string): Column => ({ name, type: 'string', isNullable: true });
const same = ({ columns }: Schema): OutputColumn[] => columns.map((column, from) => ({ column, from }));

/** A step of a random chain: as a transformer, and as the naive thing it does to one row. */
interface Step {
  readonly open: (schema: Schema) => Transformer;
  /** undefined: filtered. Throws: dirty. */
  readonly naive: (row: readonly Cell[]) => Cell[] | undefined;
}

let names = 0;
const at = (position: number, row: readonly unknown[]) => position % row.length;
const steps: Record<string, (position: number, other: number, value: Cell) => Step> = {
  set: (position, _other, value) => ({
    open: ({ columns }) => ({
      changes: [at(position, columns)],
      row: (cells) => {
        cells[0] = value;
      },
    }),
    naive: (row) => row.map((cell, index) => (index === at(position, row) ? value : cell)),
  }),
  append: (position, _other, value) => ({
    open: ({ columns }) => ({
      changes: [at(position, columns)],
      batch: ([column], rowCount) => {
        for (let row = 0; row < rowCount; row++) column![row] = `${column![row]}${value}`;
      },
    }),
    naive: (row) => row.map((cell, index) => (index === at(position, row) ? `${cell}${value}` : cell)),
  }),
  swap: (position, other) => ({
    open: ({ columns }) => {
      const places = [...new Set([at(position, columns), at(other, columns)])];
      return {
        changes: places,
        row: (cells) => {
          cells.reverse();
        },
      };
    },
    naive: (row) => {
      const copy = [...row];
      const [a, b] = [at(position, row), at(other, row)];
      [copy[a], copy[b]] = [row[b]!, row[a]!];
      return copy;
    },
  }),
  filter: (position, _other, value) => ({
    open: ({ columns }) => ({ reads: [at(position, columns)], row: ([cell]) => cell !== value }),
    naive: (row) => (row[at(position, row)] === value ? undefined : [...row]),
  }),
  refuse: (position, _other, value) => ({
    open: ({ columns }) => ({
      reads: [at(position, columns)],
      row: ([cell]) => {
        if (cell === value) throw new DrayError('ROW_REJECTED', 'not this one');
      },
    }),
    naive: (row) => {
      if (row[at(position, row)] === value) throw new DrayError('ROW_REJECTED', 'not this one');
      return [...row];
    },
  }),
  drop: (position) => ({
    open: (schema) => ({
      output: schema.columns.length === 1 ? same(schema) : same(schema).filter((_, index) => index !== at(position, schema.columns)),
    }),
    naive: (row) => (row.length === 1 ? [...row] : row.filter((_, index) => index !== at(position, row))),
  }),
  turn: () => ({ open: (schema) => ({ output: same(schema).reverse() }), naive: (row) => [...row].reverse() }),
  add: (position) => ({
    open: (schema) => ({
      reads: [at(position, schema.columns)],
      output: [{ column: text(`new ${names++}`), from: 'new' }, ...same(schema)],
      row: (cells) => {
        cells[1] = cells[0] === null ? null : `<${cells[0]}>`;
      },
    }),
    naive: (row) => {
      const cell = row[at(position, row)]!;
      return [cell === null ? null : `<${cell}>`, ...row];
    },
  }),
};

const stepArbitrary = fc
  .tuple(fc.constantFrom(...Object.keys(steps)), fc.nat(9), fc.nat(9), fc.oneof(anyCell, fc.constantFrom('', 'a', null)))
  .map(([name, position, other, value]) => ({ name, ...steps[name]!(position, other, value) }));

describe('a chain over packed batches', () => {
  test('does to every row what its transformers do one after the other', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }).chain((width) =>
          fc.tuple(
            fc.constant(width),
            fc.array(fc.array(fc.oneof(anyCell, fc.constantFrom('', 'a', null)), { minLength: width, maxLength: width }), {
              minLength: 1,
              maxLength: 12,
            }),
          ),
        ),
        fc.array(stepArbitrary, { maxLength: 6 }),
        async ([width, rows], chosen) => {
          const schema = textSchema(width);
          const chain = await openChain(
            chosen.map(({ open }) => link(open)),
            schema,
            context,
            limits,
          );
          const batch = packed(schema, rows);
          const before = Buffer.from(batch.bytes);
          const { batch: result, rows: kept, filtered, dirty } = chain.run(batch);
          const expected: { row: number; cells: Cell[] }[] = [];
          const refused: number[] = [];
          let dropped = 0;
          for (const [row, cells] of rows.entries()) {
            try {
              let now: Cell[] | undefined = [...cells];
              for (const { naive } of chosen) now = now === undefined ? undefined : naive(now);
              if (now === undefined) dropped++;
              else expected.push({ row, cells: now });
            } catch {
              refused.push(row);
            }
          }
          expect([...(result?.rows() ?? [])]).toEqual(expected.map(({ cells }) => cells));
          expect(expected.map((_, index) => kept?.[index] ?? index)).toEqual(expected.map(({ row }) => row));
          expect(dirty.map(({ row }) => row)).toEqual(refused);
          expect(filtered).toBe(dropped);
          expect(result === undefined || result.schema.columns.length === chain.schema.columns.length).toBe(true);
          expect(batch.bytes.equals(before)).toBe(true);
        },
      ),
      { numRuns: 1500 },
    );
  });

  test('hands a batch on as it is where nothing changes', async () => {
    const schema = textSchema(3);
    const chain = await openChain([link(() => ({ changes: [0], reads: [1], row: () => true }))], schema, context, limits);
    const batch = packed(schema, [
      ['a', 'b', 'c\t'],
      ['', null, 'ä'],
    ]);
    expect(chain.run(batch).batch).toBe(batch);
  });

  test('copies nothing to rename a column', async () => {
    const chain = await openChain([link(() => ({ output: [{ column: text('z'), from: 0 }] }))], textSchema(1), context, limits);
    const batch = packed(textSchema(1), [['a']]);
    const { batch: result } = chain.run(batch);
    expect(result!.bytes).toBe(batch.bytes);
    expect(result!.schema.columns).toEqual([text('z')]);
  });

  test('refuses a row whose new text is no Unicode, and keeps the others', async () => {
    const half = link(() => ({
      changes: [1],
      row: (cells) => {
        cells[1] = null;
        cells[0] = cells[0] === 'b' ? '\ud800' : `${cells[0]}!`;
      },
    }));
    const chain = await openChain([half], textSchema(3), context, limits);
    const { batch, dirty, rows } = chain.run(
      packed(textSchema(3), [
        ['1', 'a', 'x'],
        ['2', 'b', 'y'],
        ['3', 'c', 'z'],
      ]),
    );
    expect([...batch!.rows()]).toEqual([
      ['1', 'a!', 'x'],
      ['3', 'c!', 'z'],
    ]);
    expect(dirty.map(({ row, fault }) => [row, fault.message])).toEqual([[1, expect.stringContaining('surrogate')]]);
    expect([...rows!]).toEqual([0, 2]);
  });

  test('counts a row as dirty whatever its transformer throws, and does not tell the cell', async () => {
    const throwing = link(() => ({
      changes: [0],
      row: ([cell]) => {
        throw new TypeError(cell === 'secret' ? `cannot use ${cell}` : 'cannot use it');
      },
    }));
    const chain = await openChain([throwing], textSchema(1), context, limits);
    const { batch, dirty } = chain.run(packed(textSchema(1), [['secret'], ['other']]));
    expect(batch).toBeUndefined();
    expect(dirty.map(({ fault }) => fault.message)).toEqual([
      'transformer 1 (made): TypeError',
      'transformer 1 (made): TypeError: cannot use it',
    ]);
  });

  test('fails by an error that is no matter of a row', async () => {
    const failing = link(() => ({
      changes: [0],
      row: () => {
        throw new DrayError('CODE_FAILED', 'no more time');
      },
    }));
    const chain = await openChain([failing], textSchema(1), context, limits);
    expect(() => chain.run(packed(textSchema(1), [['a']]))).toThrow('no more time');
  });

  test('fails if a transformer makes a cell that is no text', async () => {
    const wrong = link(() => ({
      changes: [0],
      row: (cells) => {
        cells[0] = 1 as never;
      },
    }));
    const chain = await openChain([wrong], textSchema(1), context, limits);
    expect(() => chain.run(packed(textSchema(1), [['a']]))).toThrow('a cell of type number');
  });

  test.each<[string, Transformer]>([
    ['a column that is not there', { changes: [1] }],
    ['a column twice', { changes: [0], reads: [0] }],
    [
      'a source of two columns',
      {
        output: [
          { column: text('a'), from: 0 },
          { column: text('b'), from: 0 },
        ],
      },
    ],
  ])('refuses a transformer that names %s', async (_what, transformer) => {
    await expect(openChain([link(() => transformer)], textSchema(1), context, limits)).rejects.toMatchObject({ code: 'PLUGIN_BROKEN' });
  });

  test('says which transformer does not go with the columns, and closes those in front of it', async () => {
    const closed: string[] = [];
    const first = link(() => ({ close: () => void closed.push('first') }));
    const second = link(() => {
      throw new DrayError('JOB_INVALID', 'there is no column "x"');
    }, 'second');
    await expect(openChain([first, { ...second, place: 'job.json:9:7' }], textSchema(1), context, limits)).rejects.toMatchObject({
      code: 'JOB_INVALID',
      message: 'transformer 2 (second): there is no column "x"',
      place: 'job.json:9:7',
    });
    expect(closed).toEqual(['first']);
  });

  test('uses the memory of its batches again', async () => {
    const chain = await openChain(
      [
        link(() => ({
          changes: [0],
          row: (cells) => {
            cells[0] += '!';
          },
        })),
      ],
      textSchema(1),
      context,
      limits,
    );
    const first = chain.run(packed(textSchema(1), [['a']])).batch!;
    chain.reuse(first);
    const second = chain.run(packed(textSchema(1), [['b']])).batch!;
    expect(second.bytes.buffer).toBe(first.bytes.buffer);
    expect([...second.rows()]).toEqual([['b!']]);
  });
});
