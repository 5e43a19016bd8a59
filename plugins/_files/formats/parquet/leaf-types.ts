import { isUtf8 } from 'node:buffer';
import type { Column } from 'dray/sdk';
import type { SchemaElement } from 'hyparquet';
import { clockText, dateText, dayMicros, timestampText } from './days.ts';

/** A physical value as the library reads it; INT96 as one number, its day in front of 64 bits of nanoseconds. */
export type LeafValue = boolean | number | bigint | Uint8Array;

/** What the values of one leaf column mean. */
export interface LeafType {
  readonly column: Omit<Column, 'name' | 'isNullable'>;
  /** Values are bytes that are copied: as UTF-8, or as hexadecimal digits. Otherwise each becomes a text by `text`. */
  readonly copies: 'text' | 'hex' | undefined;
  /** The canonical text; undefined if there is none. */
  readonly text: (value: LeafValue) => string | undefined;
  /** Why there may be none. */
  readonly words: string;
}

const notText = 'bytes that are not UTF-8 text';
const tooFine = 'a time with fractions of a microsecond';
const notAClock = 'a time that is finer than microseconds, or no time of day';
const never = 'a value that cannot be';
const nanosPerMicro = 1000n;

/** Undefined for a type whose values have no canonical text. */
export function leafType(element: SchemaElement): LeafType | undefined {
  const { type, type_length: length = 0, converted_type: converted, logical_type: logical } = element;
  const isBytes = type === 'BYTE_ARRAY' || type === 'FIXED_LEN_BYTE_ARRAY';
  const kind = logical?.type ?? converted;
  if (kind === 'DECIMAL') return decimalType(element);
  if (type === 'BOOLEAN') return plain({ type: 'boolean' }, String);
  if (type === 'FLOAT') return plain({ type: 'double', mantissaBits: 24 }, (value) => singleText(value as number));
  if (type === 'DOUBLE') return plain({ type: 'double' }, (value) => doubleText(value as number));
  if (type === 'INT96')
    return {
      ...timeType({ type: 'timestamp', nativeType: 'INT96' }, tooFine),
      text: (value) => nanosText(int96Nanos(value as bigint), ''),
    };
  if (type === 'INT32' || type === 'INT64') return wholeType(element);
  if (!isBytes) return undefined;
  if (kind === 'UTF8' || kind === 'STRING' || kind === 'ENUM') return textType({ type: 'string' });
  if (kind === 'JSON') return textType({ type: 'json' });
  if (kind === 'UUID' && length === 16) return plain({ type: 'string', nativeType: 'uuid' }, (value) => uuidText(value as Uint8Array));
  if (kind === 'FLOAT16' && length === 2)
    return plain({ type: 'double', mantissaBits: 24 }, (value) => singleText(halfValue(value as Uint8Array)));
  if (kind === undefined || kind === 'GEOMETRY' || kind === 'GEOGRAPHY')
    return {
      column: { type: 'bytes' },
      copies: 'hex',
      text: (value) => `\\x${Buffer.from(value as Uint8Array).toString('hex')}`,
      words: never,
    };
  // BSON, INTERVAL and what will come.
  return undefined;
}

function plain(column: LeafType['column'], text: (value: LeafValue) => string): LeafType {
  return { column, copies: undefined, text, words: never };
}

function timeType(column: LeafType['column'], words: string): Omit<LeafType, 'text'> {
  return { column, copies: undefined, words };
}

function textType(column: LeafType['column']): LeafType {
  const text = (value: LeafValue) => (isUtf8(value as Uint8Array) ? Buffer.from(value as Uint8Array).toString('utf8') : undefined);
  return { column, copies: 'text', text, words: notText };
}

/** INT32 and INT64. */
function wholeType({ type, converted_type: converted, logical_type: logical }: SchemaElement): LeafType | undefined {
  if (logical?.type === 'DATE' || converted === 'DATE') return plain({ type: 'date' }, (value) => dateText(Number(value)));
  const isUnsigned = logical?.type === 'INTEGER' ? !logical.isSigned : converted?.startsWith('UINT_') === true;
  if (logical?.type === 'TIMESTAMP') return momentType(logical.unit, logical.isAdjustedToUTC);
  if (logical?.type === 'TIME') return clockType(logical.unit);
  // The old types are those of UTC: https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#deprecated-timestamp-convertedtype
  if (converted === 'TIMESTAMP_MILLIS' || converted === 'TIMESTAMP_MICROS') return momentType(converted.slice(10), true);
  if (converted === 'TIME_MILLIS' || converted === 'TIME_MICROS') return clockType(converted.slice(5));
  if (isUnsigned) {
    const text = (value: LeafValue) => (type === 'INT32' ? String((value as number) >>> 0) : String(BigInt.asUintN(64, value as bigint)));
    return plain({ type: 'integer' }, text);
  }
  const isWhole = logical === undefined || logical.type === 'INTEGER';
  return isWhole && (converted === undefined || converted.startsWith('INT_')) ? plain({ type: 'integer' }, String) : undefined;
}

