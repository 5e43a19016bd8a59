import { randomBytes } from 'node:crypto';
import { type Cell, DrayError } from 'dray/sdk';
import type { StreamColumn } from './reader.ts';

const alphabet = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** True where every row has the same cell, so that it need not be made again. */
export function isConstant({ random, sequence, value }: StreamColumn): boolean {
  return value !== undefined || (random === undefined && sequence === undefined);
}

/** A function from the number of a row to its cell in this column. */
export function cellMaker(column: StreamColumn): (row: number) => Cell {
  const { value, random, sequence } = column;
  if (value !== undefined) {
    const cell = constantCell(column);
    return () => cell;
  }
  if (sequence !== undefined) return (row) => String(sequence + row);
  if (random !== undefined) return randomCell(column, random);
  return () => null;
}

function constantCell({ type, value, dateFormat }: StreamColumn): Cell {
  if (value === null || value === undefined) return null;
  const text = String(value);
  if (type === 'bytes') return `\\x${Buffer.from(text, 'utf8').toString('hex')}`;
  if (type !== 'date') return text;
  // DataX takes dates as milliseconds since 1970, too.
  if (/^\d{9,}$/.test(text)) return timestampOf(Number(text));
  if (dateFormat !== undefined) return reformatDate(text, dateFormat);
  return text;
}

/** Puts the parts of a date in a SimpleDateFormat pattern (yyyy, MM, dd, HH, mm, ss, SSS) into their canonical order. */
function reformatDate(text: string, format: string): string {
  const part = (letters: string, missing: string) => {
    const at = format.indexOf(letters);
    return at === -1 ? missing : text.slice(at, at + letters.length);
  };
  const millis = part('SSS', '');
  const canonical = `${part('yyyy', '1970')}-${part('MM', '01')}-${part('dd', '01')} ${part('HH', '00')}:${part('mm', '00')}:${part('ss', '00')}${millis === '' ? '' : `.${millis}`}`;
  if (Number.isNaN(Date.parse(`${canonical.replace(' ', 'T')}Z`))) {
    throw new DrayError('JOB_INVALID', `a date of the stream reader does not have the format ${format}`);
  }
  return canonical;
}

function timestampOf(ms: number): string {
  return new Date(ms)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.?0*Z$/, '');
}

function randomCell({ type, name = type }: StreamColumn, range: string): (row: number) => Cell {
  const bounds = range.split(/\s*,\s*/);
  const isDate = type === 'date' || type === 'timestamp';
  const [from = Number.NaN, to = Number.NaN] = bounds.map((bound) =>
    isDate ? Date.parse(`${bound.trim().replace(' ', 'T')}Z`) : Number(bound),
  );
  if (bounds.length !== 2 || Number.isNaN(from) || Number.isNaN(to) || from > to) {
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
      // DataX: the two numbers are the weights of false and true.
      return () => String(Math.random() * (from + to) >= from);
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
