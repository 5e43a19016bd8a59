import { BACKSLASH } from 'dray/sdk';
import { decimalText, doubleText, integerText, isDecimal, isInteger } from '../text/numbers.ts';
import { isDate, isTimestamp, isTimestampInUtc, timestampText, timestamptzText, timeText } from '../text/times.ts';
import { dayMicros, dayNumber } from './days.ts';

/*
 * The physical values of packed cells that are not NULL; undefined if the column cannot hold them.
 */

const [minus, point, zero] = [0x2d, 0x2e, 0x30];
/** So many digits make a number that doubles hold exactly. */
const safeDigits = 15;
const [minInt64, maxInt64] = [-(2n ** 63n), 2n ** 63n - 1n];

function latin(bytes: Buffer, from: number, to: number): string {
  return bytes.toString('latin1', from, to);
}

export function parseBoolean(bytes: Buffer, from: number, to: number): boolean | undefined {
  const text = latin(bytes, from, to);
  return text === 'true' ? true : text === 'false' ? false : undefined;
}

export function parseInteger(bytes: Buffer, from: number, to: number): bigint | undefined {
  if (isInteger(bytes, from, to) && to - from <= safeDigits) return BigInt(digitsValue(bytes, from, to));
  const text = integerText(latin(bytes, from, to));
  return text === undefined ? undefined : within64(BigInt(text));
}

export function parseDouble(bytes: Buffer, from: number, to: number): number | undefined {
  const text = latin(bytes, from, to);
  if (isDecimal(bytes, from, to)) return Number(text);
  const number = doubleText(text);
  return number === undefined ? undefined : Number(number);
}

/** Values of `precision` digits, `scale` of them behind the point, as whole numbers of the last digit's unit. */
export function decimalParser(precision: number, scale: number): (bytes: Buffer, from: number, to: number) => bigint | undefined {
  const limit = 10n ** BigInt(precision);
  const powers = Array.from({ length: safeDigits + 1 }, (_, power) => 10 ** power);
  return (bytes, from, to) => {
    if (isDecimal(bytes, from, to)) {
      const digitCount = to - from;
      let pointAt = from;
      while (pointAt < to && bytes[pointAt] !== point) pointAt++;
      const fraction = Math.max(0, to - pointAt - 1);
      if (fraction <= scale && digitCount + scale - fraction <= safeDigits && digitCount + scale - fraction <= precision)
        return BigInt(digitsValue(bytes, from, to) * powers[scale - fraction]!);
    }
    const text = decimalText(latin(bytes, from, to));
    const match = text === undefined ? null : /^(-?\d+)(?:\.(\d*?)0*)?$/.exec(text);
    const [, whole = '', fraction = ''] = match ?? [];
    if (match === null || fraction.length > scale) return undefined;
    const value = BigInt(whole + fraction + '0'.repeat(scale - fraction.length));
    return value < limit && value > -limit ? value : undefined;
  };
}

/** The same as `length` bytes in two's complement, the highest first. */
export function decimalBytesParser(precision: number, scale: number, length: number) {
  const parse = decimalParser(precision, scale);
  return (bytes: Buffer, from: number, to: number): Uint8Array | undefined => {
    const value = parse(bytes, from, to);
    if (value === undefined) return undefined;
    return Buffer.from(
      BigInt.asUintN(length * 8, value)
        .toString(16)
        .padStart(length * 2, '0'),
      'hex',
    );
  };
}

/** Days since 1970. */
export function parseDate(bytes: Buffer, from: number, to: number): number | undefined {
  if (isDate(bytes, from, to)) return dayNumber(digitsValue(bytes, from, from + 4), pair(bytes, from + 5), pair(bytes, from + 8));
  const text = timestampText(latin(bytes, from, to));
  const found = text === undefined ? undefined : momentOf(text);
  return found?.micros === 0 && Math.abs(found.day) < 2 ** 31 ? found.day : undefined;
}

export function parseTimestamp(bytes: Buffer, from: number, to: number): bigint | undefined {
  if (isTimestamp(bytes, from, to)) return canonicalMoment(bytes, from, to);
  const text = timestampText(latin(bytes, from, to));
  return text === undefined ? undefined : microsOf(momentOf(text));
}

