import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { ColumnMetaData, Compressors, DataReader, DecodedArray, Encoding, PageHeader, SchemaElement } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { decompressPage } from 'hyparquet/src/datapage.js';
import { deltaBinaryUnpack, deltaByteArray, deltaLengthByteArray } from 'hyparquet/src/delta.js';
import { byteStreamSplit } from 'hyparquet/src/encoding.js';
import { readPlain } from 'hyparquet/src/plain.js';
import { compressors } from 'hyparquet-compressors';
import { readRuns } from './bit-runs.ts';

const gibi = 1024 ** 3;

const decompressors: Compressors = {
  ...compressors,
  // Node's own are several times as fast.
  GZIP: (page, maxOutputLength) => gunzipSync(page, { maxOutputLength: Math.max(1, maxOutputLength) }),
  BROTLI: (page, maxOutputLength) => brotliDecompressSync(page, { maxOutputLength: Math.max(1, maxOutputLength) }),
};

export const supportedCodecs: readonly string[] = ['UNCOMPRESSED', ...Object.keys(decompressors)];

/** Some rows of one column. */
export interface Page {
  /** Those that are there; NULLs and empty lists have none. */
  readonly values: DecodedArray;
  /** For each entry how much of its path is there; undefined: all of it. */
  readonly definitions: Uint8Array | undefined;
  /** For each entry which list it goes on with; undefined: none. */
  readonly repetitions: Uint8Array | undefined;
  readonly entries: number;
}

export interface Leaf {
  readonly element: SchemaElement;
  readonly maxDefinition: number;
  readonly maxRepetition: number;
}

/**
 * Reads the pages of a column's chunk, one after the other. What the file says of sizes and counts is checked before it is used: a damaged
 * file must not fill the memory. Whatever is wrong is an Error that the caller knows the file of.
 */
export class ChunkPages {
  readonly #leaf: Leaf;
  readonly #chunk: ColumnMetaData;
  readonly #reader: DataReader;
  readonly #bytes: Uint8Array;
  #dictionary: DecodedArray | undefined;
  /** Entries that have not come yet. */
  #left: number;

  constructor(leaf: Leaf, chunk: ColumnMetaData, bytes: Uint8Array) {
    this.#leaf = leaf;
    this.#chunk = chunk;
    this.#bytes = bytes;
    this.#reader = readerOf(bytes);
    this.#left = Number(chunk.num_values);
  }

