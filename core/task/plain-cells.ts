/*
 * What most cells of a typed column are, told by their packed bytes: none becomes a string. A test that says no says nothing: then the text is looked at.
 */

/** True if the packed cell from `from` to `to`, which is not NULL, fits beyond doubt. */
export type PlainTest = (bytes: Uint8Array, from: number, to: number) => boolean;

const [minus, point, zero, nine, colon, blank, letterT, plus] = [0x2d, 0x2e, 0x30, 0x39, 0x3a, 0x20, 0x54, 0x2b];

function isDigit(byte: number): boolean {
  return byte >= zero && byte <= nine;
}

/** Digits with at most one point, of which at most `scale` stand behind it and `digits` in all. */
export function plainNumber({ scale, digits = Number.POSITIVE_INFINITY, mayBeNegative = true }: NumberWidth): PlainTest {
  return (bytes, from, to) => {
    let at = from;
    if (bytes[at] === minus) {
      if (!mayBeNegative) return false;
      at++;
    }
    const first = at;
    while (at < to && isDigit(bytes[at]!)) at++;
    if (at === to) return at > first && at - first <= digits;
    if (bytes[at] !== point || to - at - 1 > scale || to - first - 1 > digits) return false;
    for (at++; at < to; at++) if (!isDigit(bytes[at]!)) return false;
    return true;
  };
}

interface NumberWidth {
  readonly scale: number;
  readonly digits?: number;
  /** Numbers with a minus are taken, too; also a zero. */
  readonly mayBeNegative?: boolean;
}

/** `2026-03-01` */
export const plainDate: PlainTest = (bytes, from, to) => to - from === 10 && isDate(bytes, from);

/** `12:30:59.123`, with at most so many digits behind the point. */
export function plainTime(fractionDigits: number): PlainTest {
  return (bytes, from, to) => clockEnd(bytes, from, to, fractionDigits) === to;
}

/** A date, a blank or a T, and a time; with `hasZone` an offset of hours or hours and minutes may follow. */
export function plainTimestamp(fractionDigits: number, hasZone: boolean): PlainTest {
  return (bytes, from, to) => {
    if (to - from < 19 || !isDate(bytes, from)) return false;
    const between = bytes[from + 10];
    if (between !== blank && between !== letterT) return false;
    const end = clockEnd(bytes, from + 11, to, fractionDigits);
    return end === to || (hasZone && end !== -1 && isOffset(bytes, end, to));
  };
}

/** A text that has no more bytes than it may have characters or bytes, and no blank at its end if the column does not keep it. */
export function plainText(maxBytes: number, keepsBlanks: boolean): PlainTest {
  return (bytes, from, to) => to - from <= maxBytes && (keepsBlanks || to === from || bytes[to - 1] !== blank);
}

function isDate(bytes: Uint8Array, at: number): boolean {
  return (
    bytes[at + 4] === minus &&
    bytes[at + 7] === minus &&
    areTwoDigits(bytes, at) &&
    areTwoDigits(bytes, at + 2) &&
    areTwoDigits(bytes, at + 5) &&
    areTwoDigits(bytes, at + 8)
  );
}

function areTwoDigits(bytes: Uint8Array, at: number): boolean {
  return isDigit(bytes[at]!) && isDigit(bytes[at + 1]!);
}

/** Position behind `HH:MM:SS`, no leap second, and its fraction; -1 if that does not stand there. */
function clockEnd(bytes: Uint8Array, from: number, to: number, fractionDigits: number): number {
  if (to - from < 8 || bytes[from + 2] !== colon || bytes[from + 5] !== colon || bytes[from + 6]! > 0x35) return -1;
  if (!areTwoDigits(bytes, from) || !areTwoDigits(bytes, from + 3) || !areTwoDigits(bytes, from + 6)) return -1;
  let at = from + 8;
  if (at === to || bytes[at] !== point) return at;
  const first = ++at;
  while (at < to && isDigit(bytes[at]!)) at++;
  return at - first <= fractionDigits ? at : -1;
}

function isOffset(bytes: Uint8Array, from: number, to: number): boolean {
  if ((bytes[from] !== plus && bytes[from] !== minus) || !areTwoDigits(bytes, from + 1)) return false;
  return to - from === 3 || (to - from === 6 && bytes[from + 3] === colon && areTwoDigits(bytes, from + 4));
}
