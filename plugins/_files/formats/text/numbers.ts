const [minus, point, zero, nine] = [0x2d, 0x2e, 0x30, 0x39];

/** True for digits without a leading zero, and a minus where needed. */
export function isInteger(bytes: Uint8Array, from: number, to: number): boolean {
  return numberEnd(bytes, from, to) === to;
}

/** True for an integer, or one with digits behind a point. */
export function isDecimal(bytes: Uint8Array, from: number, to: number): boolean {
  let at = numberEnd(bytes, from, to);
  if (at === to || at === -1) return at === to;
  if (bytes[at++] !== point || at === to) return false;
  while (at < to && isDigit(bytes[at]!)) at++;
  return at === to;
}

const isDigit = (byte: number) => byte >= zero && byte <= nine;

/** Position behind the whole part; -1 if there is none in its canonical form, or if the number may be a negative zero. */
function numberEnd(bytes: Uint8Array, from: number, to: number): number {
  const first = bytes[from] === minus ? from + 1 : from;
  let at = first;
  while (at < to && isDigit(bytes[at]!)) at++;
  if (at === first || (bytes[first] === zero && (at > first + 1 || first > from))) return -1;
  return at;
}

const numeral = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,9}))?$/;
/** Digits that an exponent may add, as many as the biggest double has. */
const maxExponent = 400;

/** Room for a cell's canonical text beside twice its bytes: the digits that an exponent stands for, the time of a date. */
export const canonicalBytes = 1300;

/** The same number in plain notation, without a plus sign, leading zeros and an exponent. */
export function decimalText(text: string): string | undefined {
  const special = notANumber(text);
  if (special !== undefined) return special;
  const match = numeral.exec(text.trim());
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  if (whole === '' && fraction === '') return undefined;
  const shift = Number(exponent);
  if (Math.abs(shift) > maxExponent) return undefined;
  const digits = '0'.repeat(Math.max(0, -shift - whole.length)) + whole + fraction + '0'.repeat(Math.max(0, shift - fraction.length));
  const split = Math.max(0, whole.length + shift);
  const left = digits.slice(0, split).replace(/^0+(?=\d)/, '') || '0';
  const right = digits.slice(split);
  const isZero = !/[1-9]/.test(digits);
  return `${sign === '-' && !isZero ? '-' : ''}${left}${right === '' ? '' : `.${right}`}`;
}

/** The same number without fraction; undefined if it has one. */
export function integerText(text: string): string | undefined {
  const plain = decimalText(text);
  if (plain === undefined) return undefined;
  const match = /^(-?\d+)(?:\.0*)?$/.exec(plain);
  return match?.[1];
}

/** Digits are kept as they are: what reads the text finds the same double in it. */
export function doubleText(text: string): string | undefined {
  const special = notANumber(text);
  if (special !== undefined) return special;
  const trimmed = text.trim();
  const match = numeral.exec(trimmed);
  if (match === null || (match[2] === '' && (match[3] ?? '') === '') || !Number.isFinite(Number(trimmed))) return undefined;
  const [, sign, whole, fraction, exponent] = match;
  return `${sign === '-' ? '-' : ''}${whole || '0'}${fraction ? `.${fraction}` : ''}${exponent === undefined ? '' : `e${exponent}`}`;
}

function notANumber(text: string): string | undefined {
  const match = /^\s*([+-]?)(nan|inf|infinity)\s*$/i.exec(text);
  if (match === null) return undefined;
  if (match[2]!.toLowerCase() === 'nan') return 'NaN';
  return match[1] === '-' ? '-Infinity' : 'Infinity';
}