  /** The next page that has entries; undefined: there is none left. */
  next(): Page | undefined {
    while (this.#left > 0) {
      const header = parquetHeader(this.#reader);
      const { type, compressed_page_size: size, uncompressed_page_size: unpackedSize } = header;
      const start = this.#reader.offset;
      if (!(size >= 0 && size <= this.#bytes.length - start)) throw new Error(`a page says that it has ${size} bytes`);
      if (!(unpackedSize >= 0 && unpackedSize <= gibi))
        throw new Error(`a page says that it has ${unpackedSize} bytes when it is unpacked`);
      const bytes = this.#bytes.subarray(start, start + size);
      this.#reader.offset = start + size;
      if (type === 'DICTIONARY_PAGE') this.#dictionary = this.#readDictionary(header, bytes);
      else if (type === 'DATA_PAGE' || type === 'DATA_PAGE_V2') {
        const page = type === 'DATA_PAGE' ? this.#readPage(header, bytes) : this.#readPageV2(header, bytes);
        this.#left -= page.entries;
        if (page.entries > 0) return page;
      } else if (type !== 'INDEX_PAGE') throw new Error('a page is of no known kind');
    }
    return undefined;
  }

  #readDictionary({ dictionary_page_header: header, uncompressed_page_size }: PageHeader, bytes: Uint8Array): DecodedArray {
    const page = decompressPage(bytes, uncompressed_page_size, this.#chunk.codec, decompressors);
    const count = header?.num_values ?? -1;
    if (count < 0 || count > 8 * page.length) throw new Error(`a dictionary says that it has ${count} values`);
    return readPlain(readerOf(page), this.#chunk.type, count, this.#leaf.element.type_length);
  }

  /** A page of the first version: levels, with their lengths before them, and values are packed together. */
  #readPage({ data_page_header: header, uncompressed_page_size }: PageHeader, bytes: Uint8Array): Page {
    const { maxDefinition, maxRepetition } = this.#leaf;
    const entries = this.#entries(header?.num_values);
    const page = decompressPage(bytes, uncompressed_page_size, this.#chunk.codec, decompressors);
    const reader = readerOf(page);
    const levels = (max: number, encoding: Encoding | undefined) => {
      if (max === 0) return undefined;
      if (encoding !== 'RLE') throw new Error(`levels are written as ${encoding}, which is not supported`);
      const length = reader.view.getUint32(reader.offset, true);
      reader.offset += 4 + length;
      return readLevels(page, reader.offset - length, length, max, entries);
    };
    const repetitions = levels(maxRepetition, header?.repetition_level_encoding);
    const definitions = levels(maxDefinition, header?.definition_level_encoding);
    const values = this.#readValues(reader, header!.encoding, present(definitions, maxDefinition, entries));
    return { values, definitions, repetitions, entries };
  }

  /** A page of the second version: the levels stand before the packed values. */
  #readPageV2({ data_page_header_v2: header, uncompressed_page_size }: PageHeader, bytes: Uint8Array): Page {
    const { maxDefinition, maxRepetition } = this.#leaf;
    const entries = this.#entries(header?.num_values);
    const { repetition_levels_byte_length: repetitionBytes, definition_levels_byte_length: definitionBytes, encoding } = header!;
    const levelBytes = repetitionBytes + definitionBytes;
    if (!(repetitionBytes >= 0 && definitionBytes >= 0 && levelBytes <= Math.min(bytes.length, uncompressed_page_size)))
      throw new Error(`a page says that its levels have ${levelBytes} bytes`);
    const repetitions = maxRepetition === 0 ? undefined : readLevels(bytes, 0, repetitionBytes, maxRepetition, entries);
    const definitions = maxDefinition === 0 ? undefined : readLevels(bytes, repetitionBytes, definitionBytes, maxDefinition, entries);
    const packed = bytes.subarray(levelBytes);
    const codec = header!.is_compressed === false ? 'UNCOMPRESSED' : this.#chunk.codec;
    const count = present(definitions, maxDefinition, entries);
    // Nothing needs not even be packed.
    const isEmpty = packed.length === 0 && count === 0;
    const page = isEmpty ? packed : decompressPage(packed, uncompressed_page_size - levelBytes, codec, decompressors);
    return { values: this.#readValues(readerOf(page), encoding, count), definitions, repetitions, entries };
  }

  #entries(count: number | undefined): number {
    if (count !== undefined && count >= 0 && count <= this.#left) return count;
    throw new Error(`a page says that it has ${count} values where ${this.#left} are left`);
  }

  #readValues(reader: DataReader, encoding: Encoding, count: number): DecodedArray {
    if (count === 0) return [];
    const { type } = this.#chunk;
    const length = this.#leaf.element.type_length;
    switch (encoding) {
      case 'PLAIN': {
        const values = readPlain(reader, type, count, length);
        // Typed arrays and texts are taken from the memory that the page is only a part of.
        if (reader.offset > reader.view.byteLength) throw new Error('a page is cut off');
        return values;
      }
      case 'PLAIN_DICTIONARY':
      case 'RLE_DICTIONARY':
        return this.#lookUp(reader, count);
      case 'RLE': {
        if (type !== 'BOOLEAN') throw new Error(`values of the type ${type} are written in runs`);
        const bits = new Uint8Array(count);
        const bytes = bytesOf(reader);
        readRuns(bytes, 4, bytes.length, 1, bits);
        return Array.from(bits, (bit) => bit === 1);
      }
      case 'DELTA_BINARY_PACKED': {
        const values = type === 'INT32' ? new Int32Array(count) : new BigInt64Array(count);
        deltaBinaryUnpack(reader, count, values);
        return values;
      }
      case 'DELTA_LENGTH_BYTE_ARRAY':
      case 'DELTA_BYTE_ARRAY': {
        const values: Uint8Array[] = new Array(count);
        if (encoding === 'DELTA_BYTE_ARRAY') deltaByteArray(reader, count, values);
        else deltaLengthByteArray(reader, count, values);
        return values;
      }
      case 'BYTE_STREAM_SPLIT':
        return byteStreamSplit(reader, count, type, length);
      case 'BIT_PACKED':
      case 'GROUP_VAR_INT':
        break;
    }
    throw new Error(`values are written as ${encoding}, which is not supported`);
  }

  #lookUp(reader: DataReader, count: number): DecodedArray {
    const dictionary = this.#dictionary;
    if (dictionary === undefined) throw new Error('a dictionary is missing');
    const bytes = bytesOf(reader);
    const bitWidth = bytes[0] ?? 33;
    if (bitWidth > 32) throw new Error('a page has no size of its numbers');
    const numbers = new Uint32Array(count);
    readRuns(bytes, 1, bytes.length, bitWidth, numbers);
    const values: unknown[] = new Array(count);
    for (let i = 0; i < count; i++) {
      const number = numbers[i]!;
      if (number >= dictionary.length) throw new Error('a value is not in its dictionary');
      values[i] = dictionary[number];
    }
    return values;
  }
}

function readerOf(bytes: Uint8Array): DataReader {
  return { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), offset: 0 };
}

function bytesOf({ view, offset }: DataReader): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + offset, view.byteLength - offset);
}

function readLevels(bytes: Uint8Array, at: number, length: number, max: number, entries: number): Uint8Array {
  const levels = new Uint8Array(entries);
  readRuns(bytes, at, Math.min(bytes.length, at + length), 32 - Math.clz32(max), levels);
  return levels;
}

/** How many entries have a value. */
function present(definitions: Uint8Array | undefined, max: number, entries: number): number {
  if (definitions === undefined) return entries;
  let count = 0;
  for (let entry = 0; entry < definitions.length; entry++) if (definitions[entry] === max) count++;
  return count;
}
