import type { TransformerEnd } from '../job/load-job.ts';
import type { PluginContext, Schema } from '../sdk/index.ts';
import { orAborted } from '../task/or-aborted.ts';
import { openChain } from '../transform/chain.ts';

/** How long a transformer may take to give up opening once the run is cancelled. */
const cancelGraceMs = 3000;

/**
 * The columns that the writer of a content gets: those of the source, behind its transformers.
 * @throws DrayError JOB_INVALID with the line of a transformer that does not go with the columns
 */
export async function deliveredBy(transformers: readonly TransformerEnd[], source: Schema, context: PluginContext): Promise<Schema> {
  if (transformers.length === 0) return source;
  // No row goes through this one.
  const limits = { maxBytes: 1, maxRows: 1 };
  const chain = await orAborted(openChain(transformers, source, context, limits), context.signal, cancelGraceMs);
  await chain.close();
  return chain.schema;
}
