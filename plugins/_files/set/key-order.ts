import { LF, TAB } from 'dray/sdk';

/*
 * Order of cells that are numbers or times, in their canonical texts (see LogicalType), by their bytes: a string per cell would cost more than all the rest.
 */

const minus = 0x2d;
const dot = 0x2e;
const zero = 0x30;
const colon = 0x3a;
const space = 0x20;

function isEnd(byte: number | undefined): boolean {
  return byte === TAB || byte === LF;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= zero && byte < colon;
}

/** End of a cell that is an optional minus and digits; -1: it is something else. */
export function endOfInteger(bytes: Uint8Array, from: number): number {
  const first = bytes[from] === minus ? from + 1 : from;
  let at = first;
  while (isDigit(bytes[at])) at++;
  return isEnd(bytes[at]) && at > first ? at : -1;
}

/** End of a cell that is an optional minus, digits, and perhaps a point and digits; -1: it is something else. */
export function endOfNumber(bytes: Uint8Array, from: number): number {
  let points = 0;
  const first = bytes[from] === minus ? from + 1 : from;
  let at = first;
  for (; ; at++) {
    const byte = bytes[at]!;
    if (byte >= zero && byte < colon) continue;
    if (byte !== dot || ++points > 1) break;
  }
  return isEnd(bytes[at]) && at - first > points ? at : -1;
}

/** As compareNumbers, and faster: of two that have the same length, no sign and no zero in front the bytes tell. */
export function compareIntegers(a: Uint8Array, aFrom: number, aTo: number, b: Uint8Array, bFrom: number, bTo: number): number {
  if (aTo - aFrom === bTo - bFrom && a[aFrom]! > zero && b[bFrom]! > zero) return compareBytes(a, aFrom, b, bFrom, aTo - aFrom);
  return compareNumbers(a, aFrom, aTo, b, bFrom, bTo);
}

/** Exact, whatever their length; -0, 0 and 0.00 are the same. */
export function compareNumbers(a: Uint8Array, aFrom: number, aTo: number, b: Uint8Array, bFrom: number, bTo: number): number {
  const isANegative = a[aFrom] === minus;
  const isBNegative = b[bFrom] === minus;
  const sizes = compareSizes(a, isANegative ? aFrom + 1 : aFrom, aTo, b, isBNegative ? bFrom + 1 : bFrom, bTo);
  if (isANegative && isBNegative) return -sizes;
  if (isANegative === isBNegative) return sizes;
  const areBothZero = sizes === 0 && isZero(a, isANegative ? aFrom + 1 : aFrom, aTo);
  if (areBothZero) return 0;
  return isANegative ? -1 : 1;
}

function compareSizes(a: Uint8Array, aFrom: number, aTo: number, b: Uint8Array, bFrom: number, bTo: number): number {
  const aStart = behindZeros(a, aFrom, aTo);
  const bStart = behindZeros(b, bFrom, bTo);
  const aPoint = pointIn(a, aStart, aTo);
  const bPoint = pointIn(b, bStart, bTo);
  const longer = aPoint - aStart - (bPoint - bStart);
  if (longer !== 0) return longer;
  for (let at = 0; at < aPoint - aStart; at++) {
    const difference = a[aStart + at]! - b[bStart + at]!;
    if (difference !== 0) return difference;
  }
  const places = Math.max(aTo - aPoint, bTo - bPoint);
  for (let place = 1; place < places; place++) {
    const difference = (aPoint + place < aTo ? a[aPoint + place]! : zero) - (bPoint + place < bTo ? b[bPoint + place]! : zero);
    if (difference !== 0) return difference;
  }
  return 0;
}

function behindZeros(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] === zero) at++;
  return at;
}

function pointIn(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] !== dot) at++;
  return at;
}

function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at] !== zero && bytes[at] !== dot) return false;
  return true;
}

/** End of a cell that is a day of the years 1 to 9999, and perhaps a time of the day: then the order of the bytes is that of the times. -1: it is something else. */
export function endOfTime(bytes: Uint8Array, from: number): number {
  if (bytes[from + 4] !== minus || bytes[from + 7] !== minus || !isDigit(bytes[from]) || !isDigit(bytes[from + 3])) return -1;
  if (isEnd(bytes[from + 10])) return isDigit(bytes[from + 9]) ? from + 10 : -1;
  if (bytes[from + 10] !== space) return -1;
  let at = from + 11;
  while (!isEnd(bytes[at])) at++;
  return at - from >= 19 && isDigit(bytes[at - 1]) ? at : -1;
}

/** Both of one type. A fraction comes behind none, because both + and the end of the text come before the point. */
export function compareTimes(a: Uint8Array, aFrom: number, aTo: number, b: Uint8Array, bFrom: number, bTo: number): number {
  return compareBytes(a, aFrom, b, bFrom, Math.min(aTo - aFrom, bTo - bFrom)) || aTo - aFrom - (bTo - bFrom);
}

function compareBytes(a: Uint8Array, aFrom: number, b: Uint8Array, bFrom: number, length: number): number {
  for (let at = 0; at < length; at++) {
    const difference = a[aFrom + at]! - b[bFrom + at]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
