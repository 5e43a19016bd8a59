import type { LogicalType } from 'dray/sdk';
import { compileDateFormat } from './date-format.ts';
import { isJson } from './is-json.ts';
import { decimalText, doubleText, integerText, isDecimal, isInteger } from './numbers.ts';
import { isTimestamp, isTimestampInUtc, timestampText, timestamptzText, timeText } from './times.ts';

/** Names of types in the option `column`. */
export const typeNames = [
  'string',
  'long',
  'integer',
  'int',
  'boolean',
  'bool',
  'double',
  'decimal',
  'date',
  'timestamp',
  'timestamptz',
  'time',
  'bytes',
  'json',
] as const;

export type TypeName = (typeof typeNames)[number];

/** How cells of a type are brought into the canonical text. */
export interface CellType {
  readonly logical: LogicalType;
  /** For messages: "a value that is not …". */
  readonly words: string;
  /** True where the bytes are the canonical text already. */
  readonly isCanonical: (bytes: Uint8Array, from: number, to: number) => boolean;
  /** The canonical text; undefined if the value is not of this type. */
  readonly canonical: (text: string) => string | undefined;
}

const never = () => false;

function isOneOf(...texts: readonly string[]): CellType['isCanonical'] {
  const all = texts.map((text) => Buffer.from(text));
  return (bytes, from, to) => all.some((text) => text.length === to - from && text.every((byte, i) => byte === bytes[from + i]));
}

/** `\x` and pairs of lower-case hex digits. */
const isHex: CellType['isCanonical'] = (bytes, from, to) => {
  if ((to - from) % 2 !== 0 || bytes[from] !== 0x5c || bytes[from + 1] !== 0x78) return false;
  for (let at = from + 2; at < to; at++) {
    const byte = bytes[at]!;
    if (!((byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66))) return false;
  }
  return to > from;
};

const types: Record<Exclude<LogicalType, 'string' | 'date'>, CellType> = {
  boolean: {
    logical: 'boolean',
    words: 'true or false',
    isCanonical: isOneOf('true', 'false'),
    canonical: (text) => /^\s*(true|false)\s*$/i.exec(text)?.[1]?.toLowerCase(),
  },
  integer: { logical: 'integer', words: 'a whole number', isCanonical: isInteger, canonical: integerText },
  decimal: { logical: 'decimal', words: 'a number', isCanonical: isDecimal, canonical: decimalText },
  double: { logical: 'double', words: 'a number', isCanonical: isDecimal, canonical: doubleText },
  timestamp: {
    logical: 'timestamp',
    words: 'a date yyyy-MM-dd, or one with a time of day',
    isCanonical: isTimestamp,
    // DataX's own settings (core.json) have the form yyyyMMdd beside the usual one.
    canonical: (text) => timestampText(text) ?? timestampText(text.replace(/^\s*(\d{4})(\d\d)(\d\d)\s*$/, '$1-$2-$3')),
  },
  timestamptz: {
    logical: 'timestamptz',
    words: 'a date and time with an offset from UTC',
    isCanonical: isTimestampInUtc,
    canonical: timestamptzText,
  },
  time: { logical: 'time', words: 'a time of day HH:mm:ss', isCanonical: never, canonical: timeText },
  bytes: {
    logical: 'bytes',
    words: '\\x and pairs of hex digits',
    isCanonical: isHex,
    canonical: (text) => (/^\\x([0-9a-f]{2})*$/i.test(text) ? text.toLowerCase() : undefined),
  },
  json: { logical: 'json', words: 'JSON', isCanonical: never, canonical: (text) => (isJson(text) ? text : undefined) },
};

/** DataX's names of types. */
const logicalNames = { long: 'integer', int: 'integer', bool: 'boolean', date: 'timestamp' } as const;

/** Forms of dates of a whole file: the option `columnForms`. */
export interface DateForms {
  readonly datetimeFormat?: string | undefined;
  readonly dateFormat?: string | undefined;
  readonly extraFormats?: readonly string[] | undefined;
}

export interface CellTypeOption {
  readonly type: TypeName;
  readonly format?: string | undefined;
  /** Count where there is no `format`. */
  readonly forms?: DateForms | undefined;
}

/** Undefined for texts, which are taken as they are. */
export function cellType({ type, format, forms }: CellTypeOption): CellType | undefined {
  if (format !== undefined && format !== '') {
    const { type: logical, parse } = compileDateFormat(format);
    return { logical, words: `a date of the format ${format}`, isCanonical: never, canonical: parse };
  }
  if (type === 'string') return undefined;
  const listed = [forms?.datetimeFormat, forms?.dateFormat, ...(forms?.extraFormats ?? [])].filter((one) => one !== undefined);
  if (listed.length > 0 && (type === 'date' || type === 'timestamp')) return dateOfForms(listed);
  return types[type in logicalNames ? logicalNames[type as keyof typeof logicalNames] : (type as keyof typeof types)];
}

/** A date in the first of several forms that fits, or in the usual one. A date alone begins at midnight. */
function dateOfForms(formats: readonly string[]): CellType {
  const forms = formats.map(compileDateFormat);
  return {
    logical: 'timestamp',
    words: `a date of the form ${formats.join(' or ')}`,
    isCanonical: never,
    canonical(text) {
      for (const { type, parse } of forms) {
        const found = parse(text);
        if (found !== undefined) return type === 'date' ? `${found} 00:00:00` : found;
      }
      return timestampText(text);
    },
  };
}
