import { type Column, DrayError } from 'dray/sdk';
import { decimalText } from '../../_files/formats/text/numbers.ts';
import { textOf } from '../cell-text.ts';
import { momentOf, timeOfDay } from './moments.ts';

/** How a cell stands to a value: below 0 if it is less, 0 if it is the same, above 0 if it is more, NaN if neither. */
export type Comparison = (cell: string) => number;

/** Whether cells of a column are compared as texts, by the code units of UTF-16 as in Java. */
export function isText({ type }: Column): boolean {
  return type === 'string' || type === 'bytes' || type === 'boolean' || type === 'json';
}

/** @throws DrayError JOB_INVALID if the value is none that cells of this column can be compared with */
export function comparison(column: Column, value: string): Comparison {
  switch (column.type) {
    case 'integer':
      return integers(column, value);
    case 'decimal':
      return decimals(column, value);
    case 'double': {
      const wanted = numberOf(column, value);
      return (cell) => sign(Number(cell), wanted);
    }
    case 'date':
    case 'timestamp':
    case 'timestamptz':
      return moments(column, value);
    case 'time':
      return times(column, value);
    case 'string':
    case 'bytes':
    case 'boolean':
    case 'json': {
      const read = textOf(column);
      return (cell) => {
        const text = read(cell);
        return text < value ? -1 : text > value ? 1 : 0;
      };
    }
  }
}

function sign(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : a === b ? 0 : Number.NaN;
}

/** Digits up to which every whole number is a double. */
const safeDigits = 15;

function integers(column: Column, value: string): Comparison {
  if (!/^[+-]?\d+$/.test(value)) throw unfit(column, value, 'a whole number');
  const wanted = BigInt(value.replace('+', ''));
  const near = Number(wanted);
  const isSafe = Number.isSafeInteger(near);
  return (cell) => {
    if (isSafe && cell.length <= safeDigits) return Number(cell) - near;
    const number = BigInt(cell);
    return number < wanted ? -1 : number > wanted ? 1 : 0;
  };
}

function numberOf(column: Column, value: string): number {
  const number = decimalText(value) === undefined ? Number.NaN : Number(value);
  if (Number.isNaN(number) && !/^\s*nan\s*$/i.test(value)) throw unfit(column, value, 'a number');
  return number;
}

/** Exactly, and not as doubles: decimals have more digits. */
function decimals(column: Column, value: string): Comparison {
  const near = numberOf(column, value);
  const wanted = decimalText(value)!;
  return (cell) => (/^-?\d/.test(cell) && /^-?\d/.test(wanted) ? ofDecimals(cell, wanted) : sign(Number(cell), near));
}

function ofDecimals(a: string, b: string): number {
  const scale = Math.max(fractionOf(a).length, fractionOf(b).length);
  const [left, right] = [scaled(a, scale), scaled(b, scale)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function fractionOf(text: string): string {
  const point = text.indexOf('.');
  return point === -1 ? '' : text.slice(point + 1);
}

function scaled(text: string, scale: number): bigint {
  const fraction = fractionOf(text);
  return BigInt(text.replace('.', '') + '0'.repeat(scale - fraction.length));
}

function moments(column: Column, value: string): Comparison {
  const wanted = momentOf(value);
  if (wanted === undefined) throw unfit(column, value, 'a moment: yyyy-MM-dd HH:mm:ss, or milliseconds since 1970');
  return (cell) => {
    const moment = momentOf(cell);
    if (moment === undefined) throw new DrayError('ROW_REJECTED', 'a date that cannot be compared', { column: column.name });
    return sign(moment, wanted);
  };
}

function times(column: Column, value: string): Comparison {
  const wanted = timeOfDay(value);
  if (wanted === undefined) throw unfit(column, value, 'a time: HH:mm:ss, or milliseconds');
  return (cell) => {
    const time = timeOfDay(cell);
    if (time === undefined) throw new DrayError('ROW_REJECTED', 'a time that cannot be compared', { column: column.name });
    return sign(time, wanted);
  };
}

function unfit({ name, type }: Column, value: string, what: string): DrayError {
  return new DrayError('JOB_INVALID', `the column "${name}" is of type ${type}, and cannot be compared with "${value}"`, {
    remedy: `Give ${what}, or turn the column into a text with a "cast" in front.`,
  });
}
