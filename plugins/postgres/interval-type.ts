const [month, day, hour, minute, second] = [1 << 1, 1 << 3, 1 << 10, 1 << 11, 1 << 12];

/**
 * Regular expression of the texts that an interval column keeps whole. `INTERVAL(3)` rounds seconds and `INTERVAL DAY TO MINUTE` drops
 * them, without an error: AdjustIntervalForTypmod in PostgreSQL's timestamp.c, where a type modifier is (fields << 16) | digits.
 */
export function intervalPattern(typmod: number): string {
  const fields = typmod < 0 ? 0x7fff : (typmod >> 16) & 0x7fff;
  const digits = typmod < 0 ? 6 : Math.min(6, typmod & 0xffff);
  // Any notation will do, as long as its digits fit; for the others the units count that PostgreSQL prints.
  if (fields === 0x7fff || fields & second) return `^[^.]*(?:\\.\\d{0,${digits}}0*(?!\\d)[^.]*)?$`;
  const time = fields & minute ? '[+-]?\\d+:\\d\\d:00' : fields & hour ? '[+-]?\\d+:00:00' : '00:00:00';
  const units = fields & (minute | hour | day) ? 'years?|mons?|days?' : fields & month ? 'years?|mons?' : 'years?';
  return `^(?:[+-]?\\d+ (?:${units})(?: |$))*(?:${time})?$`;
}
