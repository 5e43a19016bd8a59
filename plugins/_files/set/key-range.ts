import { LF, type RecordBatch, type Schema, TAB } from 'dray/sdk';
import { compareIntegers, compareNumbers, compareTimes, endOfInteger, endOfNumber, endOfTime } from './key-order.ts';

/** Least and greatest value of a file's first column, which is its key more often than not, as the cells have them. */
export interface KeyFacts {
  readonly [key: string]: string;
  readonly column: string;
  readonly min: string;
  readonly max: string;
}

interface Order {
  /** End of the cell; -1: its value has no place in the order, as NaN, infinities and years before 1 or after 9999. */
  readonly endOf: (bytes: Uint8Array, from: number) => number;
  /** Negative if the first one is less. */
  readonly compare: (a: Uint8Array, aFrom: number, aTo: number, b: Uint8Array, bFrom: number, bTo: number) => number;
}

const integers: Order = { endOf: endOfInteger, compare: compareIntegers };
const numbers: Order = { endOf: endOfNumber, compare: compareNumbers };
const times: Order = { endOf: endOfTime, compare: compareTimes };
const orders: Partial<Record<string, Order>> = { integer: integers, decimal: numbers, date: times, timestamp: times, timestamptz: times };

const backslash = 0x5c;
const minus = 0x2d;
const zero = 0x30;
/** Of so many digits a double is exact. */
const safeDigits = 15;
const longestCell = 1024;

/** A whole number of 16 to 30 digits in two doubles: comparing digit by digit takes three times as long. */
class LongInteger {
  #digits: number;
  /** The first 15 digits. */
  #high = 0;
  #low = 0;

  constructor(digits: number) {
    this.#digits = digits;
  }

  set(digits: number, high: number, low: number): void {
    this.#digits = digits;
    this.#high = high;
    this.#low = low;
  }

  isBefore(digits: number, high: number, low: number): boolean {
    if (this.#digits !== digits) return this.#digits < digits;
    return this.#high === high ? this.#low < low : this.#high < high;
  }

  isAfter(digits: number, high: number, low: number): boolean {
    if (this.#digits !== digits) return this.#digits > digits;
    return this.#high === high ? this.#low > low : this.#high > high;
  }

  /** Its digits; none if it was never set. */
  texts(): string[] {
    return this.#high === 0 ? [] : [`${this.#high}${String(this.#low).padStart(this.#digits - safeDigits, '0')}`];
  }
}

/** Follows the first column of the rows of a file. 10 to 55 ns a row; all columns would be ten times that, because their cells would have to be looked for. */
export class KeyRange {
  readonly #column: string;
  readonly #order: Order | undefined;
  readonly #isInteger: boolean;
  /** Integers of up to 15 digits, and of up to 30; all else is in #min and #max. */
  #least = Number.POSITIVE_INFINITY;
  #greatest = Number.NEGATIVE_INFINITY;
  readonly #leastLong = new LongInteger(Number.POSITIVE_INFINITY);
  readonly #greatestLong = new LongInteger(0);
  readonly #min = new Uint8Array(longestCell);
  readonly #max = new Uint8Array(longestCell);
  #minLength = 0;
  #maxLength = 0;
  #isUnknown = false;

  constructor({ columns: [first] }: Schema) {
    this.#column = first?.name ?? '';
    this.#order = first === undefined ? undefined : orders[first.type];
    this.#isInteger = first?.type === 'integer';
  }

  add({ bytes, rowEnds }: RecordBatch): void {
    if (this.#order === undefined || this.#isUnknown) return;
    let from = 0;
    for (let row = 0; row < rowEnds.length; row++) {
      if (bytes[from] !== backslash && !(this.#isInteger && this.#addShort(bytes, from))) this.#addAny(bytes, from, this.#order);
      from = rowEnds[row]!;
    }
  }

  /** False: the cell is longer, or something else. */
  #addShort(bytes: Uint8Array, from: number): boolean {
    const isNegative = bytes[from] === minus;
    const start = isNegative ? from + 1 : from;
    let value = 0;
    let high = 0;
    let at = start;
    for (; ; at++) {
      const digit = bytes[at]! - zero;
      if (digit < 0 || digit > 9) break;
      if (at - start === safeDigits) {
        high = value;
        value = 0;
      }
      value = value * 10 + digit;
    }
    const end = bytes[at];
    const digits = at - start;
    if ((end !== TAB && end !== LF) || digits === 0) return false;
    if (digits > safeDigits) {
      // Its first digit is not 0, so that what has more digits is greater.
      if (isNegative || digits > 2 * safeDigits || high < 10 ** (safeDigits - 1)) return false;
      if (this.#leastLong.isAfter(digits, high, value)) this.#leastLong.set(digits, high, value);
      if (this.#greatestLong.isBefore(digits, high, value)) this.#greatestLong.set(digits, high, value);
      return true;
    }
    if (isNegative) value = 0 - value;
    if (value < this.#least) this.#least = value;
    if (value > this.#greatest) this.#greatest = value;
    return true;
  }

  #addAny(bytes: Uint8Array, from: number, { endOf, compare }: Order): void {
    const to = endOf(bytes, from);
    if (to === -1 || to - from > longestCell) {
      this.#isUnknown = true;
      return;
    }
    const isFirst = this.#minLength === 0;
    if (isFirst || compare(bytes, from, to, this.#max, 0, this.#maxLength) > 0) {
      this.#maxLength = to - from;
      for (let at = from; at < to; at++) this.#max[at - from] = bytes[at]!;
      // What is greater than the greatest is not the least.
      if (!isFirst) return;
    }
    if (isFirst || compare(bytes, from, to, this.#min, 0, this.#minLength) < 0) {
      this.#minLength = to - from;
      for (let at = from; at < to; at++) this.#min[at - from] = bytes[at]!;
    }
  }

  /** undefined: the column is of another type, has no value but NULL, or one that is not in the order. */
  facts(): KeyFacts | undefined {
    if (this.#order === undefined || this.#isUnknown) return undefined;
    // Taken together here, and not row by row.
    const rest = [this.#least, this.#greatest].flatMap((one) => (Number.isFinite(one) ? [String(one)] : []));
    for (const text of [...rest, ...this.#leastLong.texts(), ...this.#greatestLong.texts()])
      this.#addAny(Buffer.from(`${text}\n`), 0, this.#order);
    if (this.#minLength === 0) return undefined;
    const textOf = (bytes: Uint8Array, length: number) => Buffer.from(bytes.subarray(0, length)).toString('latin1');
    return { column: this.#column, min: textOf(this.#min, this.#minLength), max: textOf(this.#max, this.#maxLength) };
  }
}