export function parseTimestamptz(bytes: Buffer, from: number, to: number): bigint | undefined {
  if (isTimestampInUtc(bytes, from, to)) return canonicalMoment(bytes, from, to - 3);
  const text = timestamptzText(latin(bytes, from, to));
  return text === undefined ? undefined : microsOf(momentOf(text.replace('+00', '')));
}

/** Microseconds since midnight; 24:00:00 and MySQL's longer times are no time of day. */
export function parseTime(bytes: Buffer, from: number, to: number): bigint | undefined {
  const match = /^(\d\d):(\d\d):(\d\d)(?:\.(\d+))?$/.exec(timeText(latin(bytes, from, to)) ?? '');
  if (match === null || Number(match[1]) > 23) return undefined;
  return BigInt(clockMicros(match[1]!, match[2]!, match[3]!, match[4]));
}

/** Takes the escapes out of a cell in place; returns the position behind the text. */
export function decodeText(bytes: Buffer, from: number, to: number): number {
  let end = from;
  while (end < to && bytes[end] !== BACKSLASH) end++;
  for (let at = end; at < to; at++) {
    const byte = bytes[at]!;
    bytes[end++] = byte === BACKSLASH ? unescaped(bytes[++at]!) : byte;
  }
  return end;
}

/** Puts the bytes that hexadecimal digits stand for in their place; returns the position behind them, or -1. */
export function decodeHex(bytes: Buffer, from: number, to: number): number {
  if ((to - from) % 2 === 0 || latin(bytes, from, from + 3) !== '\\\\x') return -1;
  let end = from;
  for (let at = from + 3; at < to; at += 2) {
    const byte = (hexDigit(bytes[at]!) << 4) | hexDigit(bytes[at + 1]!);
    if (byte < 0) return -1;
    bytes[end++] = byte;
  }
  return end;
}

function hexDigit(byte: number): number {
  if (byte >= zero && byte <= 0x39) return byte - zero;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function unescaped(letter: number): number {
  return letter === 0x74 ? 0x09 : letter === 0x6e ? 0x0a : letter === 0x72 ? 0x0d : letter;
}

/** Value of at most 15 digits, of which a point and a minus sign are left out. */
function digitsValue(bytes: Buffer, from: number, to: number): number {
  const isNegative = bytes[from] === minus;
  let value = 0;
  for (let at = isNegative ? from + 1 : from; at < to; at++) if (bytes[at] !== point) value = value * 10 + bytes[at]! - zero;
  return isNegative ? 0 - value : value;
}

function pair(bytes: Buffer, at: number): number {
  return bytes[at]! * 10 + bytes[at + 1]! - 11 * zero;
}

/** Of `YYYY-MM-DD HH:MM:SS[.ffffff]`. */
function canonicalMoment(bytes: Buffer, from: number, to: number): bigint {
  const day = dayNumber(digitsValue(bytes, from, from + 4), pair(bytes, from + 5), pair(bytes, from + 8));
  let fraction = 0;
  for (let at = from + 20; at < from + 26; at++) fraction = fraction * 10 + (at < to ? bytes[at]! - zero : 0);
  const seconds = pair(bytes, from + 11) * 3600 + pair(bytes, from + 14) * 60 + pair(bytes, from + 17);
  const micros = day * dayMicros + seconds * 1_000_000 + fraction;
  return Number.isSafeInteger(micros) ? BigInt(micros) : BigInt(day) * BigInt(dayMicros) + BigInt(seconds * 1_000_000 + fraction);
}

interface Moment {
  readonly day: number;
  readonly micros: number;
}

/** Of a canonical text of any year. Undefined for the infinite ones. */
function momentOf(text: string): Moment | undefined {
  const match = /^(\d+)-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d+))?( BC)?$/.exec(text);
  if (match === null) return undefined;
  const year = match[8] === undefined ? Number(match[1]) : 1 - Number(match[1]);
  return { day: dayNumber(year, Number(match[2]), Number(match[3])), micros: clockMicros(match[4]!, match[5]!, match[6]!, match[7]) };
}

function clockMicros(hours: string, minutes: string, seconds: string, fraction = ''): number {
  return (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1_000_000 + Number(fraction.padEnd(6, '0'));
}

function microsOf(moment: Moment | undefined): bigint | undefined {
  return moment === undefined ? undefined : within64(BigInt(moment.day) * BigInt(dayMicros) + BigInt(moment.micros));
}

function within64(value: bigint): bigint | undefined {
  return value >= minInt64 && value <= maxInt64 ? value : undefined;
}
