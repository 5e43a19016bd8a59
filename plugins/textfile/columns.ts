import { type Column, DrayError, integer, type LogicalType, type Schema, writeNull, writeText, z } from 'dray/sdk';
import { compileDateFormat } from './date-format.ts';
import { decimalText, doubleText, integerText, isDecimal, isInteger } from './numbers.ts';
import { isTimestamp, isTimestampInUtc, timestampText, timestamptzText, timeText } from './times.ts';

const typeNames = [
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

export const columnOption = z
  .strictObject({
    index: integer({ min: 0 }).optional().describe('Which field of the row, counted from 0'),
    value: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional().describe('The same value in every row, instead of a field'),
    type: z
      .string()
      .toLowerCase()
      .pipe(z.enum(typeNames))
      .default('string')
      .describe(`Type of the values: ${typeNames.join(', ')}, in any case`),
    format: z
      .string()
      .optional()
      .describe('How a date or timestamp is written, like yyyy.MM.dd; without a time part the column is a plain date'),
    name: z.string().optional().describe('Name of the column; default c0, c1, … by index'),
  })
  .refine(({ index, value }) => (index === undefined) !== (value === undefined), { error: 'Expected either "index" or "value"' })
  .refine(({ format, type }) => format === undefined || type === 'date' || type === 'timestamp', {
    error: 'Expected "format" only with the type date or timestamp',
  });

export type ColumnOption = z.output<typeof columnOption>;

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

/** One column to be delivered: a field of the file, or a constant. */
export type ColumnSource =
  | { readonly name: string; readonly field: number; readonly type: CellType | undefined }
  | { readonly name: string; readonly field: undefined; readonly type: CellType | undefined; readonly cell: Buffer };

const never = () => false;

function isOneOf(...texts: readonly string[]): CellType['isCanonical'] {
  const all = texts.map((text) => Buffer.from(text));
  return (bytes, from, to) => all.some((text) => text.length === to - from && text.every((byte, i) => byte === bytes[from + i]));
}

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
    canonical: timestampText,
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
    isCanonical: never,
    canonical: (text) => (/^\\x([0-9a-f]{2})*$/i.test(text) ? text.toLowerCase() : undefined),
  },
  json: { logical: 'json', words: 'JSON', isCanonical: never, canonical: (text) => (isJson(text) ? text : undefined) },
};

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** DataX's names of types. */
const logicalNames = { long: 'integer', int: 'integer', bool: 'boolean', date: 'timestamp' } as const;

/** Undefined for texts, which are taken as they are. */
function cellType({ type, format }: ColumnOption): CellType | undefined {
  if (format !== undefined) {
    const { type: logical, parse } = compileDateFormat(format);
    return { logical, words: `a date of the format ${format}`, isCanonical: never, canonical: parse };
  }
  if (type === 'string') return undefined;
  return types[type in logicalNames ? logicalNames[type as keyof typeof logicalNames] : (type as keyof typeof types)];
}

/** Compiles the option `column`. */
export function columnSources(options: readonly ColumnOption[], nullFormat: string): ColumnSource[] {
  return options.map((option, position): ColumnSource => {
    const { index, value } = option;
    const type = cellType(option);
    const name = option.name ?? `c${index ?? position}`;
    if (index !== undefined) return { name, field: index, type };
    const text = value === null || value === undefined || value === nullFormat ? null : String(value);
    const canonical = text === null || type === undefined ? text : type.canonical(text);
    if (canonical === undefined) throw new DrayError('JOB_INVALID', `"value" of the column ${name} is not ${type?.words}`);
    const cell = Buffer.alloc(canonical === null ? 2 : canonical.length * 3);
    const end = canonical === null ? writeNull(cell, 0) : writeText(cell, 0, canonical);
    return { name, field: undefined, type, cell: cell.subarray(0, end) };
  });
}

/** One column of text per field. */
export function textColumns(names: readonly string[]): ColumnSource[] {
  return names.map((name, field) => ({ name, field, type: undefined }));
}

export function schemaOf(sources: readonly ColumnSource[]): Schema {
  return { columns: sources.map(({ name, type }): Column => ({ name, type: type?.logical ?? 'string', isNullable: true })) };
}
