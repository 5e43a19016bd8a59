import { DrayError } from 'dray/sdk';

/** How far a zone is ahead of UTC at a moment; of Java's names GMT+8 and GMT-03:30, and those of the IANA data base. Undefined: UTC. */
export function offsetMs(zone: string | undefined, at: number): number {
  if (zone === undefined || /^(UTC|GMT|Z)$/i.test(zone)) return 0;
  const fixed = /^(?:GMT|UTC)([+-])(\d{1,2})(?::?(\d{2}))?$/i.exec(zone);
  if (fixed !== null) {
    const [, sign, hours, minutes = '0'] = fixed;
    return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  }
  try {
    const parts = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      dateStyle: 'short',
      timeStyle: 'medium',
    }).formatToParts(at);
    const part = (type: string) => Number(parts.find((one) => one.type === type)?.value);
    const year = new Date(at).getUTCFullYear();
    const local = (of: number) => Date.UTC(of, part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
    // The short style has two digits of the year, and the local year may be the one before or behind.
    const near = [year - 1, year, year + 1].map((of) => local(of) - Math.trunc(at / 1000) * 1000);
    return near.sort((a, b) => Math.abs(a) - Math.abs(b))[0]!;
  } catch (cause) {
    throw new DrayError('JOB_INVALID', `there is no time zone "${zone}"`, { cause, remedy: 'Write it as GMT+8 or Asia/Shanghai.' });
  }
}
