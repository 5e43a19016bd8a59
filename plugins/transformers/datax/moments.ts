/** A day, with a time of day or without, with an offset or without. */
const moment = /^(\d{4,6})-(\d{2})-(\d{2})(?:[ T](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?)?(Z|[+-]\d{2}(?::?\d{2})?)?( BC)?$/;

/**
 * Microseconds since 1970 in UTC; exact for the years up to 2255, and in order beyond. Digits alone are milliseconds, as in DataX.
 * @returns undefined if it is none
 */
export function momentOf(text: string): number | undefined {
  if (/^-?\d+$/.test(text)) return 1000 * Number(text);
  if (/^-?infinity$/i.test(text)) return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const match = moment.exec(text);
  if (match === null) return undefined;
  const [, year = '', month, day, hour = '0', minute = '0', second = '0', fraction = '', zone, era] = match;
  const at = new Date(0);
  at.setUTCFullYear(era === undefined ? Number(year) : 1 - Number(year), Number(month) - 1, Number(day));
  at.setUTCHours(Number(hour), Number(minute) - minutesOf(zone), Number(second));
  return 1000 * at.getTime() + Number(fraction.padEnd(6, '0'));
}

function minutesOf(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0;
  const minutes = 60 * Number(zone.slice(1, 3)) + Number(zone.slice(3).replace(':', '') || '0');
  return zone.startsWith('-') ? -minutes : minutes;
}

/** Microseconds of a time of day, which in MySQL may be negative or longer than a day. Digits alone are milliseconds. */
export function timeOfDay(text: string): number | undefined {
  if (/^-?\d+$/.test(text)) return 1000 * Number(text);
  const match = /^(-?)(\d{1,3}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?$/.exec(text);
  if (match === null) return undefined;
  const [, sign, hour, minute, second = '0', fraction = ''] = match;
  const time = 1e6 * (3600 * Number(hour) + 60 * Number(minute) + Number(second)) + Number(fraction.padEnd(6, '0'));
  return sign === '-' ? -time : time;
}
