import type { Column, LogicalType } from 'dray/sdk';

/** How a cell of the text protocol becomes canonical text. */
export type CellForm = 'plain' | 'text' | 'hex' | 'utc' | 'bits' | 'zerofill';

/** A column of a result, as the driver describes it. Numbers as in the protocol's column definition. */
export interface ResultField {
  readonly name: string;
  /** include/mysql/field_types.h */
  readonly columnType: number;
  readonly flags: number;
  readonly characterSet: number;
  readonly columnLength: number;
  readonly decimals: number;
}

const [notNull, unsigned, zerofill, enumeration, set] = [1, 32, 64, 256, 2048];
const binaryCharset = 63;
/** Bytes per character of the connection's character set, utf8mb4. */
const bytesPerCharacter = 4;

const integers: Record<number, string> = { 1: 'tinyint', 2: 'smallint', 3: 'int', 8: 'bigint', 9: 'mediumint', 13: 'year' };

/** Column and cell form of a result's field. */
export function describeField(field: ResultField): { column: Column; form: CellForm } {
  const isNullable = (field.flags & notNull) === 0;
  const { type, form, nativeType, ...limits } = typeOf(field);
  return { column: { name: field.name, type, ...limits, isNullable, nativeType }, form };
}

type Described = Omit<Column, 'name' | 'isNullable'> & { readonly form: CellForm; readonly nativeType: string };

function typeOf({ columnType, flags, characterSet, columnLength, decimals }: ResultField): Described {
  const isBinary = characterSet === binaryCharset;
  const integer = integers[columnType];
  if (integer !== undefined) {
    const nativeType = `${integer}${columnType === 1 && columnLength === 1 ? '(1)' : ''}${flags & unsigned && columnType !== 13 ? ' unsigned' : ''}`;
    // YEAR has the flag ZEROFILL, and its zeros are part of it (0000).
    return { type: 'integer', form: flags & zerofill && columnType !== 13 ? 'zerofill' : 'plain', nativeType };
  }
  const fraction = { fractionDigits: decimals > 6 ? 0 : decimals };
  const digits = decimals > 0 && decimals <= 6 ? `(${decimals})` : '';
  switch (columnType) {
    case 0:
    case 246: {
      const precision = columnLength - (decimals > 0 ? 1 : 0) - (flags & unsigned ? 0 : 1);
      return {
        type: 'decimal',
        form: flags & zerofill ? 'zerofill' : 'plain',
        precision,
        scale: decimals,
        nativeType: `decimal(${precision},${decimals})`,
      };
    }
    case 4:
      return {
        type: 'double',
        form: flags & zerofill ? 'zerofill' : 'plain',
        mantissaBits: 24,
        ...fixedScale(decimals),
        nativeType: 'float',
      };
    case 5:
      return { type: 'double', form: flags & zerofill ? 'zerofill' : 'plain', ...fixedScale(decimals), nativeType: 'double' };
    case 7:
      return { type: 'timestamptz', form: 'utc', ...fraction, nativeType: `timestamp${digits}` };
    case 10:
    case 14:
      return { type: 'date', form: 'plain', nativeType: 'date' };
    case 11:
      return { type: 'time', form: 'plain', ...fraction, nativeType: `time${digits}` };
    case 12:
      return { type: 'timestamp', form: 'plain', ...fraction, nativeType: `datetime${digits}` };
    case 16:
      return { type: 'string', form: 'bits', nativeType: `bit(${columnLength})` };
    case 245:
      return { type: 'json', form: 'text', keepsLastKey: true, nativeType: 'json' };
    case 255:
      return { type: 'bytes', form: 'hex', nativeType: 'geometry' };
    default:
      if (flags & enumeration) return { type: 'string', form: 'text', nativeType: 'enum' };
      if (flags & set) return { type: 'string', form: 'text', nativeType: 'set' };
      if (isBinary)
        return { type: 'bytes', form: 'hex', nativeType: columnType === 254 ? 'binary' : columnType === 253 ? 'varbinary' : 'blob' };
      if (columnType === 253 || columnType === 254 || columnType === 15) {
        const isChar = columnType === 254;
        const length = Math.floor(columnLength / bytesPerCharacter);
        return {
          type: 'string',
          form: 'text',
          length,
          ...(isChar ? { trailingBlanks: 'dropped' as const } : {}),
          nativeType: isChar ? 'char' : 'varchar',
        };
      }
      return { type: 'string', form: 'text', nativeType: 'text' };
  }
}

