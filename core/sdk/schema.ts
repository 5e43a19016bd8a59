/**
 * The types every source is reduced to and every target is written from. A cell travels as text, in one canonical form per type:
 *
 * | type | text |
 * | --- | --- |
 * | boolean | `true` / `false` |
 * | integer | decimal digits, any width |
 * | decimal | plain decimal notation, no exponent |
 * | double | shortest text that reads back the same; `NaN`, `Infinity`, `-Infinity` |
 * | string | as it is, UTF-8 |
 * | bytes | `\x` and lower-case hex |
 * | date | `YYYY-MM-DD` |
 * | time | `HH:MM:SS[.ffffff]` |
 * | timestamp | `YYYY-MM-DD HH:MM:SS[.ffffff]`, no time zone |
 * | timestamptz | the same in UTC, with `+00` |
 * | json | JSON text |
 *
 * What is none of these (uuid, array, enum, interval, bit …) is a `string` whose `nativeType` says what it was.
 */
export const logicalTypes = [
  'boolean',
  'integer',
  'decimal',
  'double',
  'string',
  'bytes',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'json',
] as const;

export type LogicalType = (typeof logicalTypes)[number];

/** One column, of a source or of a target. Plain JSON: it travels between threads and hosts. */
export interface Column {
  readonly name: string;
  readonly type: LogicalType;
  /** Decimal: total digits. Absent: unbounded. */
  readonly precision?: number;
  /** Decimal, and doubles that are printed with so many: digits after the point. Absent: unbounded. */
  readonly scale?: number;
  /** Time types: digits kept of a second's fraction, 0–6. Absent: 6. */
  readonly fractionDigits?: number;
  /** Double: 24 for single precision. Absent: 53. */
  readonly mantissaBits?: 24 | 53;
  /** String: most characters that fit. Absent: unbounded. */
  readonly length?: number;
  /** String: most bytes of UTF-8 that fit. Absent: unbounded. */
  readonly maxBytes?: number;
  /** String: blanks at the end of a text mean nothing (char(n)); the system drops them, or pads every text with them up to `length`. */
  readonly trailingBlanks?: 'dropped' | 'padded';
  /** Double, target only: -0 would become 0; such a row must be refused. */
  readonly dropsNegativeZero?: true;
  /** String: the only texts that fit (an enumeration). */
  readonly values?: readonly string[];
  /** With `values`: several of them may stand in one cell, separated by commas. */
  readonly valueList?: true;
  /** Target only: regular expression that texts of another native type must match. */
  readonly pattern?: string;
  /** Json: of equal keys in one object only the last is kept (jsonb). */
  readonly keepsLastKey?: true;
  /** String: what stands in an array (`{1,2}`, PostgreSQL's notation) or a range (`[1,2)`), possibly several levels deep. */
  readonly element?: Column;
  /** False only where the system guarantees that no NULL occurs. */
  readonly isNullable: boolean;
  /** Target only: the system would replace a NULL by something else here (a clock, a counter); such a row must be refused. */
  readonly replacesNull?: true;
  /** Target only: the writer turns an empty text into NULL here. */
  readonly emptyIsNull?: true;
  /** The type in the words of its own system, for example `bigint unsigned` or `uuid`. */
  readonly nativeType?: string;
}

/** Columns in order. Cells of a batch are matched to columns by position, never by name. */
export interface Schema {
  readonly columns: readonly Column[];
}
