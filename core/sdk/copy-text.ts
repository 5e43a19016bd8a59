import { DrayError } from './errors.ts';

/*
 * PostgreSQL COPY text format, restricted to the escapes that both PostgreSQL COPY and MySQL LOAD DATA understand:
 * cells end with TAB, rows with LF, NULL is \N, and backslash, TAB, LF and CR within a cell are written \\ \t \n \r.
 * https://www.postgresql.org/docs/current/sql-copy.html (File Formats, Text Format)
 */

export const TAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const BACKSLASH = 0x5c;
const UPPER_N = 0x4e;

/** For each byte: 0, or the byte that follows the backslash when it is escaped. */
export const escapeOf = new Uint8Array(256);
escapeOf[TAB] = 0x74;
escapeOf[LF] = 0x6e;
escapeOf[CR] = 0x72;
escapeOf[BACKSLASH] = BACKSLASH;

/** Writes `\N` at `at`; returns the position behind it. */
export function writeNull(target: Uint8Array, at: number): number {
  target[at] = BACKSLASH;
  target[at + 1] = UPPER_N;
  return at + 2;
}

/**
 * Writes one cell's text escaped as UTF-8; returns the position behind it. The caller has reserved 3 bytes per UTF-16 unit.
 * @throws DrayError ROW_REJECTED for half of a surrogate pair, which UTF-8 cannot hold
 */
export function writeText(target: Uint8Array, at: number, text: string): number {
  const { length } = text;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) {
      const letter = escapeOf[unit]!;
      if (letter !== 0) {
        target[at++] = BACKSLASH;
        target[at++] = letter;
      } else target[at++] = unit;
    } else if (unit < 0x800) {
      target[at++] = 0xc0 | (unit >> 6);
      target[at++] = 0x80 | (unit & 0x3f);
    } else if (unit < 0xd800 || unit > 0xdfff) {
      target[at++] = 0xe0 | (unit >> 12);
      target[at++] = 0x80 | ((unit >> 6) & 0x3f);
      target[at++] = 0x80 | (unit & 0x3f);
    } else {
      const low = text.charCodeAt(++i);
      if (unit > 0xdbff || !(low >= 0xdc00 && low <= 0xdfff)) {
        throw new DrayError('ROW_REJECTED', 'a text holds half of a surrogate pair, which is not a character');
      }
      const point = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
      target[at++] = 0xf0 | (point >> 18);
      target[at++] = 0x80 | ((point >> 12) & 0x3f);
      target[at++] = 0x80 | ((point >> 6) & 0x3f);
      target[at++] = 0x80 | (point & 0x3f);
    }
  }
  return at;
}

/** Copies raw UTF-8 bytes as one escaped cell; returns the position behind it. The caller has reserved 2 bytes per byte. */
export function writeBytesAsText(target: Uint8Array, at: number, source: Uint8Array, from: number, to: number): number {
  for (let i = from; i < to; i++) {
    const byte = source[i]!;
    const letter = escapeOf[byte]!;
    if (letter !== 0) {
      target[at++] = BACKSLASH;
      target[at++] = letter;
    } else target[at++] = byte;
  }
  return at;
}

const hexDigits = new Uint8Array(Buffer.from('0123456789abcdef'));

/** Writes raw bytes as the canonical cell of type `bytes` (`\\x` + hex, its backslash escaped); reserve 2 bytes per byte, and 3. */
export function writeBytesAsHex(target: Uint8Array, at: number, source: Uint8Array, from: number, to: number): number {
  target[at++] = BACKSLASH;
  target[at++] = BACKSLASH;
  target[at++] = 0x78;
  for (let i = from; i < to; i++) {
    const byte = source[i]!;
    target[at++] = hexDigits[byte >> 4]!;
    target[at++] = hexDigits[byte & 15]!;
  }
  return at;
}

const unescaped: Record<string, string> = { t: '\t', n: '\n', r: '\r', '\\': '\\' };

/** The text of one escaped, non-NULL cell. */
export function readText(bytes: Buffer, from: number, to: number): string {
  const text = bytes.toString('utf8', from, to);
  if (!text.includes('\\')) return text;
  return text.replace(/\\(.)/g, (whole: string, letter: string) => {
    const plain = unescaped[letter];
    if (plain === undefined) throw new DrayError('INTERNAL', `a packed cell holds ${whole}, which is not one of the four escapes`);
    return plain;
  });
}

/** True where the bytes from `from` to `to` are the two that stand for NULL. */
export function isNullCell(bytes: Uint8Array, from: number, to: number): boolean {
  return to - from === 2 && bytes[from] === BACKSLASH && bytes[from + 1] === UPPER_N;
}
