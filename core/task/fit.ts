import type { Column, RecordBatch, Schema } from '../sdk/index.ts';
import { fractionDigitsOf, isExactDouble, isExactSingle, secondsFractionOf } from './exact-text.ts';

/** Why a text does not fit a column, or undefined if it does (as far as this check can tell; the target decides the rest). */
type Check = (text: string) => string | undefined;

interface ColumnFit {
  readonly column: number;
  readonly name: string;
  readonly refusesNull: boolean;
  readonly check: Check | undefined;
}

export interface Misfit {
  readonly row: number;
  readonly column: string;
  readonly cause: string;
}

/** Servers read `20-1-5` or `010203` as dates of some century. */
const fullDate = /^(\d{4,}-\d{1,2}-\d{1,2}|\d{8}|-?infinity$)/;
const notADate = 'a text that is not a date with a year of four digits';
const timeZone = /:\d\d(\.\d+)? ?([+-]\d|[A-Za-z](?!C$))/;

function isTemporal({ type }: Column): boolean {
  return type === 'date' || type === 'timestamp' || type === 'timestamptz';
}

const midnight = /^00:00(:00(\.0+)?)?(\+00(:00)?)?( BC)?$/;

/** Loss that databases make silently: each rule is one that PostgreSQL or MySQL would bend without an error. */
function checkFor(source: Column, target: Column): Check | undefined {
  if (target.pattern !== undefined) return patternCheck(source, target, new RegExp(target.pattern));
  switch (target.type) {
    case 'integer':
      if (source.type === 'integer' || source.type === 'boolean' || (source.type === 'decimal' && source.scale === 0)) return undefined;
      return (text) => (fractionDigitsOf(text) > 0 ? 'a fraction in a whole-number column' : undefined);
    case 'decimal': {
      const { scale } = target;
      if (scale === undefined || source.type === 'integer') return undefined;
      if (source.type === 'decimal' && source.scale !== undefined && source.scale <= scale) return undefined;
      return (text) => (fractionDigitsOf(text) > scale ? `more than ${scale} digits after the point` : undefined);
    }
    case 'double':
      if (source.type === 'double' && (source.mantissaBits === 24 || target.mantissaBits !== 24)) return undefined;
      if (source.type === 'boolean') return undefined;
      return target.mantissaBits === 24
        ? (text) => (isExactSingle(text) ? undefined : 'more digits than a single-precision number holds')
        : (text) => (isExactDouble(text) ? undefined : 'more digits than a double-precision number holds');
    case 'date':
      if (source.type === 'date') return undefined;
      return (text) => {
        if (!isTemporal(source) && !fullDate.test(text)) return notADate;
        const time = /^\S*\d[ T](.+)$/.exec(text)?.[1];
        return time === undefined || time === 'BC' || midnight.test(time) ? undefined : 'a time of day in a date column';
      };
    case 'time':
      return timeCheck(source, target, (text) => (/^-?\d+:\d\d(:|$)/.test(text) ? undefined : 'a text that is not a time of day'));
    case 'timestamp':
      return timeCheck(source, target, (text) =>
        isTemporal(source)
          ? undefined
          : !fullDate.test(text)
            ? notADate
            : timeZone.test(text)
              ? 'a time zone in a column without time zone'
              : undefined,
      );
    case 'timestamptz':
      return timeCheck(source, target, (text) => (isTemporal(source) || fullDate.test(text) ? undefined : notADate));
    case 'bytes':
      if (source.type === 'bytes') return undefined;
      return (text) => (text.includes('\\') ? 'a text with a backslash in a column of bytes; declare the type "bytes" in the reader' : undefined);
    case 'string':
      return stringCheck(source, target);
    case 'boolean':
    case 'json':
      return undefined;
  }
}

function timeCheck(source: Column, target: Column, check: Check): Check | undefined {
  const digits = target.fractionDigits ?? 6;
  const isSameKind = source.type === target.type || (source.type === 'date' && target.type !== 'time');
  if (isSameKind && (source.type === 'date' || (source.fractionDigits ?? 6) <= digits)) return undefined;
  return (text) =>
    secondsFractionOf(text) > digits ? `more than ${digits} digits of a second's fraction` : isSameKind ? undefined : check(text);
}

function patternCheck(source: Column, target: Column, pattern: RegExp): Check | undefined {
  if (source.nativeType === target.nativeType) return undefined;
  // Truth values and numbers have a form of their own, which the writer turns into bits.
  if (source.type === 'boolean' || (source.type === 'integer' && target.type === 'string')) return undefined;
  return (text) => (pattern.test(text) ? undefined : 'a value that does not have the width of the column');
}

function stringCheck(source: Column, target: Column): Check | undefined {
  const { length, values, valueList } = target;
  if (values !== undefined) {
    if (source.nativeType !== undefined && source.nativeType === target.nativeType) return undefined;
    const allowed = new Set(values);
    return (text) => {
      const parts = valueList === true && text !== '' ? text.split(',') : [text];
      return parts.every((part) => allowed.has(part) || (valueList === true && part === '')) ? undefined : 'a value that the column does not list';
    };
  }
  if (length === undefined || (source.type === 'string' && source.length !== undefined && source.length <= length)) return undefined;
  return (text) => (text.length > length && [...text].length > length ? `more than ${length} characters` : undefined);
}

/**
 * Finds rows that the target would accept but bend: rounded fractions, a dropped time zone, cut-off blanks. Compiled once per task from
 * both schemas; columns whose types cannot lose anything cost nothing.
 */
export class Fit {
  readonly #columns: readonly ColumnFit[];

  constructor(source: Schema, target: Schema) {
    this.#columns = source.columns.flatMap((from, column) => {
      const to = target.columns[column];
      if (to === undefined) return [];
      const check = checkFor(from, to);
      const refusesNull = to.replacesNull === true && from.isNullable;
      return check === undefined && !refusesNull ? [] : [{ column, name: to.name, refusesNull, check }];
    });
  }

  /** True where no row can be bent, so that batches need not be looked at. */
  get isTrivial(): boolean {
    return this.#columns.length === 0;
  }

  /** The rows of a batch that would be bent, in order, each once. */
  misfits(batch: RecordBatch): Misfit[] {
    const found: Misfit[] = [];
    for (let row = 0; row < batch.rowCount; row++) {
      for (const { column, name, refusesNull, check } of this.#columns) {
        const text = batch.cell(row, column);
        const cause = text === null ? (refusesNull ? 'NULL, which the target would replace by a value of its own' : undefined) : check?.(text);
        if (cause === undefined) continue;
        found.push({ row, column: name, cause });
        break;
      }
    }
    return found;
  }
}
