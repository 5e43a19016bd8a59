const [dash, colon, point, blank, zero] = [0x2d, 0x3a, 0x2e, 0x20, 0x30];

/** Value of two digits, or -1. */
function pair(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - zero;
  const ones = bytes[at + 1]! - zero;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}

/** True for `YYYY-MM-DD` of a day that exists. */
export function isDate(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from < 10 || bytes[from + 4] !== dash || bytes[from + 7] !== dash) return false;
  const century = pair(bytes, from);
  const year = pair(bytes, from + 2);
  return to - from === 10 && century >= 0 && year >= 0 && isDay(century * 100 + year, pair(bytes, from + 5), pair(bytes, from + 8));
}

function isClock(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from < 8 || bytes[from + 2] !== colon || bytes[from + 5] !== colon) return false;
  const hour = pair(bytes, from);
  const minute = pair(bytes, from + 3);
  const second = pair(bytes, from + 6);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return false;
  if (to - from === 8) return true;
  if (bytes[from + 8] !== point || to - from === 9 || to - from > 15) return false;
  for (let at = from + 9; at < to; at++) if (bytes[at]! < zero || bytes[at]! > 0x39) return false;
  return true;
}

/** True for `YYYY-MM-DD HH:MM:SS[.ffffff]`. */
export function isTimestamp(bytes: Uint8Array, from: number, to: number): boolean {
  return to - from >= 19 && bytes[from + 10] === blank && isDate(bytes, from, from + 10) && isClock(bytes, from + 11, to);
}

/** True for the same with `+00`. */
export function isTimestampInUtc(bytes: Uint8Array, from: number, to: number): boolean {
  return bytes[to - 3] === 0x2b && bytes[to - 2] === zero && bytes[to - 1] === zero && isTimestamp(bytes, from, to - 3);
}

export function isDay(year: number, month: number, day: number): boolean {
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  if (day <= 28) return true;
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= (month === 2 ? (isLeap ? 29 : 28) : month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31);
}

/** At most six digits of a second's fraction, with the point; undefined if digits would be lost. */
export function fractionText(digits: string | undefined): string | undefined {
  if (digits === undefined || digits === '') return '';
  return /^\d{1,6}0*$/.test(digits) ? `.${digits.slice(0, 6)}` : undefined;
}

const moment = /^(\d{4,6})-(\d{1,2})-(\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?)?(?: ?(Z|[+-]\d{2}(?::?\d{2})?))?( BC)?$/;
const never = /^\s*(-?infinity)\s*$/i;

interface Moment {
  readonly text: string;
  readonly zone: string | undefined;
  readonly isBeforeChrist: boolean;
}

function momentOf(source: string): Moment | undefined {
  const match = moment.exec(source.trim());
  if (match === null) return undefined;
  const [, year = '', month = '', day = '', hour = '0', minute = '00', second = '00', digits, zone, era] = match;
  const fraction = fractionText(digits);
  // Years before Christ are counted without a year 0, so year N BC is leap where N - 1 is.
  if (
    fraction === undefined ||
    Number(year) === 0 ||
    !isDay(era === undefined ? Number(year) : Number(year) + 399, Number(month), Number(day))
  )
    return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const date = `${year.replace(/^0+(?=\d{4})/, '')}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  return { text: `${date} ${hour.padStart(2, '0')}:${minute}:${second}${fraction}`, zone, isBeforeChrist: era !== undefined };
}

/** A date, with a time of day or without. */
export function timestampText(source: string): string | undefined {
  const endless = never.exec(source)?.[1];
  if (endless !== undefined) return endless.toLowerCase();
  const found = momentOf(source);
  if (found === undefined || found.zone !== undefined) return undefined;
  return found.isBeforeChrist ? `${found.text} BC` : found.text;
}

/** A date and time with an offset, which is brought to UTC. */
export function timestamptzText(source: string): string | undefined {
  const endless = never.exec(source)?.[1];
  if (endless !== undefined) return endless.toLowerCase();
  const found = momentOf(source);
  if (found === undefined || found.zone === undefined) return undefined;
  const minutes = offsetMinutes(found.zone);
  if (minutes === undefined) return undefined;
  if (minutes === 0) return `${found.text}+00${found.isBeforeChrist ? ' BC' : ''}`;
  const [date = '', clock = ''] = found.text.split(' ');
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number);
  const [hour = 0, minute = 0] = clock.split(':').map(Number);
  const inUtc = new Date(0);
  inUtc.setUTCFullYear(year, month - 1, day);
  inUtc.setUTCHours(hour, minute - minutes);
  if (found.isBeforeChrist || inUtc.getUTCFullYear() < 1) return undefined;
  const digits = (value: number, width = 2) => String(value).padStart(width, '0');
  const day_ = `${digits(inUtc.getUTCFullYear(), 4)}-${digits(inUtc.getUTCMonth() + 1)}-${digits(inUtc.getUTCDate())}`;
  return `${day_} ${digits(inUtc.getUTCHours())}:${digits(inUtc.getUTCMinutes())}${clock.slice(5)}+00`;
}

function offsetMinutes(zone: string): number | undefined {
  if (zone === 'Z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(3).replace(':', '') || '0')];
  if (hours > 15 || minutes > 59) return undefined;
  return (zone[0] === '-' ? -1 : 1) * (hours * 60 + minutes);
}

/** A time of day; MySQL's go from -838 to 838 hours. */
export function timeText(source: string): string | undefined {
  const match = /^(-?)(\d{1,3}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?$/.exec(source.trim());
  if (match === null) return undefined;
  const [, sign = '', hour = '', minute = '', second = '00', digits] = match;
  const fraction = fractionText(digits);
  if (fraction === undefined || Number(minute) > 59 || Number(second) > 59) return undefined;
  return `${sign}${hour.padStart(2, '0')}:${minute}:${second}${fraction}`;
}
