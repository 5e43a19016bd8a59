import { type Column, DrayError, LF, type RecordOutput, TAB } from 'dray/sdk';
import { type ColumnMetaData, type DecodedArray, parquetMetadataAsync, type RowGroup } from 'hyparquet';
import { assembleLists, assembleNested } from 'hyparquet/src/assemble.js';
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import type { IndexedFile, RandomAccess } from '../format.ts';
import type { WantedColumn } from '../parquet.ts';
import type { ConstantSource } from '../text/columns.ts';
import { CheckedSource } from './checked-source.ts';
import { ChunkPages, supportedCodecs } from './chunk-pages.ts';
import { type ColumnForm, columnForms } from './column-forms.ts';
import { AssembledValues, type CellSource, ColumnReader, ConstantReader, FlatValues, type RowValues } from './column-readers.ts';

/** Reads the index at the end of a file. */
export async function openParquetFile(
  source: RandomAccess,
  file: string,
  wanted: readonly WantedColumn[] | undefined,
): Promise<IndexedFile> {
  const bytes = new CheckedSource(source, file);
  const metadata = await bytes.parsing(() => parquetMetadataAsync(bytes, { geoparquet: false }));
  const groups = metadata.row_groups;
  const keys = wanted?.filter((one) => typeof one !== 'object');
  const forms = bytes.decoding(() => columnForms(metadata, file, keys));
  const columns = columnsFrom(wanted, forms);
  const chunksOf = bytes.decoding(() => groups.map((group) => wantedChunks(group, forms, bytes, file)));

  const readersOf = async (group: number): Promise<CellSource[]> => {
    const chunks = chunksOf[group]!;
    const pages = await bytes.readAll(chunks.flat().map(({ from, to }) => ({ from, to })));
    const rows = Number(groups[group]!.num_rows);
    let next = 0;
    const readers = forms.map((form, index) => {
      const own = chunks[index]!.map(({ chunk }, leaf) => new ChunkPages(form.leaves[leaf]!, chunk, pages[next++]!));
      return new ColumnReader(form, valuesOf(form, own, rows));
    });
    return columns.map((one) => ('cell' in one ? new ConstantReader(one) : readers[forms.indexOf(one)]!));
  };

  return {
    schema: { columns: columns.map((one) => ('cell' in one ? constantColumn(one) : one.column)) },
    rowCount: Number(metadata.num_rows),
    parts: groups.map((group, index) => ({
      rows: Number(group.num_rows),
      bytes: chunksOf[index]!.flat().reduce((sum, { from, to }) => sum + to - from, 0),
    })),
    async read(out, signal, { from, to } = { from: 0, to: groups.length }) {
      let firstRow = groups.slice(0, from).reduce((sum, { num_rows }) => sum + Number(num_rows), 1);
      for (let group = from; group < to; group++) {
        signal.throwIfAborted();
        const rows = Number(groups[group]!.num_rows);
        const readers = await bytes.parsing(() => readersOf(group));
        for (let row = 0; row < rows; ) {
          row = bytes.decoding(() => packRows(readers, row, rows, firstRow, out));
          signal.throwIfAborted();
          if (out.builder.isFull) await out.flush();
        }
        firstRow += rows;
      }
    },
  };
}

/** What is delivered, in order: constants among what the file has. */
function columnsFrom(wanted: readonly WantedColumn[] | undefined, forms: readonly ColumnForm[]): (ColumnForm | ConstantSource)[] {
  let next = 0;
  return wanted?.map((one) => (typeof one === 'object' ? one : forms[next++]!)) ?? [...forms];
}

function constantColumn({ name, type }: ConstantSource): Column {
  return { name, type: type?.logical ?? 'string', isNullable: true };
}

interface WantedChunk {
  readonly chunk: ColumnMetaData;
  readonly from: number;
  readonly to: number;
}

/** For each column the chunks of its leaves. */
function wantedChunks({ columns, num_rows }: RowGroup, forms: readonly ColumnForm[], bytes: CheckedSource, file: string): WantedChunk[][] {
  const found = new Map(columns.map(({ meta_data, file_path }) => [meta_data?.path_in_schema.join('\0'), { meta_data, file_path }]));
  return forms.map(({ leaves, node }) =>
    leaves.map(({ path, maxRepetition }): WantedChunk => {
      const { name } = node.element;
      const { meta_data: chunk, file_path } =
        found.get(
          path
            .slice(1)
            .map(({ element }) => element.name)
            .join('\0'),
        ) ?? {};
      if (chunk === undefined || file_path) throw bytes.broken(`a row group has nothing of its column ${name}`);
      if (!supportedCodecs.includes(chunk.codec)) {
        throw new DrayError('TYPE_UNSUPPORTED', `${file} is packed with ${chunk.codec}, which is not supported`, {
          place: file,
          remedy: 'Write the file again with snappy, gzip, zstd or lz4.',
        });
      }
      const isWrong = maxRepetition === 0 ? chunk.num_values !== num_rows : chunk.num_values < num_rows;
      if (isWrong) throw bytes.broken(`its column ${name} has ${chunk.num_values} values where there are ${num_rows} rows`);
      const from = Number(chunk.dictionary_page_offset || chunk.data_page_offset);
      return { chunk, from, to: from + Number(chunk.total_compressed_size) };
    }),
  );
}

function valuesOf({ leaves, node }: ColumnForm, chunks: readonly ChunkPages[], rows: number): RowValues {
  if (node.children.length === 0) return new FlatValues(chunks[0]!, leaves[0]!.maxDefinition);
  const assembled = new Map<string, DecodedArray>();
  for (const [index, { path, maxDefinition }] of leaves.entries()) {
    const entries: unknown[] = [];
    for (let page = chunks[index]!.next(); page !== undefined; page = chunks[index]!.next()) {
      const { definitions, repetitions, values } = page;
      if (maxDefinition === 0) {
        for (const value of values) entries.push(value);
        continue;
      }
      // The library reads the levels by their number only.
      const [definitionLevels, repetitionLevels] = [definitions, repetitions ?? []] as unknown as [number[] | undefined, number[]];
      assembleLists(entries, definitionLevels, repetitionLevels, values, [...path]);
    }
    assembled.set(path.at(-1)!.path.join('.'), entries);
  }
  assembleNested(assembled, node, DEFAULT_PARSERS);
  const values = assembled.get(node.element.name);
  if (values?.length !== rows) throw new Error(`the column ${node.element.name} has ${values?.length} values where there are ${rows} rows`);
  return new AssembledValues(values);
}

/** Packs rows until the batch is full; returns the row to go on with. */
function packRows(readers: readonly CellSource[], row: number, rows: number, firstRow: number, out: RecordOutput): number {
  const { builder } = out;
  for (; row < rows && !builder.isFull; row++) {
    let room = 0;
    let failed: CellSource | undefined;
    for (const reader of readers) {
      const size = reader.next();
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
    else out.reject(new DrayError('ROW_REJECTED', `${failed.words} (row ${firstRow + row})`, { column: failed.name }));
  }
  return row;
}
