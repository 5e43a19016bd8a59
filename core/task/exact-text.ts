/*
 * Exactness of numbers and times, decided on their text: no value is rounded to find out whether it would be.
 */

interface Decimal {
  readonly digits: string;
  /** Power of ten of the last digit. */
  readonly exponent: number;
  readonly isNegative: boolean;
}

const numeral = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

/** Digits without zeros at either end; undefined if the text is not a number. */
function decimalOf(text: string): Decimal | undefined {
  const match = numeral.exec(text.trim());
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', power = '0'] = match;
  if (whole === '' && fraction === '') return undefined;
  const all = (whole + fraction).replace(/^0+/, '');
  const digits = all.replace(/0+$/, '');
  if (digits === '') return { digits: '', exponent: 0, isNegative: sign === '-' };
  return { digits, exponent: Number(power) - fraction.length + (all.length - digits.length), isNegative: sign === '-' };
}

function isSameNumber(a: Decimal, text: string): boolean {
  const b = decimalOf(text);
  return b !== undefined && a.digits === b.digits && a.exponent === b.exponent && (a.isNegative === b.isNegative || a.digits === '');
}

/** The smallest scale that holds the number: 2 for 1.50, -2 for 1200, -Infinity for 0 and for what is not a number. */
export function scaleOf(text: string): number {
  const decimal = decimalOf(text);
  return decimal === undefined || decimal.digits === '' ? Number.NEGATIVE_INFINITY : 0 - decimal.exponent;
}

/** True for -0 in any notation. */
export function isNegativeZero(text: string): boolean {
  return text.startsWith('-') && decimalOf(text)?.digits === '';
}

/** True if a double-precision number prints as this number again, or the text is no finite number. */
export function isExactDouble(text: string): boolean {
  const decimal = decimalOf(text);
  if (decimal === undefined) return true;
  if (decimal.digits.length <= 15 && isInFullPrecision(decimal)) return true;
  return isSameNumber(decimal, String(Number(text))) || isSameNumber(decimal, expansionOf(Number(text)));
}

/**
 * True also for other texts that a program may print for a double: its rounding to at most 17 digits. PostgreSQL prints 1e23 as
 * 9.999999999999999e+22, and %.17g prints 0.1 as 0.10000000000000001.
 */
export function isPrintedDouble(text: string): boolean {
  if (isExactDouble(text)) return true;
  const digitCount = decimalOf(text)?.digits.length ?? 0;
  return digitCount >= 1 && digitCount <= 17 && isSameNumber(decimalOf(text)!, Number(text).toPrecision(digitCount));
}

/** Between the smallest normal and the largest double, with some room: there 15 digits always come back. */
function isInFullPrecision({ digits, exponent }: Decimal): boolean {
  const magnitude = digits.length + exponent;
  return digits === '' || (magnitude > -300 && magnitude < 308);
}

/** True if a single-precision number prints as this number again, or is it exactly, or the text is no finite number. */
export function isExactSingle(text: string): boolean {
  const decimal = decimalOf(text);
  if (decimal === undefined) return true;
  const single = Math.fround(Number(text));
  // Out of range: the target says so itself.
  if (!Number.isFinite(single)) return true;
  if (single === 0) return decimal.digits === '';
  // Nine digits always suffice; the smallest singles have less than one.
  for (let precision = 1; precision <= 9; precision++) {
    const printed = single.toPrecision(precision);
    if (Math.fround(Number(printed)) === single && isSameNumber(decimal, printed)) return true;
  }
  return isSameNumber(decimal, String(single)) || isSameNumber(decimal, expansionOf(single));
}

/** All digits of a whole number that doubles print with an exponent or rounded; other numbers as they print. */
function expansionOf(value: number): string {
  return Number.isInteger(value) ? BigInt(value).toString() : String(value);
}

/** Digits of the fraction of seconds, without trailing zeros: 4 for `12:00:00.120300+00`. */
export function secondsFractionOf(text: string): number {
  const fraction = /:\d\d\.(\d+)/.exec(text)?.[1];
  return fraction === undefined ? 0 : fraction.replace(/0+$/, '').length;
}
