import { escapeOf } from './copy-text.ts';
import type { Column } from './schema.ts';

/*
 * Rows of COPY text whose cells stand as a server takes them without any function around them. Canonical texts say of themselves what they are (`\\x3410`, `true`, `…+00`);
 * LOAD DATA would have the server compute the values, which is a seventh of all that it does for them. Rows and cells end as in COPY text, with the same escapes and `\N`.
 */

/**
 * What a column takes: `number` has truth values as 1 and 0, `timestamp` and `timestamptz` have no offset (they are in UTC), `bytes` are the bytes themselves, which need not be
 * UTF-8. `text`: the canonical text.
 */
export type BareForm = 'text' | 'number' | 'timestamp' | 'timestamptz' | 'bytes';

/** What becomes of a canonical text: it stays the `same`, a truth value becomes a `digit`, a time loses the `+00` behind it (`utc`), hex digits become the bytes (`raw`). */
export type BareCell = 'same' | 'digit' | 'utc' | 'raw';

/** How cells of a column stand in this form; undefined: its values have none. For readers that write bare rows (`Reader.deliversForms`), and for tasks that make them of text. */
export function bareCell({ type }: Column, form: BareForm): BareCell | undefined {
  switch (form) {
    case 'text':
      return 'same';
    case 'number':
      if (type === 'boolean') return 'digit';
      return type === 'integer' || type === 'decimal' || type === 'double' || type === 'string' ? 'same' : undefined;
    case 'timestamp':
      if (type === 'timestamptz') return 'utc';
      return type === 'timestamp' || type === 'date' || type === 'string' ? 'same' : undefined;
    case 'timestamptz':
      if (type === 'timestamptz' || type === 'string') return 'utc';
      return type === 'timestamp' || type === 'date' ? 'same' : undefined;
    case 'bytes':
      if (type === 'bytes') return 'raw';
      return type === 'string' || type === 'json' ? 'same' : undefined;
  }
}

const noDigit = 0xff;
const digitOf = new Uint8Array(256).fill(noDigit);
for (const [value, digit] of [...'0123456789abcdef'].entries())
  digitOf[digit.charCodeAt(0)] = digitOf[digit.toUpperCase().charCodeAt(0)] = value;

/**
 * Makes a packed cell of a canonical text, which is not NULL, a bare one, in its place.
 * @param from position of its first byte
 * @param to position behind its last one
 * @returns position behind what is now there, which is no longer; -1: it is no such text, and is not as it was
 */
export function makeBare(cell: Exclude<BareCell, 'same'>, bytes: Uint8Array, from: number, to: number): number {
  switch (cell) {
    case 'digit':
      return makeDigit(bytes, from, to);
    case 'utc':
      return withoutOffset(bytes, from, to);
    case 'raw':
      return makeRaw(bytes, from, to);
  }
}

const [zero, one, plus, backslash, letterX] = Buffer.from('01+\\x') as unknown as [number, number, number, number, number];
const [yes, no] = [Buffer.from('true'), Buffer.from('false')];

function isText(text: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[from + i] !== text[i]) return false;
  return true;
}

function makeDigit(bytes: Uint8Array, from: number, to: number): number {
  const isTrue = isText(yes, bytes, from, to);
  if (!isTrue && !isText(no, bytes, from, to)) return -1;
  bytes[from] = isTrue ? one : zero;
  return from + 1;
}

function endsInOffset(bytes: Uint8Array, from: number, to: number): boolean {
  return to - from >= 3 && bytes[to - 1] === zero && bytes[to - 2] === zero && bytes[to - 3] === plus;
}

/** A text without an offset is left as it is. */
function withoutOffset(bytes: Uint8Array, from: number, to: number): number {
  if (!endsInOffset(bytes, from, to)) return to;
  // "+00+00" is no time, and must not become one.
  return endsInOffset(bytes, from, to - 3) ? -1 : to - 3;
}

/** `\\x`, with its backslash escaped, and two digits for each byte. */
function makeRaw(bytes: Uint8Array, from: number, to: number): number {
  if ((to - from) % 2 === 0 || bytes[from] !== backslash || bytes[from + 1] !== backslash || bytes[from + 2] !== letterX) return -1;
  let out = from;
  for (let at = from + 3; at < to; at += 2) {
    const high = digitOf[bytes[at]!]!;
    const low = digitOf[bytes[at + 1]!]!;
    if ((high | low) === noDigit) return -1;
    const byte = (high << 4) | low;
    const letter = escapeOf[byte]!;
    if (letter === 0) bytes[out++] = byte;
    else {
      bytes[out++] = backslash;
      bytes[out++] = letter;
    }
  }
  return out;
}
