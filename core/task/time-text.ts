/*
 * Texts that are no dates or times of a typed column (from a file, say) but stand for one. Servers guess at what they do not know: they read
 * `20-1-5` and `010203` as dates of some century, `now` as the clock, and drop the zone of `12:00+02` where a column has none. What is not
 * one of the forms below is refused before they see it.
 */

const date = String.raw`(?:\d{4,}-\d{1,2}-\d{1,2}|\d{8})`;
/** Without leap seconds: 23:59:60 would become 24:00:00. */
const seconds = String.raw`[0-5]?\d(?:\.\d*)?`;
const clock = String.raw`\d{1,2}:\d{1,2}(?::${seconds})?(?: ?[AaPp][Mm])?|\d{4}[0-5]\d`;
const era = '(?: BC| AD)?';

const timestamp = new RegExp(`^(?:${date}(?:[ T](${clock}))?${era}|\\d{12}[0-5]\\d|-?infinity)$`);
const timestampInUtc = new RegExp(`^${date}[ T](${clock})(?:Z|[+-]00(?::?00)?)${era}$`);
const startsWithDate = new RegExp(`^(?:${date}(?!\\d)|\\d{14}(?!\\d)|-?infinity$)`);
const timeOfDay = new RegExp(`^-?\\d+:\\d\\d(?::${seconds})?(?: ?[AaPp][Mm])?$`);
const leapSecond = /:\d\d:60(?!\d)/;
const zoneBehindTime = /:\d\d(?:\.\d+)? ?(?:[+-]\d|[A-Za-z](?!C$))/;
const midnight = /^00:00(?::00(?:\.0*)?)?$|^000000$/;

const notADate = 'a text that is not a date with a year of four digits';

/** For a column of dates. */
export function dateFault(text: string): string | undefined {
  const match = timestamp.exec(text) ?? timestampInUtc.exec(text);
  if (match === null) return notADate;
  const isDay = match[1] === undefined ? !/^\d{14}$/.test(text) : midnight.test(match[1]);
  return isDay ? undefined : 'a time of day in a date column';
}

/** For a column of timestamps without time zone. */
export function timestampFault(text: string): string | undefined {
  if (timestamp.test(text)) return undefined;
  return startsWithDate.test(text) && zoneBehindTime.test(text) ? 'a time zone in a column without time zone' : notADate;
}

/** For a column of timestamps with time zone; which zones there are is the target's to say. */
export function instantFault(text: string): string | undefined {
  if (leapSecond.test(text)) return 'a leap second, which would become the next one';
  return startsWithDate.test(text) ? undefined : notADate;
}

/** For a column of times of day, or of MySQL's longer times. */
export function timeFault(text: string): string | undefined {
  return timeOfDay.test(text) ? undefined : 'a text that is not a time of day, or one with a time zone';
}
