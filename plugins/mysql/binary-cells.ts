import { type BinaryForm, type Column, DrayError } from 'dray/sdk';

/*
 * Cells of MySQL's text protocol in the binary forms of PostgreSQL: what its server would make of their text, without the text. Where a value has no such form (a zero date,
 * a time of more than a day, a number too big) the row is refused, and the task goes on as text, where such a value is told of.
 */

/**
 * Writes the length and the bytes of one cell; returns the position behind it. Room for its bytes and 30 more has been reserved.
 * @throws DrayError NOT_STRAIGHT
 */
export type CellEncoder = (target: Buffer, at: number, source: Buffer, from: number, to: number) => number;

/** undefined: values of this column cannot be brought into this form, or not without a look at how. */
export function encoderOf({ type, nativeType = '', mantissaBits, scale }: Column, form: BinaryForm): CellEncoder | undefined {
  const isOf = (...types: Column['type'][]) => types.includes(type);
  switch (form) {
    case 'bool':
      return isOf('integer') ? encodeBoolean : undefined;
    case 'int2':
      return isOf('integer') ? encodeInt2 : undefined;
    case 'int4':
      return isOf('integer') ? encodeInt4 : undefined;
    case 'int8':
      return isOf('integer') ? encodeInt8 : undefined;
    case 'float4':
      // Of a single that is printed as a double; other texts would be rounded twice.
      return isOf('double') && mantissaBits === 24 && scale === undefined ? encodeFloat4 : undefined;
    case 'float8':
      return isOf('double') ? encodeFloat8 : undefined;
    case 'numeric':
      return isOf('integer', 'decimal') ? encodeNumeric : undefined;
    case 'text':
      return isOf('json') || (isOf('string') && !nativeType.startsWith('bit')) ? encodeBytes : undefined;
    case 'bytea':
      return isOf('bytes') ? encodeBytes : undefined;
    case 'date':
      return isOf('date') ? encodeDate : undefined;
    case 'time':
      return isOf('time') ? encodeTime : undefined;
    case 'timestamp':
    case 'timestamptz':
      // Sessions on both sides are in UTC.
      return isOf('timestamp', 'timestamptz') ? encodeTimestamp : undefined;
    case 'uuid':
    case 'jsonb':
      return undefined;
  }
}

const [minus, point, zero, nine, colon] = [0x2d, 0x2e, 0x30, 0x39, 0x3a];
const twoTo32 = 2 ** 32;

