import { LF, type RecordBatch, type Schema, TAB } from 'dray/sdk';
import { compareNumbers, compareTimes, isNumber, isTime } from './key-order.ts';

/** Least and greatest value of a file's first column, which is its key more often than not, as the cells have them. */
export interface KeyFacts {
  readonly [key: string]: string;
  readonly column: string;
  readonly min: string;
  readonly max: string;
}

interface Order {
  /** Whether the cell is a value that has a place in the order; NaN, infinities and years before 1 or after 9999 have none. */
  readonly holds: (bytes: Uint8Array, from: number, to: number) => boolean;
  /** Negative if the first one is less. */
  readonly compare: (a: Uint8Array, aFrom: number, aTo: number, b: Uint8Array, bFrom: number, bTo: number) => number;
}

const numbers: Order = { holds: isNumber, compare: compareNumbers };
const times: Order = { holds: isTime, compare: compareTimes };
const orders: Partial<Record<string, Order>> = { integer: numbers, decimal: numbers, date: times, timestamp: times, timestamptz: times };

const backslash = 0x5c;
const minus = 0x2d;
const zero = 0x30;
/** Of so many digits a double is exact. */
const safeDigits = 15;
const longestCell = 1024;

/** Follows the first column of the rows of a file. 30 ns a row; all columns would be ten times that, because their cells would have to be looked for. */
export class KeyRange {
  readonly #column: string;
  readonly #order: Order | undefined;
  readonly #isInteger: boolean;
  /** Integers of up to 15 digits; all else is in #min and #max. */
  #least = Number.POSITIVE_INFINITY;
  #greatest = Number.NEGATIVE_INFINITY;
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
    let at = start;
    for (; ; at++) {
      const digit = bytes[at]! - zero;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    const end = bytes[at];
    if ((end !== TAB && end !== LF) || at === start || at - start > safeDigits) return false;
    if (isNegative) value = 0 - value;
    if (value < this.#least) this.#least = value;
    if (value > this.#greatest) this.#greatest = value;
    return true;
  }

  #addAny(bytes: Uint8Array, from: number, { holds, compare }: Order): void {
    let to = from;
    while (bytes[to] !== TAB && bytes[to] !== LF) to++;
    if (to - from > longestCell || !holds(bytes, from, to)) {
      this.#isUnknown = true;
      return;
    }
    if (this.#minLength === 0 || compare(bytes, from, to, this.#min, 0, this.#minLength) < 0) {
      this.#minLength = to - from;
      for (let at = from; at < to; at++) this.#min[at - from] = bytes[at]!;
    }
    if (this.#maxLength === 0 || compare(bytes, from, to, this.#max, 0, this.#maxLength) > 0) {
      this.#maxLength = to - from;
      for (let at = from; at < to; at++) this.#max[at - from] = bytes[at]!;
    }
  }

  /** undefined: the column is of another type, has no value but NULL, or one that is not in the order. */
  facts(): KeyFacts | undefined {
    if (this.#order === undefined || this.#isUnknown) return undefined;
    // Taken together here, and not row by row.
    for (const one of [this.#least, this.#greatest]) {
      if (!Number.isFinite(one)) continue;
      const text = Buffer.from(`${one}\n`);
      this.#addAny(text, 0, this.#order);
    }
    if (this.#minLength === 0) return undefined;
    const textOf = (bytes: Uint8Array, length: number) => Buffer.from(bytes.subarray(0, length)).toString('latin1');
    return { column: this.#column, min: textOf(this.#min, this.#minLength), max: textOf(this.#max, this.#maxLength) };
  }
}
