import { digits, powersOfTen, refused, twoTo32, write4, write8, writeWhole } from './binary-numbers.ts';

const [minus, plus, point, zero, colon, blank, letterT, letterZ] = [0x2d, 0x2b, 0x2e, 0x30, 0x3a, 0x20, 0x54, 0x5a];

/** Days of the year before each month. */
const daysBefore = [0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];
/** Days before 2000-01-01, counted from 0001-01-01. */
const epoch = 730_119;

/** The number of two digits. */
function two(source: Buffer, at: number): number {
  const tens = source[at]! - zero;
  const ones = source[at + 1]! - zero;
  if (!(tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9)) throw refused('a time of another form');
  return tens * 10 + ones;
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

/** A time of day may follow if it is midnight. */
export function encodeDate(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  if (to - from !== 10 && (timeOf(source, from, to) !== 0 || microsOf(source, from + 19, to) !== 0)) throw refused('a time of day');
  return write4(target, write4(target, at, 4), daysOf(source, from));
}

/** Whole seconds of `HH:MM:SS`. */
function secondsOf(source: Buffer, from: number, to: number): number {
  if (to - from < 8 || source[from + 2] !== colon || source[from + 5] !== colon) throw refused('a time of more than a day');
  const hours = two(source, from);
  const minutes = two(source, from + 3);
  const seconds = two(source, from + 6);
  if (hours > 23 || minutes > 59 || seconds > 59) throw refused('a time that there is not');
  return hours * 3600 + minutes * 60 + seconds;
}

/** The same of a date and a time. */
function timeOf(source: Buffer, from: number, to: number): number {
  const between = source[from + 10];
  if (between !== blank && between !== letterT) throw refused('a time of another form');
  return secondsOf(source, from + 11, to);
}

/** Of `.ffffff`, which may be missing. */
function microsOf(source: Buffer, from: number, to: number): number {
  if (from >= to) return 0;
  const count = to - from - 1;
  if (source[from] !== point || count < 1 || count > 6) throw refused('a time of another form');
  return digits(source, from + 1, to) * powersOfTen[6 - count]!;
}

export function encodeTime(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  return writeWhole(target, at, secondsOf(source, from, to) * 1_000_000 + microsOf(source, from + 8, to));
}

/** A date alone is its midnight. */
export function encodeTimestamp(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  const day = daysOf(source, from) * 86_400;
  if (to - from === 10) return writeMoment(target, at, day, 0);
  return writeMoment(target, at, day + timeOf(source, from, to), microsOf(source, from + 19, to));
}

/** The same with `Z`, or an offset of hours or hours and minutes, at its end, or nothing: then it is in UTC, as the session is. */
export function encodeInstant(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  if (to - from < 20) return encodeTimestamp(target, at, source, from, to);
  let end = to;
  let offset = 0;
  if (source[to - 1] === letterZ) end = to - 1;
  else if (isSign(source[to - 3]!)) {
    end = to - 3;
    offset = two(source, to - 2) * 3600;
  } else if (isSign(source[to - 6]!)) {
    if (source[to - 3] !== colon) throw refused('a time zone in another form');
    end = to - 6;
    const minutes = two(source, to - 2);
    if (minutes > 59) throw refused('a time zone that there is not');
    offset = two(source, to - 5) * 3600 + minutes * 60;
  }
  if (end - from < 19 || offset > mostOffset) throw refused('a time zone that there is not');
  const east = source[end] === minus ? -offset : offset;
  const seconds = daysOf(source, from) * 86_400 + timeOf(source, from, end) - east;
  return writeMoment(target, at, seconds, microsOf(source, from + 19, end));
}

/** Seconds from UTC at most. */
const mostOffset = 15 * 3600;

function isSign(byte: number): boolean {
  return byte === plus || byte === minus;
}

/** Microseconds since 2000-01-01, of 64 bits. */
function writeMoment(target: Buffer, at: number, seconds: number, micros: number): number {
  // 10^6 = 2^6 · 15625, so that seconds · 10^6 = (seconds >> 12) · 15625 · 2^18 + (seconds & 4095) · 10^6: no step is above 2^53.
  const upper = Math.floor(seconds / 4096);
  const scaled = upper * 15_625;
  const high = Math.floor(scaled / 16_384);
  const low = (scaled - high * 16_384) * 262_144 + (seconds - upper * 4096) * 1_000_000 + micros;
  const carry = Math.floor(low / twoTo32);
  return write8(target, at, high + carry, low - carry * twoTo32);
}
