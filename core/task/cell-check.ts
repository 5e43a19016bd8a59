import type { Column } from '../sdk/index.ts';
import { elementsOf } from './array-text.ts';
import { isExactDouble, isExactSingle, isNegativeZero, isPrintedDouble, scaleOf, secondsFractionOf } from './exact-text.ts';
import { hasRepeatedKey } from './json-text.ts';
import { type PlainTest, plainDate, plainNumber, plainText, plainTime, plainTimestamp } from './plain-cells.ts';
import { dateFault, instantFault, timeFault, timestampFault } from './time-text.ts';

/** Why a text does not fit a column, or undefined if it does (as far as this check can tell; the target decides the rest). */
type Fault = (text: string) => string | undefined;

/** Packed bytes, anywhere in a cell or at one of its ends. */
export type Mark = { readonly within: string } | { readonly begins: string } | { readonly ends: string };

export interface CellCheck {
  readonly faultOf: Fault;
  /** What every misfit has: looked for first, as that costs little. Undefined: any cell may be one. */
  readonly mark?: Mark;
  /** Asked before a cell becomes a text. Undefined: every cell has to become one. */
  readonly surelyFits?: PlainTest | undefined;
}

/** Loss that databases make silently: each rule is one that PostgreSQL, MySQL or MariaDB would bend without an error. */
export function cellCheck(source: Column, target: Column): CellCheck | undefined {
  const check = valueCheck(source, target);
  if (target.emptyIsNull !== true) return check;
  const ofEmpty = target.replacesNull === true ? 'an empty text as NULL, which the target would replace by a value of its own' : undefined;
  if (check === undefined && ofEmpty === undefined) return undefined;
  const surelyFits: PlainTest = (bytes, from, to) => to > from && (check === undefined || check.surelyFits?.(bytes, from, to) === true);
  return { faultOf: (text) => (text === '' ? ofEmpty : check?.faultOf(text)), surelyFits };
}

function valueCheck(source: Column, target: Column): CellCheck | undefined {
  if (target.pattern !== undefined) return patternCheck(source, target, new RegExp(target.pattern));
  if (target.element !== undefined) return elementsCheck(source, target, target.element);
  if (isNumber(target) && source.nativeType?.startsWith('bit') === true) return bitsCheck;
  switch (target.type) {
    case 'integer':
      if (source.type === 'integer' || source.type === 'boolean' || (source.type === 'decimal' && source.scale === 0)) return undefined;
      return {
        faultOf: (text) => (scaleOf(text) > 0 ? 'a fraction in a whole-number column' : undefined),
        surelyFits: plainNumber({ scale: 0 }),
      };
    case 'decimal':
      return scaleCheck(source, target);
    case 'double':
      return doubleCheck(source, target);
    case 'date':
      return source.type === 'date' ? undefined : { faultOf: dateFault, surelyFits: plainDate };
    case 'time':
      return secondsCheck(source, target, source.type === 'time' ? undefined : timeFault);
    case 'timestamp':
      return secondsCheck(source, target, hasDate(source) ? undefined : timestampFault);
    case 'timestamptz':
      return secondsCheck(source, target, hasDate(source) ? undefined : instantFault);
    case 'bytes':
      if (source.type === 'bytes') return undefined;
      return {
        faultOf: (text) =>
          text.includes('\\') ? 'a text with a backslash in a column of bytes; declare the type "bytes" in the reader' : undefined,
        mark: { within: '\\\\' },
      };
    case 'string':
      return target.values === undefined ? textCheck(source, target) : valuesCheck(source, target, target.values);
    case 'json':
      if (target.keepsLastKey !== true || source.keepsLastKey === true) return undefined;
      return {
        faultOf: (text) => (hasRepeatedKey(text) ? 'a key that stands twice in a JSON object; the column keeps one of them' : undefined),
      };
    case 'boolean':
      return undefined;
  }
}

/** Servers round and cut the elements of an array as they do with single values. */
function elementsCheck(source: Column, target: Column, element: Column): CellCheck | undefined {
  if (source.nativeType === target.nativeType) return undefined;
  // A text that is not known to be an array holds bytes in the notation of arrays, if any.
  const assumed: Column = { name: source.name, type: element.type === 'bytes' ? 'bytes' : 'string', isNullable: true };
  const check = cellCheck(source.element ?? assumed, element);
  if (check === undefined) return undefined;
  return {
    faultOf: (text) => {
      for (const value of elementsOf(text)) {
        const fault = check.faultOf(value);
        if (fault !== undefined) return `within an array or range: ${fault}`;
      }
      return undefined;
    },
  };
}

function isNumber({ type }: Column): boolean {
  return type === 'integer' || type === 'decimal' || type === 'double';
}

/** The text 101 of three bits is five, and every server would read it as a hundred and one. */
const bitsCheck: CellCheck = {
  faultOf: (text) =>
    text === '0' || text === '1' ? undefined : 'bits in a column of numbers; turn them into a number in "column" of the reader',
};

function hasDate({ type }: Column): boolean {
  return type === 'date' || type === 'timestamp' || type === 'timestamptz';
}

