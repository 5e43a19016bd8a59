/*
 * JSON in bytes, by RFC 8259: https://www.rfc-editor.org/rfc/rfc8259. Nothing is decoded, so numbers keep all their digits.
 */

export const quoteMark = 0x22;
export const openBrace = 0x7b;
export const closeBrace = 0x7d;
const [comma, colon, openBracket, closeBracket, backslash] = [0x2c, 0x3a, 0x5b, 0x5d, 0x5c];
const [minus, plus, point, zero, nine] = [0x2d, 0x2b, 0x2e, 0x30, 0x39];

/** What stands in a string. */
export const noEscapes = 0;
/** Only `\\ \n \r \t`, which packed rows write the same way. */
export const packedEscapes = 1;
export const otherEscapes = 2;

/** What a byte of a string means; 0 for those that are just text. */
const [closes, escapes, control] = [1, 2, 3];
const kinds = new Uint8Array(256).fill(control, 0, 0x20);
kinds[quoteMark] = closes;
kinds[backslash] = escapes;

/** For the letter behind a backslash: `packedEscapes` or `otherEscapes`; 0 if there is no such escape. */
const escapeKinds = new Uint8Array(256);
for (const letter of Buffer.from('\\nrt')) escapeKinds[letter] = packedEscapes;
for (const letter of Buffer.from('"/bfu')) escapeKinds[letter] = otherEscapes;
const letterU = 0x75;

const words = ['true', 'false', 'null'].map((word) => Buffer.from(word));

/** Finds the ends of values between two positions. */
export class JsonScanner {
  /** Of the string found last. */
  escapes = noEscapes;
  /** What closes the arrays and objects that are open. */
  readonly #open: number[] = [];

  /** Position of the quote that closes the string whose text starts at `at`; -1 if it is not JSON. */
  stringEnd(bytes: Uint8Array, at: number, to: number): number {
    this.escapes = noEscapes;
    for (; at < to; at++) {
      const kind = kinds[bytes[at]!]!;
      if (kind === 0) continue;
      if (kind === closes) return at;
      if (kind === control || ++at >= to) return -1;
      const letter = bytes[at]!;
      const escapeKind = escapeKinds[letter]!;
      if (escapeKind === 0) return -1;
      if (escapeKind > this.escapes) this.escapes = escapeKind;
      if (letter !== letterU) continue;
      if (at + 4 >= to) return -1;
      for (let digit = 0; digit < 4; digit++) if (!isHex(bytes[++at]!)) return -1;
    }
    return -1;
  }

  /** Position behind the value that starts at `at`; -1 if there is none. */
  valueEnd(bytes: Uint8Array, at: number, to: number): number {
    const byte = at < to ? bytes[at]! : -1;
    return byte === openBrace || byte === openBracket ? this.#nestedEnd(bytes, at, to) : this.#scalarEnd(bytes, at, to, byte);
  }

  #nestedEnd(bytes: Uint8Array, at: number, to: number): number {
    const open = this.#open;
    let depth = 0;
    for (;;) {
      const byte = at < to ? bytes[at]! : -1;
      if (byte === openBrace || byte === openBracket) {
        const closer = byte === openBrace ? closeBrace : closeBracket;
        at = skipBlanks(bytes, at + 1, to);
        if (at < to && bytes[at] === closer) at++;
        else {
          open[depth++] = closer;
          at = closer === closeBrace ? this.#keyEnd(bytes, at, to) : at;
          if (at === -1) return -1;
          continue;
        }
      } else {
        at = this.#scalarEnd(bytes, at, to, byte);
        if (at === -1) return -1;
      }
      // A value has ended; so may what it stands in.
      for (;;) {
        if (depth === 0) return at;
        const closer = open[depth - 1]!;
        at = skipBlanks(bytes, at, to);
        if (at >= to) return -1;
        if (bytes[at] === closer) {
          depth--;
          at++;
        } else if (bytes[at] === comma) {
          at = skipBlanks(bytes, at + 1, to);
          if (closer === closeBrace) at = this.#keyEnd(bytes, at, to);
          if (at === -1) return -1;
          break;
        } else return -1;
      }
    }
  }

  /** Start of the value behind the key that starts at `at`. */
  #keyEnd(bytes: Uint8Array, at: number, to: number): number {
    if (at >= to || bytes[at] !== quoteMark) return -1;
    const end = this.stringEnd(bytes, at + 1, to);
    return end === -1 ? -1 : valueStart(bytes, end + 1, to);
  }

  #scalarEnd(bytes: Uint8Array, at: number, to: number, byte: number): number {
    if (byte === quoteMark) {
      const end = this.stringEnd(bytes, at + 1, to);
      return end === -1 ? -1 : end + 1;
    }
    if (byte === minus || isDigit(byte)) return numberEnd(bytes, at, to);
    for (const word of words) {
      if (word[0] !== byte || at + word.length > to) continue;
      for (let i = 1; i < word.length; i++) if (bytes[at + i] !== word[i]) return -1;
      return at + word.length;
    }
    return -1;
  }
}

/** Position behind the number that starts at `at`; -1 if there is none. */
export function numberEnd(bytes: Uint8Array, at: number, to: number): number {
  if (at < to && bytes[at] === minus) at++;
  const first = at;
  at = digitsEnd(bytes, at, to);
  if (at === first || (bytes[first] === zero && at > first + 1)) return -1;
  if (at < to && bytes[at] === point) {
    const fraction = at + 1;
    at = digitsEnd(bytes, fraction, to);
    if (at === fraction) return -1;
  }
  // 0x20: e and E are one letter.
  if (at < to && (bytes[at]! | 0x20) === 0x65) {
    at++;
    if (at < to && (bytes[at] === plus || bytes[at] === minus)) at++;
    const exponent = at;
    at = digitsEnd(bytes, exponent, to);
    if (at === exponent) return -1;
  }
  return at;
}

/** Position of the first byte behind a colon, with blanks around it, that stands at `at`; -1 if there is none. */
export function valueStart(bytes: Uint8Array, at: number, to: number): number {
  const colonAt = skipBlanks(bytes, at, to);
  return colonAt < to && bytes[colonAt] === colon ? skipBlanks(bytes, colonAt + 1, to) : -1;
}

export function skipBlanks(bytes: Uint8Array, at: number, to: number): number {
  while (at < to && isBlank(bytes[at]!)) at++;
  return at;
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

function digitsEnd(bytes: Uint8Array, at: number, to: number): number {
  while (at < to && isDigit(bytes[at]!)) at++;
  return at;
}

function isDigit(byte: number): boolean {
  return byte >= zero && byte <= nine;
}

function isHex(byte: number): boolean {
  const letter = byte | 0x20;
  return isDigit(byte) || (letter >= 0x61 && letter <= 0x66);
}