function momentType(unit: string, isUtc: boolean): LeafType {
  const zone = isUtc ? '+00' : '';
  const column: LeafType['column'] = { type: isUtc ? 'timestamptz' : 'timestamp', ...(unit === 'MILLIS' ? { fractionDigits: 3 } : {}) };
  if (unit === 'NANOS') return { ...timeType(column, tooFine), text: (value) => nanosText(value as bigint, zone) };
  const perSecond = unit === 'MILLIS' ? 1000n : 1n;
  return plain(column, (value) => microsText((value as bigint) * perSecond, zone));
}

function clockType(unit: string): LeafType {
  const text = (value: LeafValue): string | undefined => {
    const count = Number(value);
    const micros = unit === 'NANOS' ? count / 1000 : unit === 'MILLIS' ? count * 1000 : count;
    return Number.isInteger(micros) && micros >= 0 && micros < dayMicros ? clockText(micros) : undefined;
  };
  const column: LeafType['column'] = { type: 'time', ...(unit === 'MILLIS' ? { fractionDigits: 3 } : {}) };
  return { ...timeType(column, notAClock), text };
}

/** Nanoseconds since 1970, by the Julian day and the nanoseconds of the day. */
function int96Nanos(value: bigint): bigint {
  return (BigInt.asIntN(64, value >> 64n) - 2_440_588n) * 86_400_000_000_000n + BigInt.asUintN(64, value);
}

function nanosText(nanos: bigint, zone: string): string | undefined {
  return nanos % nanosPerMicro === 0n ? microsText(nanos / nanosPerMicro, zone) : undefined;
}

function microsText(micros: bigint, zone: string): string {
  const count = Number(micros);
  if (Number.isSafeInteger(count)) {
    const day = Math.floor(count / dayMicros);
    return timestampText(day, count - day * dayMicros, zone);
  }
  const size = BigInt(dayMicros);
  const ofDay = ((micros % size) + size) % size;
  return timestampText(Number((micros - ofDay) / size), Number(ofDay), zone);
}

function decimalType({ type, converted_type, scale = 0, precision, logical_type: logical }: SchemaElement): LeafType | undefined {
  const [digits, places] = logical?.type === 'DECIMAL' ? [logical.precision, logical.scale] : [precision, scale];
  if (type === undefined || (converted_type === undefined && logical === undefined) || places < 0) return undefined;
  const column: LeafType['column'] = { type: 'decimal', scale: places, ...(digits === undefined ? {} : { precision: digits }) };
  return plain(column, (value) => decimalText(value instanceof Uint8Array ? wholeNumber(value) : String(value), places));
}

/** Digits of the whole number in two's complement, the highest byte first. */
function wholeNumber(bytes: Uint8Array): string {
  if (bytes.length === 0) return '0';
  const value = BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')}`);
  return BigInt.asIntN(bytes.length * 8, value).toString();
}

/** Puts the point before the last `scale` digits. */
function decimalText(digits: string, scale: number): string {
  if (scale === 0) return digits;
  const isNegative = digits.startsWith('-');
  const all = (isNegative ? digits.slice(1) : digits).padStart(scale + 1, '0');
  return `${isNegative ? '-' : ''}${all.slice(0, -scale)}.${all.slice(-scale)}`;
}

function doubleText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** The shortest text that reads back as the same single-precision number; nine digits always suffice. */
function singleText(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return doubleText(value);
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}

function halfValue(bytes: Uint8Array): number {
  const bits = bytes[0]! | (bytes[1]! << 8);
  const [sign, exponent, fraction] = [bits >> 15 === 1 ? -1 : 1, (bits >> 10) & 0x1f, bits & 0x3ff];
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? 2 ** -24 * fraction : 2 ** (exponent - 25) * (1024 + fraction));
}

function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