function refused(why: string): DrayError {
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
function write8(target: Buffer, at: number, high: number, low: number): number {
  return write4(target, write4(target, write4(target, at, 8), high), low);
}

/** Digits as a number that is exact up to 15 of them. */
function digits(source: Buffer, from: number, to: number): number {
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
  // ZEROFILL.
  while (to - first > 15 && source[first] === zero) first++;
  if (to - first > 15) throw refused('a number that is too big');
  const value = digits(source, first, to);
  return start === from ? value : 0 - value;
}

function encodeBoolean(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  const value = smallInteger(source, from, to);
  if (value !== 0 && value !== 1) throw refused('a number that is no truth value');
  target[write4(target, at, 1)] = value;
  return at + 5;
}

function encodeInt2(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  const value = smallInteger(source, from, to);
  if (value < -0x8000 || value > 0x7fff) throw refused('a number that is too big');
  return write2(target, write4(target, at, 2), value);
}

function encodeInt4(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  const value = smallInteger(source, from, to);
  if (value < -0x8000_0000 || value > 0x7fff_ffff) throw refused('a number that is too big');
  return write4(target, write4(target, at, 4), value);
}

function encodeInt8(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  if (to - from > 15) {
    const value = BigInt(source.toString('latin1', from, to));
    if (BigInt.asIntN(64, value) !== value) throw refused('a number that is too big');
    return target.writeBigInt64BE(value, write4(target, at, 8));
  }
  const value = smallInteger(source, from, to);
  const high = Math.floor(value / twoTo32);
  return write8(target, at, high, value - high * twoTo32);
}

function encodeFloat4(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  return target.writeFloatBE(double(source, from, to), write4(target, at, 4));
}

function encodeFloat8(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  return target.writeDoubleBE(double(source, from, to), write4(target, at, 8));
}

const powersOfTen = Array.from({ length: 16 }, (_, power) => 10 ** power);

/** The nearest number. Up to 15 digits and their power of ten are exact as doubles, so that one division rounds once (Clinger, How to Read Floating Point Numbers Accurately). */
function double(source: Buffer, from: number, to: number): number {
  const isNegative = source[from] === minus;
  const start = isNegative ? from + 1 : from;
  if (to - start > 16) return Number(source.toString('latin1', from, to));
  let value = 0;
  let behindPoint = 0;
  for (let i = start; i < to; i++) {
    const byte = source[i]!;
    if (byte >= zero && byte <= nine) value = value * 10 + byte - zero;
    else if (byte === point && behindPoint === 0) behindPoint = to - i;
    else return Number(source.toString('latin1', from, to));
  }
  if (behindPoint > 0) value /= powersOfTen[behindPoint - 1]!;
  else if (to - start > 15) return Number(source.toString('latin1', from, to));
  return isNegative ? -value : value;
}

/** numeric_send (src/backend/utils/adt/numeric.c): digits to the base of 10,000, the weight of the first, the sign, and how many digits are shown behind the point. */
function encodeNumeric(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  const isNegative = source[from] === minus;
  let start = isNegative ? from + 1 : from;
  let end = start;
  while (end < to && source[end] !== point) end++;
  while (start < end && source[start] === zero) start++;
  const shown = Math.max(0, to - end - 1);
  const whole = (end - start + 3) >> 2;
  const groups = whole + ((shown + 3) >> 2);
  let next = write4(target, at, 8 + 2 * groups);
  next = write2(target, next, groups);
  next = write2(target, next, whole - 1);
  next = write2(target, next, isNegative ? 0x4000 : 0);
  next = write2(target, next, shown);
  for (let i = start, upTo = end - 4 * (whole - 1); i < end; i = upTo, upTo += 4) next = write2(target, next, digits(source, i, upTo));
  for (let i = end + 1; i < to; i += 4) {
    const upTo = Math.min(i + 4, to);
    next = write2(target, next, digits(source, i, upTo) * 10 ** (i + 4 - upTo));
  }
  return next;
}

function encodeBytes(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  let next = write4(target, at, to - from);
  // From some dozens of bytes on the native copy is faster.
  if (to - from > 40) return next + source.copy(target, next, from, to);
  for (let i = from; i < to; i++) target[next++] = source[i]!;
  return next;
}

/** Days of the year before each month. */
const daysBefore = [0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];
/** Days before 2000-01-01, counted from 0001-01-01. */
const epoch = 730_119;

/** The number of two digits. */
function two(source: Buffer, at: number): number {
  return source[at]! * 10 + source[at + 1]! - 11 * zero;
}

/** Days since 2000-01-01 of `YYYY-MM-DD`, in the Gregorian calendar that both servers count in. */
function daysOf(source: Buffer, from: number): number {
  if (source[from + 4] !== minus || source[from + 7] !== minus) throw refused('a date of another form');
  const year = two(source, from) * 100 + two(source, from + 2);
  const month = two(source, from + 5);
  const day = two(source, from + 8);
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (!(year > 0 && month > 0 && month < 13 && day > 0)) throw refused('a date that there is not');
  const before = daysBefore[month]!;
  if (day > daysBefore[month + 1]! - before + (isLeap && month === 2 ? 1 : 0)) throw refused('a date that there is not');
  const last = year - 1;
  const beforeYear = last * 365 + ((last / 4) | 0) - ((last / 100) | 0) + ((last / 400) | 0);
  return beforeYear + before + (isLeap && month > 2 ? 1 : 0) + day - 1 - epoch;
}

function encodeDate(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  if (to - from !== 10) throw refused('a date of another form');
  return write4(target, write4(target, at, 4), daysOf(source, from));
}

/** Whole seconds of `HH:MM:SS`. */
function secondsOf(source: Buffer, from: number, to: number): number {
  if (to - from < 8 || source[from + 2] !== colon || source[from + 5] !== colon) throw refused('a time of more than a day');
  const [hours, minutes, seconds] = [
    digits(source, from, from + 2),
    digits(source, from + 3, from + 5),
    digits(source, from + 6, from + 8),
  ];
  if (!(hours >= 0 && hours < 24 && minutes >= 0 && minutes < 60 && seconds >= 0 && seconds < 60))
    throw refused('a time that there is not');
  return hours * 3600 + minutes * 60 + seconds;
}

/** Of `.ffffff`, which may be missing. */
function microsOf(source: Buffer, from: number, to: number): number {
  return from >= to ? 0 : digits(source, from + 1, to) * 10 ** (6 - (to - from - 1));
}

function encodeTime(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  const micros = secondsOf(source, from, to) * 1_000_000 + microsOf(source, from + 8, to);
  const high = Math.floor(micros / twoTo32);
  return write8(target, at, high, micros - high * twoTo32);
}

/** Microseconds since 2000-01-01, of 64 bits. */
function encodeTimestamp(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  if (to - from < 19) throw refused('a time of another form');
  const seconds = daysOf(source, from) * 86_400 + secondsOf(source, from + 11, to);
  // 10^6 = 2^6 · 15625, so that seconds · 10^6 = (seconds >> 12) · 15625 · 2^18 + (seconds & 4095) · 10^6: no step is above 2^53.
  const upper = Math.floor(seconds / 4096);
  const scaled = upper * 15_625;
  const high = Math.floor(scaled / 16_384);
  const low = (scaled - high * 16_384) * 262_144 + (seconds - upper * 4096) * 1_000_000 + microsOf(source, from + 19, to);
  const carry = Math.floor(low / twoTo32);
  return write8(target, at, high + carry, low - carry * twoTo32);
}
