import { type Found, resolvePlugin } from '../../core/registry/registry.ts';
import {
  BatchBuilder,
  type Cell,
  type Column,
  type LogicalType,
  type PluginContext,
  type RecordBatch,
  type Schema,
} from '../../core/sdk/index.ts';
import { openChain, type TransformerChain } from '../../core/transform/chain.ts';

export const chainContext: PluginContext = {
  run: 'test',
  job: 'test',
  warn: () => undefined,
  print: () => undefined,
  signal: new AbortController().signal,
};

const limits = { maxBytes: 1 << 24, maxRows: 1 << 20 };

/** Columns called c0, c1 … of these types. */
export function typedSchema(...types: readonly LogicalType[]): Schema {
  return { columns: types.map((type, index): Column => ({ name: `c${index}`, type, isNullable: true })) };
}

export function packed(schema: Schema, rows: readonly (readonly Cell[])[]): RecordBatch {
  const builder = new BatchBuilder(schema, limits);
  for (const row of rows) builder.push(row);
  return builder.take()!;
}

/** Opens transformers as a job file names them, with their options checked. */
export async function openTransformers(
  named: readonly { readonly name: string; readonly parameter?: object }[],
  schema: Schema,
): Promise<TransformerChain> {
  const links = await Promise.all(
    named.map(async ({ name, parameter = {} }) => {
      const { plugin }: Found<'transformer'> = await resolvePlugin('transformer', name, '.');
      return { plugin, options: plugin.options.parse(parameter) };
    }),
  );
  return openChain(links, schema, chainContext, limits);
}

/** What one transformer does to rows: each as its cells, as `filtered`, or as the reason why it is dirty. */
export async function transformed(
  name: string,
  parameter: object,
  schema: Schema,
  rows: readonly (readonly Cell[])[],
): Promise<(Cell[] | string)[]> {
  const chain = await openTransformers([{ name, parameter }], schema);
  try {
    const { batch, rows: kept, dirty } = chain.run(packed(schema, rows));
    const fates: (Cell[] | string)[] = rows.map(() => 'filtered');
    for (const { row, fault } of dirty) fates[row] = fault.message;
    for (const [index, cells] of [...(batch?.rows() ?? [])].entries()) fates[kept?.[index] ?? index] = cells;
    return fates;
  } finally {
    await chain.close();
  }
}
