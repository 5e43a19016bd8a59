/*
 * Days and microseconds since 1970-01-01 in the proleptic Gregorian calendar, as Parquet counts them, and their canonical texts. Years up to 0
 * are those before Christ: 0 is 1 BC.
 */

export const dayMicros = 86_400_000_000;

/** Days from 1970-01-01 to a date that exists. https://howardhinnant.github.io/date_algorithms.html#days_from_civil */
export function dayNumber(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

export interface Day {
  /** Without the era. */
  readonly text: string;
  readonly isBeforeChrist: boolean;
}

export function dayOf(number: number): Day {
  const shifted = number + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9);
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const isBeforeChrist = year <= 0;
  const digits = String(isBeforeChrist ? 1 - year : year).padStart(4, '0');
  return { text: `${digits}-${two(month)}-${two(day)}`, isBeforeChrist };
}

/** Time of day by the microseconds since midnight, without zeros at its end. */
export function clockText(micros: number): string {
  const fraction = micros % 1_000_000;
  const seconds = (micros - fraction) / 1_000_000;
  const clock = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return fraction === 0 ? clock : `${clock}.${String(fraction).padStart(6, '0').replace(/0+$/, '')}`;
}

const twoDigits = Array.from({ length: 100 }, (_, number) => String(number).padStart(2, '0'));

function two(number: number): string {
  return twoDigits[number] ?? String(number);
}

/** The day of the last call: rows that stand side by side often share it. */
let [lastNumber, lastDay] = [0, dayOf(0)];

/** @param zone behind the time: `+00`, or nothing */
export function timestampText(day: number, micros: number, zone: string): string {
  if (day !== lastNumber) [lastNumber, lastDay] = [day, dayOf(day)];
  return `${lastDay.text} ${clockText(micros)}${zone}${lastDay.isBeforeChrist ? ' BC' : ''}`;
}

export function dateText(day: number): string {
  const { text, isBeforeChrist } = dayOf(day);
  return isBeforeChrist ? `${text} BC` : text;
}
