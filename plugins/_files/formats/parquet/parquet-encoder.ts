import { gzipSync } from 'node:zlib';
import { BACKSLASH, DrayError, LF, type RecordBatch, type Schema, TAB } from 'dray/sdk';
import type { CompressionCodec } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { FileEncoder } from '../format.ts';
import type { ColumnStore, KeptBatch } from './column-stores.ts';
import { type ParquetColumn, parquetColumns, physicalElement } from './parquet-columns.ts';

const mebi = 1024 * 1024;
/** A row group ends behind the batch that brings so many rows, or so many bytes of packed cells. */
const maxGroupRows = 65_536;
const maxGroupBytes = 16 * mebi;
const letterN = 0x4e;

export const compressions = ['snappy', 'gzip', 'none'] as const;
export type ParquetCompression = (typeof compressions)[number];

const codecs: Record<ParquetCompression, CompressionCodec> = { snappy: 'SNAPPY', gzip: 'GZIP', none: 'UNCOMPRESSED' };

/** Gathers rows column by column, and writes them a row group at a time. */
export class ParquetEncoder implements FileEncoder {
  readonly #columns: readonly ParquetColumn[];
  readonly #bytes = new ByteWriter();
  readonly #writer: ParquetWriter;
  /** Of the row group that is being gathered. */
  #stores: readonly ColumnStore[];
  #batches: KeptBatch[] = [];
  #groupRows = 0;
  #groupBytes = 0;

  constructor(schema: Schema, compression: ParquetCompression) {
    this.#columns = parquetColumns(schema);
    this.#stores = this.#columns.map(({ store }) => store());
    this.#writer = new ParquetWriter({
      writer: this.#bytes,
      // The library would convert values by what they mean, some of them through doubles.
      schema: [{ name: 'root', num_children: this.#columns.length }, ...this.#columns.map(({ element }) => physicalElement(element))],
      codec: codecs[compression],
      compressors: { GZIP: (page) => gzipSync(page, { level: 1 }) },
      createdBy: 'dray',
    });
  }

  start(): Buffer {
    return this.#taken();
  }

  encode(batch: RecordBatch): Buffer {
    // Texts stay in these bytes until the row group is written.
    const bytes = Buffer.from(batch.bytes);
    try {
      this.#gather(batch, bytes);
    } catch (error) {
      for (const store of this.#stores) store.truncate(this.#groupRows);
      throw error;
    }
    this.#batches.push({ bytes, firstRow: this.#groupRows });
    this.#groupRows += batch.rowCount;
    this.#groupBytes += bytes.length;
    if (this.#groupRows >= maxGroupRows || this.#groupBytes >= maxGroupBytes) this.#writeGroup();
    return this.#taken();
  }

  end(): Buffer {
    if (this.#groupRows > 0) this.#writeGroup();
    this.#writer.schema = [{ name: 'root', num_children: this.#columns.length }, ...this.#columns.map(({ element }) => element)];
    void this.#writer.finish();
    return this.#taken();
  }

  #gather(batch: RecordBatch, bytes: Buffer): void {
    let at = 0;
    for (let row = 0; row < batch.rowCount; row++) {
      for (let position = 0; position < this.#columns.length; position++) {
        const column = this.#columns[position]!;
        const from = at;
        while (bytes[at] !== TAB && bytes[at] !== LF) at++;
        const isNull = at - from === 2 && bytes[from] === BACKSLASH && bytes[from + 1] === letterN;
        const store = this.#stores[position]!;
        if (isNull && column.isNullable) store.addNull();
        else if (isNull || !store.add(bytes, from, at)) {
          const cause = isNull ? 'a NULL in a column that has none' : `a value that is not ${column.words}`;
          throw new DrayError('ROW_REJECTED', cause, { row, column: column.name });
        }
        at++;
      }
    }
  }

  #writeGroup(): void {
    const batches = this.#batches;
    const columnData = this.#columns.map(({ name, hasStatistics, encoding }, index) => {
      const store = this.#stores[index]!;
      return {
        name,
        // The library goes through the columns one by one, so the values of one at a time exist as objects.
        get data() {
          return store.values(batches);
        },
        statistics: hasStatistics,
        ...(encoding === undefined ? {} : { encoding }),
      };
    });
    // Into a ByteWriter it writes at once; a promise comes only from other writers.
    void this.#writer.write({ columnData, rowGroupSize: this.#groupRows });
    this.#stores = this.#columns.map(({ store }) => store());
    this.#batches = [];
    this.#groupRows = 0;
    this.#groupBytes = 0;
  }

  /** What has been written since the last call. */
  #taken(): Buffer {
    const writer = this.#bytes;
    if (writer.index === 0) return Buffer.alloc(0);
    const bytes = Buffer.from(writer.buffer, 0, writer.index);
    // The library goes on counting in `offset`; `index` is the place in the buffer.
    writer.buffer = new ArrayBuffer(64 * 1024);
    writer.view = new DataView(writer.buffer);
    writer.index = 0;
    return bytes;
  }
}
