import { randomBytes } from 'node:crypto';
import { type Cell, DrayError } from 'dray/sdk';
import { cellType } from '../_files/formats/text/cell-types.ts';
import type { StreamColumn } from './reader.ts';
import { offsetMs } from './time-zone.ts';

const alphabet = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** True where every row has the same cell, so that it need not be made again. */
export function isConstant({ random, sequence, value }: StreamColumn): boolean {
  return value !== undefined || (random === undefined && sequence === undefined);
}

/**
 * A function from the number of a row to its cell in this column.
 * @param forms of dates where the column has none of its own
 * @throws DrayError JOB_INVALID for a value or range that is not of the column's type
 */
export function cellMaker(
  column: StreamColumn,
  forms: StreamForms | undefined,
  warn: (message: string) => void = () => undefined,
): (row: number) => Cell {
  const { value, random, sequence } = column;
  if (value !== undefined) {
    const cell = constantCell(column, forms, warn);
    return () => cell;
  }
  if (sequence !== undefined) return (row) => String(sequence + row);
  if (random !== undefined) return randomCell(column, random, forms);
  return () => null;
}

/** The option `columnForms`. */
export interface StreamForms {
  readonly datetimeFormat?: string | undefined;
  readonly dateFormat?: string | undefined;
  readonly extraFormats?: readonly string[] | undefined;
  readonly timeZone?: string | undefined;
}

function constantCell(column: StreamColumn, forms: StreamForms | undefined, warn: (message: string) => void): Cell {
  const { type, value, dateFormat } = column;
  if (value === null || value === undefined) return null;
  const text = String(value);
  if (type === 'bytes') return `\\x${Buffer.from(text, 'utf8').toString('hex')}`;
  if (type !== 'date' && type !== 'timestamp') return typedCell(text, column);
  // Milliseconds since 1970.
  if (dateFormat === undefined && /^\d{9,}$/.test(text)) return timestampOf(Number(text) + offsetMs(forms?.timeZone, Number(text)));
  const cell = dateCell(text, column, forms);
  if (cell !== undefined) return cell;
  // Nine digits of a fraction, as in examples of DataX: it takes them for milliseconds.
  const cut = dateCell(text.replace(/(\d{6})\d{3}$/, '$1000'), column, forms);
  if (cut !== undefined) {
    warn(`"value" of the stream column ${column.name ?? type} is cut off after microseconds: timestamps have no more digits`);
    return cut;
  }
  throw new DrayError('JOB_INVALID', `"value" of the stream column ${column.name ?? type} is not ${dateType(column, forms).words}`, {
    remedy: 'Say with "dateFormat" how it is written.',
  });
}

/** A value as the canonical text of the column's type. */
function typedCell(text: string, { type, name = type }: StreamColumn): string {
  const kind = cellType({ type });
  if (kind === undefined) return text;
  const cell = kind.canonical(text);
  if (cell !== undefined) return cell;
  throw new DrayError('JOB_INVALID', `"value" of the stream column ${name} is not ${kind.words}`);
}

function dateType({ dateFormat: format }: StreamColumn, forms: StreamForms | undefined) {
  return cellType({ type: 'date', format, forms })!;
}

/** A date of the column's form as a canonical timestamp. */
function dateCell(text: string, column: StreamColumn, forms: StreamForms | undefined): string | undefined {
  const { logical, canonical } = dateType(column, forms);
  const found = canonical(text);
  return found === undefined || logical === 'timestamp' ? found : `${found} 00:00:00`;
}

function timestampOf(ms: number): string {
  return new Date(ms)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.?0*Z$/, '');
}

function randomCell(column: StreamColumn, range: string, forms: StreamForms | undefined): (row: number) => Cell {
  const { type, name = type } = column;
  const bounds = range.split(/\s*,\s*/);
  const isDate = type === 'date' || type === 'timestamp';
  const isBool = type === 'bool' || type === 'boolean';
  const [from = Number.NaN, to = Number.NaN] = bounds.map((bound) =>
    isDate ? Date.parse(`${dateCell(bound.trim(), column, forms)?.replace(' ', 'T')}Z`) : bound.trim() === '' ? Number.NaN : Number(bound),
  );
  const isLength = type === 'string' || type === 'bytes';
  if (bounds.length !== 2 || Number.isNaN(from) || Number.isNaN(to) || (from > to && !isBool) || ((isLength || isBool) && from < 0)) {
    const example = isDate ? '"2020-01-01 00:00:00, 2026-01-01 00:00:00"' : '"0, 100"';
    throw new DrayError(
      'JOB_INVALID',
      `"random" of the stream column ${name} must be two ${isDate ? 'dates' : 'numbers'}, the smaller first, like ${example}`,
    );
  }
  const between = () => from + Math.random() * (to - from);
  const whole = () => Math.floor(from + Math.random() * (to - from + 1));
  switch (type) {
    case 'long':
    case 'int':
    case 'integer':
      return () => String(whole());
    case 'double':
      return () => String(between());
    case 'decimal':
      return () => between().toFixed(2);
    case 'bool':
    case 'boolean':
      // DataX: the two numbers are the weights of false and true; equal ones, and a first one of 0, mean true.
      return () => String(from === to || from === 0 || Math.random() * (from + to) >= from);
    case 'date':
    case 'timestamp':
      return () => timestampOf(Math.floor(between()));
    case 'bytes':
      return () => `\\x${randomBytes(whole()).toString('hex')}`;
    case 'json':
      return () => JSON.stringify({ n: whole() });
    case 'string':
      return () => randomText(whole());
  }
}

function randomText(length: number): string {
  let text = '';
  for (let i = 0; i < length; i++) text += alphabet[Math.floor(Math.random() * alphabet.length)];
  return text;
}
