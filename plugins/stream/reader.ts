import { type Cell, type Column, choice, columnForms, defineReader, integer, type LogicalType, z } from 'dray/sdk';
import { cellMaker, isConstant } from './cells.ts';

/** DataX's names of types, and dray's own. */
const types: Record<string, LogicalType> = {
  long: 'integer',
  int: 'integer',
  bool: 'boolean',
  date: 'timestamp',
  double: 'double',
  string: 'string',
  bytes: 'bytes',
};

const column = z.strictObject({
  name: z.string().optional().describe('Name of the column; default c0, c1, …'),
  type: choice(['string', 'long', 'integer', 'int', 'bool', 'boolean', 'double', 'decimal', 'date', 'timestamp', 'bytes', 'json'])
    .prefault('string')
    .describe('Type of the values, in any case'),
  value: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional().describe('The same value in every row'),
  random: z
    .string()
    .optional()
    .describe(
      '"from, to": a random value in each row: a number or a date in that range; for texts and bytes a random length; for bool the weights of false and true',
    ),
  sequence: integer().optional().describe('A whole number that grows by one from row to row, over all slices, starting here'),
  dateFormat: z.string().optional().describe('How dates are written in "value" and "random", if not as yyyy-MM-dd HH:mm:ss'),
});

export type StreamColumn = z.output<typeof column>;

/** As in DataX, a blank value beside a random one does not count. */
function withoutBlank(one: StreamColumn): StreamColumn {
  if (one.random === undefined || (one.value !== null && String(one.value ?? '').trim() !== '')) return one;
  const { value: _, ...others } = one;
  return others;
}

const options = z.strictObject({
  column: z.array(column.transform(withoutBlank)).min(1).describe('What each row consists of'),
  sliceRecordCount: integer({ min: 1 }).describe('Rows per slice; there are as many slices as channels'),
  columnForms: columnForms(),
});

export default defineReader({
  name: 'stream',
  aliases: ['streamreader'],
  summary: 'Generates rows: constants, sequences and random values',
  differences: [
    { what: '`random` of double', datax: 'reaches one above the second number', here: 'stays between the two' },
    { what: '`random` of bytes', datax: 'letters and digits', here: 'any bytes' },
    {
      what: '`dateFormat` with S',
      datax: 'a number of milliseconds',
      here: 'digits of the fraction; those behind the sixth are cut off, with a warning',
    },
    {
      what: '`value` of a bool other than true and false, of a long with a fraction',
      datax: 'is false, loses the fraction',
      here: 'is refused',
    },
    { what: '`value` of a date', datax: 'a text in `dateFormat`', here: 'the same, or milliseconds since 1970' },
  ],
  options,
  example: {
    column: [
      { name: 'id', type: 'long', sequence: 1 },
      { name: 'word', value: 'hello' },
    ],
    sliceRecordCount: 1000,
  },
  open({ column: columns, sliceRecordCount: rowCount, columnForms: forms }, context) {
    // What cannot be made is told before anything is moved.
    for (const one of columns) cellMaker(one, forms, context.warn);
    return {
      schema: () => ({
        columns: columns.map(
          (one, index): Column => ({
            name: one.name ?? `c${index}`,
            type: types[one.type] ?? (one.type as LogicalType),
            isNullable: one.value === null || one.value === undefined,
          }),
        ),
      }),
      split: ({ channels }) =>
        Array.from({ length: channels }, (_, slice) => ({ name: `slice ${slice}`, part: slice, estimatedRows: rowCount })),
      async read(split, out) {
        const firstRow = Number(split.part) * rowCount;
        const makers = columns.map((one) => cellMaker(one, forms));
        const row: Cell[] = makers.map((make) => make(firstRow));
        const moving = columns.flatMap((one, index) => (isConstant(one) ? [] : [index]));
        for (let i = 0; i < rowCount; i++) {
          for (const index of moving) row[index] = makers[index]!(firstRow + i);
          if (!out.push(row)) await out.drain();
        }
      },
    };
  },
});