function scaleCheck(source: Column, { scale }: Column): CellCheck | undefined {
  if (scale === undefined || (source.type === 'integer' && scale >= 0)) return undefined;
  if (source.type === 'decimal' && source.scale !== undefined && source.scale <= scale) return undefined;
  return {
    faultOf: (text) => (scaleOf(text) > scale ? tooManyDigits(scale) : undefined),
    ...(scale < 0 ? {} : { surelyFits: plainNumber({ scale }) }),
  };
}

function tooManyDigits(scale: number): string {
  return scale >= 0 ? `more than ${scale} digits after the point` : `a number that is not rounded to ${-scale} digits before the point`;
}

/** A double with a `scale` is MySQL's DOUBLE(M,D), which rounds without a warning. */
function doubleCheck(source: Column, target: Column): CellCheck | undefined {
  const { scale, mantissaBits, dropsNegativeZero } = target;
  const isDouble = source.type === 'double';
  const keepsDigits = (isDouble && (source.mantissaBits === 24 || mantissaBits !== 24)) || source.type === 'boolean';
  const keepsScale = scale === undefined || (isDouble && source.scale !== undefined && source.scale <= scale);
  const keepsZero = dropsNegativeZero !== true || (!isDouble && source.type !== 'string');
  if (keepsDigits && keepsScale && keepsZero) return undefined;
  const isExact = mantissaBits === 24 ? isExactSingle : source.type === 'string' || isDouble ? isPrintedDouble : isExactDouble;
  return {
    faultOf: (text) => {
      if (!keepsZero && isNegativeZero(text)) return 'a negative zero, which would become a positive one';
      if (!keepsScale && scaleOf(text) > scale) return tooManyDigits(scale);
      if (keepsDigits || isExact(text)) return undefined;
      return `more digits than a ${mantissaBits === 24 ? 'single' : 'double'}-precision number holds`;
    },
    ...(keepsDigits && keepsScale ? { mark: { begins: '-0' } } : {}),
    surelyFits: plainNumber({
      scale: keepsScale ? Number.POSITIVE_INFINITY : scale,
      digits: keepsDigits ? Number.POSITIVE_INFINITY : mantissaBits === 24 ? 6 : 15,
      mayBeNegative: keepsZero,
    }),
  };
}

/** @param fault of texts of another type; undefined: the source's texts are of this one */
function secondsCheck(source: Column, target: Column, fault: Fault | undefined): CellCheck | undefined {
  const digits = target.fractionDigits ?? 6;
  if (fault === undefined && (source.type === 'date' || (source.fractionDigits ?? 6) <= digits)) return undefined;
  return {
    faultOf: (text) => (secondsFractionOf(text) > digits ? `more than ${digits} digits of a second's fraction` : fault?.(text)),
    surelyFits: target.type === 'time' ? plainTime(digits) : plainTimestamp(digits, target.type === 'timestamptz'),
  };
}

function patternCheck(source: Column, target: Column, pattern: RegExp): CellCheck | undefined {
  if (source.nativeType === target.nativeType) return undefined;
  // Truth values and numbers have a form of their own, which the writer turns into bits.
  if (source.type === 'boolean' || (source.type === 'integer' && target.type === 'string')) return undefined;
  return { faultOf: (text) => (pattern.test(text) ? undefined : 'a value that does not have the form or width of the column') };
}

function valuesCheck(source: Column, target: Column, values: readonly string[]): CellCheck | undefined {
  if (source.nativeType !== undefined && source.nativeType === target.nativeType) return undefined;
  const allowed = new Set(values);
  const isListed = (text: string) => {
    if (target.valueList !== true) return allowed.has(text);
    const parts = text === '' ? [] : text.split(',');
    return parts.every((part) => allowed.has(part)) && new Set(parts).size === parts.length;
  };
  return { faultOf: (text) => (isListed(text) ? undefined : 'a value that the column does not list') };
}

function textCheck(source: Column, { length, maxBytes, trailingBlanks }: Column): CellCheck | undefined {
  const isShort = length === undefined || (source.type === 'string' && source.length !== undefined && source.length <= length);
  const isSmall = maxBytes === undefined || (source.maxBytes !== undefined && source.maxBytes <= maxBytes);
  const mayBeBlank = source.type === 'string' || source.type === 'json';
  const keepsBlanks = trailingBlanks === undefined || source.trailingBlanks !== undefined || !mayBeBlank;
  if (isShort && isSmall && keepsBlanks) return undefined;
  const areBlanksNothing = trailingBlanks !== undefined && source.trailingBlanks !== undefined;
  const charactersOf = (text: string) => (length !== undefined && text.length > length ? [...text].length : text.length);
  return {
    faultOf: (cell) => {
      const text = areBlanksNothing ? cell.replace(/ +$/, '') : cell;
      if (!isShort && charactersOf(text) > length) return `more than ${length} characters`;
      if (!isSmall && Buffer.byteLength(text) > maxBytes) return `more than ${maxBytes} bytes`;
      if (keepsBlanks || !text.endsWith(' ') || (trailingBlanks === 'padded' && [...text].length === length)) return undefined;
      return 'blanks at the end, which the column does not keep as they are';
    },
    ...(isShort && isSmall ? { mark: { ends: ' ' } } : {}),
    // No character has less than a byte, and escapes only add some.
    surelyFits: plainText(
      Math.min(isShort ? Number.POSITIVE_INFINITY : length, isSmall ? Number.POSITIVE_INFINITY : maxBytes),
      keepsBlanks,
    ),
  };
}
