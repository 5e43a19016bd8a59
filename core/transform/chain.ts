import { asDrayError, DrayError, type PluginContext, type RecordBatch, type Schema, type TransformerPlugin } from '../sdk/index.ts';
import { BatchPass } from './batch-pass.ts';
import { CellPlaces } from './cell-places.ts';
import { Compiler, type Program } from './compile.ts';
import { RowCopier } from './row-copier.ts';

/** A transformer and its valid options. */
export interface Link {
  readonly plugin: TransformerPlugin;
  readonly options: Readonly<Record<string, unknown>>;
  /** Where it stands in the job file, if that is known. */
  readonly place?: string;
}

/** What has become of a batch. */
export interface Transformed {
  /** What goes on; undefined: nothing. */
  readonly batch: RecordBatch | undefined;
  /** Of each row of `batch`, its index in the batch that was read; undefined: all are still there. */
  readonly rows: Uint32Array | undefined;
  readonly filtered: number;
  /** Rows that a transformer has refused, in order, by their index in the batch that was read. */
  readonly dirty: readonly { readonly row: number; readonly fault: DrayError }[];
}

/** A batch for which there are no transformers. */
export function untouched(batch: RecordBatch): Transformed {
  return { batch, rows: undefined, filtered: 0, dirty: [] };
}

/** The open transformers of a content, in order. */
export class TransformerChain {
  /** The columns behind it. */
  readonly schema: Schema;
  readonly #program: Program;
  readonly #places: CellPlaces;
  readonly #copier: RowCopier;

  constructor(source: Schema, program: Program, limits: { maxBytes: number; maxRows: number }) {
    this.schema = program.schema;
    this.#program = program;
    this.#places = new CellPlaces(source.columns.length, program.lastNeeded);
    this.#copier = new RowCopier(program, limits);
  }

  /**
   * Sends a batch through all transformers. The batch itself stays as it is; what comes out may share its memory.
   * @throws DrayError what a transformer throws that is no matter of a row
   */
  run(batch: RecordBatch): Transformed {
    this.#places.find(batch);
    const pass = new BatchPass(this.#program, batch, this.#places);
    for (const stage of this.#program.stages) pass.through(stage);
    return pass.end(this.#copier);
  }

  /** Takes back the memory of a batch that came out, when nobody reads it any more. */
  reuse(batch: RecordBatch): void {
    this.#copier.reuse(batch);
  }

  /** Releases the transformers. Never rejects. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#program.stages.map(async ({ transformer }) => transformer.close?.()));
  }
}

/**
 * Opens transformers, each with the columns behind the one in front of it.
 * @param limits of the batches that will go through
 * @throws DrayError JOB_INVALID with the place, if options do not go with the columns
 */
export async function openChain(
  links: readonly Link[],
  source: Schema,
  context: PluginContext,
  limits: { maxBytes: number; maxRows: number },
): Promise<TransformerChain> {
  const compiler = new Compiler(source);
  for (const [index, { plugin, options, place }] of links.entries()) {
    const label = `transformer ${index + 1} (${plugin.name})`;
    try {
      compiler.add(label, await plugin.open(options, compiler.schema, context));
    } catch (thrown) {
      await new TransformerChain(source, compiler.program(), limits).close();
      const error = asDrayError(thrown);
      const message = error.message.startsWith(label) ? error.message : `${label}: ${error.message}`;
      throw new DrayError(error.code, message, { cause: error, remedy: error.remedy, ...(place === undefined ? {} : { place }) });
    }
  }
  return new TransformerChain(source, compiler.program(), limits);
}
