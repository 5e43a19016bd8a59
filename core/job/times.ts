import { z } from '../sdk/index.ts';

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, min: 60_000, h: 3_600_000 };

/** A length of time, seconds as a number or `90s`, `30m`, `2h`; in milliseconds. */
export function duration(error: string) {
  const pattern = /^(\d+(?:\.\d+)?)\s*(s|m|min|h)?$/;
  return z
    .union([z.number(), z.string()], { error })
    .refine((given) => pattern.test(String(given)) && Number.parseFloat(String(given)) > 0, { error })
    .transform((given) => {
      const [, number, unit = 's'] = pattern.exec(String(given))!;
      return Number(number) * units[unit]!;
    });
}

/** A time of day, the next one in the time zone of this machine, or a date and time (ISO 8601); in milliseconds as of Date.now(). */
export function moment(error: string) {
  return z
    .string()
    .transform((text) => momentOf(text, new Date()))
    .refine((at) => !Number.isNaN(at), { error });
}

/** @returns NaN if the text is neither */
export function momentOf(text: string, now: Date): number {
  const time = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text);
  if (time === null) return /^\d{4}-\d\d-\d\d[T ]/.test(text) ? Date.parse(text) : Number.NaN;
  // Not by adding 24 hours: the clocks may change in between, and today's time may be one that they leave out.
  const atDay = (days: number) =>
    new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, Number(time[1]), Number(time[2])).getTime();
  const today = atDay(0);
  return today > now.getTime() ? today : atDay(1);
}
