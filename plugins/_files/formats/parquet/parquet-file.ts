import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { DrayError, LF, type RecordOutput, TAB } from 'dray/sdk';
import { type DecodedArray, type FileMetaData, parquetMetadataAsync, parquetRead, parquetSchema, type RowGroup } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { IndexedFile, RandomAccess } from '../format.ts';
import { CheckedSource } from './checked-source.ts';
import { type ColumnForm, ColumnReader, columnForm, physicalSchema } from './column-readers.ts';

const decompressors = {
  ...compressors,
  // Node's own are several times as fast.
  GZIP: (page: Uint8Array) => gunzipSync(page),
  BROTLI: (page: Uint8Array) => brotliDecompressSync(page),
};
const supportedCodecs = ['UNCOMPRESSED', ...Object.keys(decompressors)];

/** INT96 is the one type that the library cannot deliver as it stands: it counts its nanoseconds. */
const parsers = { timestampFromNanoseconds: (nanos: bigint) => nanos };

/**
 * Reads the index at the end of a file.
 * @param wanted names of columns, or their numbers, counted from 0; undefined: all
 */
export async function openParquetFile(
  source: RandomAccess,
  file: string,
  wanted: readonly (string | number)[] | undefined,
): Promise<IndexedFile> {
  const bytes = new CheckedSource(source, file);
  const metadata = await bytes.parsing(() => parquetMetadataAsync(bytes, { geoparquet: false }));
  const forms = wantedForms(metadata, file, wanted);
  const groups = metadata.row_groups;
  for (const group of groups) checkCodecs(group, file);
  const physical = { ...metadata, schema: physicalSchema(metadata.schema) };

  const readersOf = async (group: RowGroup): Promise<ColumnReader[]> => {
    const pages = new Map<string, DecodedArray[]>(forms.map(({ column }) => [column.name, []]));
    await bytes.parsing(() =>
      parquetRead({
        file: bytes,
        metadata: { ...physical, num_rows: group.num_rows, row_groups: [group] },
        columns: [...pages.keys()],
        compressors: decompressors,
        utf8: false,
        parsers,
        onChunk: ({ columnName, columnData }) => void pages.get(columnName)?.push(columnData),
      }),
    );
    return forms.map((form) => {
      const own = pages.get(form.column.name)!;
      const found = own.reduce((sum, { length }) => sum + length, 0);
      if (found === Number(group.num_rows)) return new ColumnReader(form, own);
      throw bytes.broken(`its column ${form.column.name} has ${found} values where there are ${group.num_rows} rows`);
    });
  };

  return {
    schema: { columns: forms.map(({ column }) => column) },
    rowCount: Number(metadata.num_rows),
    parts: groups.map((group) => ({ rows: Number(group.num_rows), bytes: compressedBytes(group) })),
    async read(out, signal, { from, to } = { from: 0, to: groups.length }) {
      let firstRow = groups.slice(0, from).reduce((sum, { num_rows }) => sum + Number(num_rows), 1);
      for (const group of groups.slice(from, to)) {
        signal.throwIfAborted();
        const readers = await readersOf(group);
        const rows = Number(group.num_rows);
        for (let row = 0; row < rows; ) {
          row = packRows(readers, row, rows, firstRow, out);
          signal.throwIfAborted();
          if (out.builder.isFull) await out.flush();
        }
        firstRow += rows;
      }
    },
  };
}

/** Packs rows until the batch is full; returns the row to go on with. */
function packRows(readers: readonly ColumnReader[], row: number, rows: number, firstRow: number, out: RecordOutput): number {
  const { builder } = out;
  for (; row < rows && !builder.isFull; row++) {
    let room = 0;
    let failed: ColumnReader | undefined;
    for (const reader of readers) {
      const size = reader.next(row);
      if (size === -1) failed ??= reader;
      else room += size;
    }
    builder.reserve(room);
    let at = builder.position;
    for (let index = 0; index < readers.length && failed === undefined; index++) {
      at = readers[index]!.write(builder.buffer, at);
      if (at === -1) failed = readers[index]!;
      else builder.buffer[at++] = index === readers.length - 1 ? LF : TAB;
    }
    if (failed === undefined) builder.advance(at, 1);
    else out.reject(new DrayError('ROW_REJECTED', `${failed.form.words} (row ${firstRow + row})`, { column: failed.form.column.name }));
  }
  return row;
}

function wantedForms(metadata: FileMetaData, file: string, wanted: readonly (string | number)[] | undefined): ColumnForm[] {
  const { children } = parquetSchema(metadata);
  const names = children.map(({ element }) => element.name);
  return (wanted ?? names.map((_, index) => index)).map((key) => {
    const number = typeof key === 'number' ? key : names.indexOf(key);
    const node = children[number];
    if (node === undefined) {
      const what = typeof key === 'number' ? `column number ${key}, counted from 0` : `column ${key}`;
      throw new DrayError('COLUMN_MISSING', `${file} has no ${what}; it has ${names.join(', ')}`, { place: file });
    }
    if (names.indexOf(node.element.name) === names.lastIndexOf(node.element.name)) return columnForm(node, file);
    throw new DrayError('FILE_BROKEN', `${file} has two columns called ${node.element.name}`, { place: file });
  });
}

function checkCodecs({ columns }: RowGroup, file: string): void {
  const codec = columns.map(({ meta_data }) => meta_data?.codec ?? 'UNCOMPRESSED').find((one) => !supportedCodecs.includes(one));
  if (codec === undefined) return;
  throw new DrayError('TYPE_UNSUPPORTED', `${file} is packed with ${codec}, which is not supported`, {
    place: file,
    remedy: 'Write the file again with snappy, gzip, zstd or lz4.',
  });
}

function compressedBytes({ columns }: RowGroup): number {
  return columns.reduce((sum, { meta_data }) => sum + Number(meta_data?.total_compressed_size ?? 0), 0);
}
