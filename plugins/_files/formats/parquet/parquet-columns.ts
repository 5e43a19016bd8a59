import { type Column, DrayError, type Schema } from 'dray/sdk';
import type { SchemaElement } from 'hyparquet';
import {
  decimalBytesParser,
  decimalParser,
  decodeHex,
  decodeText,
  parseBoolean,
  parseDate,
  parseDouble,
  parseInteger,
  parseTime,
  parseTimestamp,
  parseTimestamptz,
} from './cell-values.ts';
import { BytesStore, type ColumnStore, NumberStore, ObjectStore } from './column-stores.ts';

const int64s = (parse: (bytes: Buffer, from: number, to: number) => bigint | undefined) => () =>
  new NumberStore(new BigInt64Array(1024), parse);

/** How a column is written. */
export interface ParquetColumn {
  readonly name: string;
  readonly isNullable: boolean;
  /** What the file says about it. */
  readonly element: SchemaElement;
  /** An empty store for the values of a row group. */
  readonly store: () => ColumnStore;
  /** For messages: "a value that is not …". */
  readonly words: string;
  /** The bounds of a chunk's values are worth writing, and the library finds them right by the physical values. */
  readonly hasStatistics: boolean;
  /** Instead of what the library finds best. */
  readonly encoding?: 'PLAIN';
}

/** Most digits that readers of Parquet know. */
const maxPrecision = 38;

/** @throws DrayError JOB_INVALID for columns that share a name */
export function parquetColumns({ columns }: Schema): ParquetColumn[] {
  const names = columns.map(({ name }) => name);
  if (names.length === 0) throw new DrayError('JOB_INVALID', 'rows without columns cannot be written as Parquet');
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new DrayError('JOB_INVALID', `two columns are called ${twice}, which Parquet does not allow`, {
      remedy: 'Give one of them another name in "column" of the reader.',
    });
  }
  return columns.map((column) => {
    const { element, ...how } = formOf(column);
    const { name, isNullable } = column;
    return { name, isNullable, element: { name, repetition_type: isNullable ? 'OPTIONAL' : 'REQUIRED', ...element }, ...how };
  });
}

type Form = Pick<ParquetColumn, 'store' | 'words' | 'hasStatistics' | 'encoding'> & { readonly element: Omit<SchemaElement, 'name'> };

function formOf(column: Column): Form {
  const hasStatistics = true;
  switch (column.type) {
    case 'boolean':
      return { element: { type: 'BOOLEAN' }, store: () => new ObjectStore(parseBoolean), words: 'true or false', hasStatistics };
    case 'integer':
      return { element: { type: 'INT64' }, store: int64s(parseInteger), words: 'a whole number of at most 64 bits', hasStatistics };
    case 'decimal':
      return decimalForm(column);
    case 'double':
      return {
        element: { type: column.mantissaBits === 24 ? 'FLOAT' : 'DOUBLE' },
        store: () => new NumberStore(new Float64Array(1024), parseDouble),
        words: 'a number',
        hasStatistics,
        // The library's dictionaries take -0 for 0.
        encoding: 'PLAIN',
      };
    case 'date':
      return {
        element: { type: 'INT32', converted_type: 'DATE', logical_type: { type: 'DATE' } },
        store: () => new NumberStore(new Int32Array(1024), parseDate),
        words: 'a date',
        hasStatistics,
      };
    case 'time':
      return {
        element: { type: 'INT64', logical_type: { type: 'TIME', isAdjustedToUTC: false, unit: 'MICROS' } },
        store: int64s(parseTime),
        words: 'a time of day before 24:00',
        hasStatistics,
      };
    case 'timestamp':
      return {
        // Without a converted_type: the old one means UTC.
        element: { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MICROS' } },
        store: int64s(parseTimestamp),
        words: 'a finite date and time',
        hasStatistics,
      };
    case 'timestamptz':
      return {
        element: {
          type: 'INT64',
          converted_type: 'TIMESTAMP_MICROS',
          logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
        },
        store: int64s(parseTimestamptz),
        words: 'a finite date and time in UTC',
        hasStatistics,
      };
    case 'bytes':
      return {
        element: { type: 'BYTE_ARRAY' },
        store: () => new BytesStore(decodeHex),
        words: '\\x and pairs of hex digits',
        hasStatistics,
      };
    case 'json':
      // Bounds of JSON are never cut: a document of megabytes would stand in the index.
      return {
        element: { type: 'BYTE_ARRAY', converted_type: 'JSON', logical_type: { type: 'JSON' } },
        store: () => new BytesStore(decodeText),
        words: 'JSON',
        hasStatistics: false,
      };
    case 'string':
      return textForm;
    default:
      return column.type satisfies never;
  }
}

const textForm: Form = {
  element: { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } },
  store: () => new BytesStore(decodeText),
  words: 'text',
  hasStatistics: true,
};

/** Numbers without a limit, or with more digits than readers know, keep all of them as text. */
function decimalForm({ precision: digits, scale: places = 0 }: Column): Form {
  // PostgreSQL's numeric(3,-2) rounds to hundreds and holds 5 digits; numeric(3,5) has more places than digits.
  const scale = Math.max(0, places);
  const precision = digits === undefined ? Number.POSITIVE_INFINITY : Math.max(digits + Math.max(0, -places), scale);
  if (precision > maxPrecision) return textForm;
  const words = `a number of ${precision} digits, ${scale} of them behind the point`;
  const decimal = { converted_type: 'DECIMAL', precision, scale, logical_type: { type: 'DECIMAL', precision, scale } } as const;
  if (precision <= 18)
    return { element: { type: 'INT64', ...decimal }, store: int64s(decimalParser(precision, scale)), words, hasStatistics: true };
  const length = Math.ceil((Math.log2(10) * precision + 1) / 8);
  const parse = decimalBytesParser(precision, scale, length);
  return {
    element: { type: 'FIXED_LEN_BYTE_ARRAY', type_length: length, ...decimal },
    store: () => new ObjectStore(parse),
    words,
    hasStatistics: false,
  };
}

/** The same column without what its values mean: the library shall write the physical values that it gets. */
export function physicalElement({ name, type, type_length, repetition_type }: SchemaElement): SchemaElement {
  return {
    name,
    ...(type === undefined ? {} : { type }),
    ...(type_length === undefined ? {} : { type_length }),
    ...(repetition_type === undefined ? {} : { repetition_type }),
  };
}
