import { type Column, DrayError, defineTransformer, integer, positionOf, type Schema, type Transformer, texts, z } from 'dray/sdk';
import { cellType } from '../../_files/formats/text/cell-types.ts';
import { withColumns } from '../column-options.ts';
import { converter } from '../own/converter.ts';
import { type CodeShape, shapeOf } from './code-shape.ts';

const options = z.strictObject({
  code: z
    .string()
    .min(1)
    .describe(
      'An expression, or the body of a function, of `row`: an object with a text or null for each column. Assigning to `row.name` changes the row; `false` or `null`, as the value of the expression or returned by the body, drops it',
    ),
  columns: texts()
    .optional()
    .describe('Names of the columns that `row` has. Default: those that the code names, or all if that cannot be told'),
  timeoutMs: integer({ min: 1, max: 600_000 })
    .default(5000)
    .describe('Milliseconds that the code may take for one batch of rows, then the task fails; default 5000'),
  memoryMb: integer({ min: 1, max: 1024 }).default(64).describe('Megabytes of memory that the code may use; default 64'),
});

async function open({ code, columns, ...limits }: z.output<typeof options>, schema: Schema): Promise<Transformer> {
  const { Sandbox } = await import('./sandbox.ts');
  const shape = shapeOf(code);
  const names = columns ?? shape.names ?? schema.columns.map(({ name }) => name);
  const seen = [...new Set(names)].map((name) => seenColumn(name, schema, shape));
  const changing = seen.filter(({ mayChange }) => mayChange);
  const reading = seen.filter(({ mayChange }) => !mayChange);
  const ordered = [...changing, ...reading];
  const sandbox = await Sandbox.open(
    { code, shape },
    ordered.map(({ column }) => column),
    ordered.map(({ mayChange }) => mayChange),
    limits,
  );
  const changed = new Map<number, Column>(
    changing.map(({ position, column: { name, type } }) => [position, { name, type, isNullable: true }]),
  );
  return {
    changes: [...changed.keys()],
    reads: reading.map(({ position }) => position),
    output: withColumns(schema, changed),
    batch(cells, rowCount, fates) {
      const answer = sandbox.run(cells, rowCount);
      for (const row of answer.dropped) fates.filter(row);
      for (const [row, name, message] of answer.failed) fates.reject(row, Object.assign(new Error(message), { name }));
      for (const [place, { column, canonical }] of changing.entries()) {
        const before = cells[place]!;
        const now = answer.columns[place]!;
        for (let row = 0; row < rowCount; row++) {
          const cell = now[row]!;
          if (cell === before[row]) continue;
          const text = cell === null ? null : canonical(cell);
          if (text === undefined)
            fates.reject(row, new DrayError('ROW_REJECTED', `the code makes something that is no ${column.type}`, { column: column.name }));
          else before[row] = text;
        }
      }
    },
    close: () => sandbox.close(),
  };
}

function seenColumn(name: string, schema: Schema, { changes }: CodeShape) {
  const position = positionOf(schema, name);
  const column = schema.columns[position]!;
  // What was a text to the code becomes what the column is; so a column never holds what its type does not allow.
  const canonical =
    column.type === 'bytes' ? cellType({ type: 'bytes' })!.canonical : converter({ name, type: 'string', isNullable: true }, column);
  return { position, column, canonical, mayChange: changes === 'all' || changes.has(name) };
}

/** Code of the job file's own, in place of DataX's dx_groovy. */
export default defineTransformer({
  name: 'js',
  aliases: ['dx_js'],
  summary: 'Changes and drops rows with JavaScript, in an interpreter that has no access to files, the network or this program',
  options,
  example: { code: "row.email = row.email?.toLowerCase() ?? null;\nif (row.state === 'deleted') return false;" },
  open,
});