/** FLOAT(M,D) and DOUBLE(M,D) print D digits after the point; 31 means that no such number was declared. */
function fixedScale(decimals: number): { scale?: number } {
  return decimals > 30 ? {} : { scale: decimals };
}

/** A row of information_schema.COLUMNS. */
export interface CatalogColumn {
  readonly name: string;
  /** DATA_TYPE, lower case. */
  readonly dataType: string;
  /** COLUMN_TYPE, with lengths and values. */
  readonly columnType: string;
  readonly isNullable: boolean;
  readonly length: number | undefined;
  readonly precision: number | undefined;
  readonly scale: number | undefined;
  readonly fractionDigits: number | undefined;
  readonly extra: string;
  readonly isMariadb: boolean;
}

const logicalTypes: Record<string, LogicalType> = {
  tinyint: 'integer',
  smallint: 'integer',
  mediumint: 'integer',
  int: 'integer',
  bigint: 'integer',
  year: 'integer',
  decimal: 'decimal',
  float: 'double',
  double: 'double',
  date: 'date',
  time: 'time',
  datetime: 'timestamp',
  timestamp: 'timestamptz',
  json: 'json',
  binary: 'bytes',
  varbinary: 'bytes',
  tinyblob: 'bytes',
  blob: 'bytes',
  mediumblob: 'bytes',
  longblob: 'bytes',
  geometry: 'bytes',
  point: 'bytes',
  linestring: 'bytes',
  polygon: 'bytes',
  multipoint: 'bytes',
  multilinestring: 'bytes',
  multipolygon: 'bytes',
  geometrycollection: 'bytes',
  geomcollection: 'bytes',
};

/** A table's column with the limits of its type, as a target for values. */
export function describeCatalogColumn(catalog: CatalogColumn): Column {
  const { name, dataType, columnType, isNullable, length, precision, scale, fractionDigits, extra, isMariadb } = catalog;
  const type = logicalTypes[dataType] ?? 'string';
  const limits: Omit<Column, 'name' | 'type' | 'isNullable'> = {
    ...(type === 'decimal' && precision !== undefined && scale !== undefined ? { precision, scale } : {}),
    ...(dataType === 'float' ? { mantissaBits: 24 as const } : {}),
    ...(type === 'double' && scale !== undefined ? { scale } : {}),
    ...(type === 'double' && isMariadb ? { dropsNegativeZero: true as const } : {}),
    ...(type === 'time' || type === 'timestamp' || type === 'timestamptz' ? { fractionDigits: fractionDigits ?? 0 } : {}),
    ...((dataType === 'char' || dataType === 'varchar') && length !== undefined ? { length } : {}),
    ...(dataType === 'char' ? { trailingBlanks: 'dropped' as const } : {}),
    ...(dataType === 'enum' ? { values: listedValues(columnType) } : {}),
    ...(dataType === 'set' ? { values: listedValues(columnType), valueList: true as const } : {}),
    ...(dataType === 'bit' ? { pattern: `^[01]{${/\d+/.exec(columnType)?.[0] ?? 1}}$` } : {}),
    // A year without its century is read as one of this century or the last.
    ...(dataType === 'year' ? { pattern: columnType.startsWith('year(2)') ? '^\\d{1,2}$' : '^(0{1,4}|[1-9]\\d{3})$' } : {}),
    // A shorter value would be filled up with zero bytes.
    ...(dataType === 'binary' ? { pattern: `^\\\\x[0-9a-f]{${2 * (length ?? 1)}}$` } : {}),
    // MySQL's; MariaDB's is a text.
    ...(type === 'json' ? { keepsLastKey: true as const } : {}),
    // These make a value of their own from NULL (unless explicit_defaults_for_timestamp is on).
    ...(!isNullable && (dataType === 'timestamp' || /auto_increment/i.test(extra)) ? { replacesNull: true as const } : {}),
  };
  return { name, type, ...limits, isNullable, nativeType: columnType };
}

/** `enum('a','it''s','x\\y')` → `a`, `it's`, `x\y`: quotes are written twice, and some characters with a backslash (append_unescaped). */
function listedValues(columnType: string): string[] {
  const escaped: Record<string, string> = { n: '\n', r: '\r', 0: '\0', Z: '\x1a' };
  return [...columnType.matchAll(/'((?:[^']|'')*)'/g)].map(([, value]) =>
    value!.replace(/''|\\(.)/gs, (whole: string, letter: string | undefined) =>
      letter === undefined ? whole[0]! : (escaped[letter] ?? letter),
    ),
  );
}
