import type { IndexedFormat } from './format.ts';
import { type ParquetCompression, ParquetEncoder } from './parquet/parquet-encoder.ts';
import type { ConstantSource } from './text/columns.ts';

export interface ParquetOptions {
  readonly suffix?: string;
  /** Of the pages in the file; a reader takes any. */
  readonly compression?: ParquetCompression;
  /** What a reader delivers; undefined: all columns. Their types stand in the file. */
  readonly columns?: readonly WantedColumn[] | undefined;
}

/** Name of a column of the file, or its number, counted from 0; or a constant. */
export type WantedColumn = string | number | ConstantSource;

/**
 * Apache Parquet: https://parquet.apache.org/docs/file-format/. Columns keep their types. A row group ends behind the batch that brings 65,536
 * rows or 16 MB, and is what both sides hold in memory. Files are read by their index, so there is no decoder.
 */
export function parquet({ suffix = '.parquet', compression = 'snappy', columns }: ParquetOptions = {}): IndexedFormat {
  return {
    suffix,
    encoder: (schema) => new ParquetEncoder(schema, compression),
    async open(source, file) {
      const { openParquetFile } = await import('./parquet/parquet-file.ts');
      return openParquetFile(source, file, columns);
    },
  };
}
