import { endianness } from 'node:os';
import { DrayError } from './errors.ts';

/**
 * Writes the length and the bytes of one cell, whose text has no escapes; returns the position behind it. Room for its bytes and `binaryCellRoom` more has been reserved.
 * @throws DrayError NOT_STRAIGHT if it is not beyond doubt what the server would make of the text: a reader lets it fail the task, which then goes as text; packed by
 *   the task, the batch stays text
 */
export type CellEncoder = (target: Buffer, at: number, source: Buffer, from: number, to: number) => number;

const [minus, point, zero, nine] = [0x2d, 0x2e, 0x30, 0x39];
export const twoTo32 = 2 ** 32;
/** Of a double, the word with its lowest bits. */
const lowWord = endianness() === 'LE' ? 0 : 1;
/** Characters of the longest whole number of 64 bits. */
const longestInt8 = 20;
/** Numbers with more digits are left to the server. */
const longestNumeric = 1000;

export function refused(why: string): DrayError {
  return new DrayError('NOT_STRAIGHT', why);
}

/** Writes the lowest 16 or 32 bits, big-endian. */
function write2(target: Buffer, at: number, value: number): number {
  target[at] = value >> 8;
  target[at + 1] = value;
  return at + 2;
}

export function write4(target: Buffer, at: number, value: number): number {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
  return at + 4;
}

/** An integer of 64 bits from its halves; the lower one as a positive number. */
export function write8(target: Buffer, at: number, high: number, low: number): number {
  return write4(target, write4(target, write4(target, at, 8), high), low);
}

/** A whole number that is exact as a double, as an integer of 64 bits. */
export function writeWhole(target: Buffer, at: number, value: number): number {
  const high = Math.floor(value / twoTo32);
  return write8(target, at, high, value - high * twoTo32);
}

function isDigit(byte: number): boolean {
  return byte >= zero && byte <= nine;
}

/** Digits as a number that is exact up to 15 of them. */
export function digits(source: Buffer, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) {
    const digit = source[i]! - zero;
    if (digit < 0 || digit > 9) throw refused('a text that is no number');
    value = value * 10 + digit;
  }
  return value;
}

function smallInteger(source: Buffer, from: number, to: number): number {
  const start = source[from] === minus ? from + 1 : from;
  let first = start;
  // Zeros in front.
  while (to - first > 15 && source[first] === zero) first++;
  if (to - first > 15) throw refused('a number that is too big');
  if (to <= start) throw refused('a text that is no number');
  const value = digits(source, first, to);
  return start === from ? value : 0 - value;
}

export function encodeInt2(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  const value = smallInteger(source, from, to);
  if (value < -0x8000 || value > 0x7fff) throw refused('a number that is too big');
  return write2(target, write4(target, at, 2), value);
}

export function encodeInt4(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  const value = smallInteger(source, from, to);
  if (value < -0x8000_0000 || value > 0x7fff_ffff) throw refused('a number that is too big');
  return write4(target, write4(target, at, 4), value);
}

export function encodeInt8(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  if (to - from > longestInt8) throw refused('a number that is too big');
  if (to - from > 15) {
    for (let i = source[from] === minus ? from + 1 : from; i < to; i++) if (!isDigit(source[i]!)) throw refused('a text that is no number');
    const value = BigInt(source.toString('latin1', from, to));
    if (BigInt.asIntN(64, value) !== value) throw refused('a number that is too big');
    return target.writeBigInt64BE(value, write4(target, at, 8));
  }
  return writeWhole(target, at, smallInteger(source, from, to));
}

const doubles = new Float64Array(1);
const words = new Uint32Array(doubles.buffer);
/** Smallest single with all of its 24 bits, and smallest of all. */
const [leastNormalSingle, leastSingle] = [2 ** -126, 2 ** -149];

/** The server reads the text as a single at once. By way of a double it becomes the same, unless that lies right between two singles, where the text may not. */
export function encodeFloat4(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  const value = double(source, from, to);
  doubles[0] = value;
  const size = Math.abs(value);
  const isBetween = size < leastNormalSingle ? (size / leastSingle) % 1 === 0.5 : (words[lowWord]! & 0x1fff_ffff) === 0x1000_0000;
  const isOut = Number.isFinite(value) && (!Number.isFinite(Math.fround(value)) || (value !== 0 && Math.fround(value) === 0));
  if (isBetween || isOut) throw refused('a number that is no single');
  return target.writeFloatBE(value, write4(target, at, 4));
}

export function encodeFloat8(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  return target.writeDoubleBE(double(source, from, to), write4(target, at, 8));
}

export const powersOfTen = Array.from({ length: 16 }, (_, power) => 10 ** power);
const numeral = /^-?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|Infinity)$|^NaN$/;

/** The nearest number. Up to 15 digits and their power of ten are exact as doubles, so that one division rounds once (Clinger, How to Read Floating Point Numbers Accurately). */
function double(source: Buffer, from: number, to: number): number {
  const isNegative = source[from] === minus;
  const start = isNegative ? from + 1 : from;
  if (to - start > 16) return longDouble(source, from, to);
  let value = 0;
  let behindPoint = 0;
  for (let i = start; i < to; i++) {
    const byte = source[i]!;
    if (isDigit(byte)) value = value * 10 + byte - zero;
    else if (byte === point && behindPoint === 0) behindPoint = to - i;
    else return longDouble(source, from, to);
  }
  const digitCount = to - start - (behindPoint > 0 ? 1 : 0);
  if (digitCount < 1 || digitCount > 15) return longDouble(source, from, to);
  if (behindPoint > 0) value /= powersOfTen[behindPoint - 1]!;
  return isNegative ? -value : value;
}

function longDouble(source: Buffer, from: number, to: number): number {
  const text = source.toString('latin1', from, to);
  const value = Number(text);
  // The server refuses numbers beyond the largest double, or below the smallest.
  const isOut = (value === 0 && /^[^eE]*[1-9]/.test(text)) || (!Number.isFinite(value) && !/[yN]$/.test(text));
  if (isOut || !numeral.test(text)) throw refused('a text that is no number');
  return value;
}

/** numeric_send (src/backend/utils/adt/numeric.c): digits to the base of 10,000, the weight of the first, the sign, and how many digits are shown behind the point. */
export function encodeNumeric(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  const isNegative = source[from] === minus;
  let start = isNegative ? from + 1 : from;
  let end = start;
  while (end < to && source[end] !== point) end++;
  const shown = Math.max(0, to - end - 1);
  if (end - start + shown === 0 || to - from > longestNumeric) throw refused('a text that is no number');
  while (start < end && source[start] === zero) start++;
  const groupsBefore = (end - start + 3) >> 2;
  const groups = groupsBefore + ((shown + 3) >> 2);
  let next = write4(target, at, 8 + 2 * groups);
  next = write2(target, next, groups);
  next = write2(target, next, groupsBefore - 1);
  next = write2(target, next, isNegative ? 0x4000 : 0);
  next = write2(target, next, shown);
  for (let i = start, upTo = end - 4 * (groupsBefore - 1); i < end; i = upTo, upTo += 4)
    next = write2(target, next, digits(source, i, upTo));
  for (let i = end + 1; i < to; i += 4) {
    const upTo = Math.min(i + 4, to);
    next = write2(target, next, digits(source, i, upTo) * 10 ** (i + 4 - upTo));
  }
  return next;
}
