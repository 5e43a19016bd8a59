import type { KeyKind } from 'dray/sdk';

/** Ranks of characters in the order of a column's collation; characters that it takes for equal have the same one. */
export interface Alphabet {
  /** From 1; 0 is the end of a text. */
  readonly rankOf: ReadonlyMap<string, number>;
  /** A character of each rank; the first is unused. */
  readonly characters: readonly string[];
}

/** Characters that a probe may be longer than what its two ends have in common. */
const probeLength = 10;

/**
 * A text near the middle of two values of a key's column, undefined if there is none. It only says where to look: the server then finds the
 * real values next to it, and compares them, so a probe at a bad place costs evenness and never a row.
 */
export function middleOf(kind: KeyKind, low: string, high: string, alphabet: Alphabet): string | undefined {
  switch (kind) {
    case 'integer':
      return middleNumber(low, high, 0);
    case 'decimal':
      return middleNumber(low, high, Math.max(fraction(low).length, fraction(high).length));
    case 'date':
    case 'timestamp':
      return middleTime(low, high);
    case 'uuid':
      return middleUuid(low, high);
    case 'bytes':
      return middleBytes(low, high);
    case 'string':
    case 'other':
    case 'blocks':
      return middleText(low, high, alphabet);
  }
}

function fraction(text: string): string {
  return text.split('.')[1] ?? '';
}

function middleNumber(low: string, high: string, scale: number): string | undefined {
  const [from, to] = [scaled(low, scale), scaled(high, scale)];
  const middle = from + (to - from) / 2n;
  if (middle <= from || middle >= to) return undefined;
  const digits = String(middle < 0n ? -middle : middle).padStart(scale + 1, '0');
  const at = digits.length - scale;
  return `${middle < 0n ? '-' : ''}${digits.slice(0, at)}${scale === 0 ? '' : `.${digits.slice(at)}`}`;
}

function scaled(text: string, scale: number): bigint {
  const [whole = '0'] = text.split('.');
  const digits = BigInt(`${whole.replace('-', '')}${fraction(text).padEnd(scale, '0')}`);
  return whole.startsWith('-') ? -digits : digits;
}

/** In milliseconds; zero days and months count as the first. */
function middleTime(low: string, high: string): string | undefined {
  const [from, to] = [milliseconds(low), milliseconds(high)];
  const middle = Math.floor((from + to) / 2);
  if (!Number.isFinite(middle) || middle <= from || middle >= to) return undefined;
  const text = new Date(middle).toISOString().replace('T', ' ').replace('Z', '');
  return low.length <= 10 ? text.slice(0, 10) : text;
}

function milliseconds(text: string): number {
  const [year = 0, month = 0, day = 0, hours = 0, minutes = 0, seconds = 0] = text.split(/[-: ]/).map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year, Math.max(0, month - 1), Math.max(1, day));
  return date.getTime() + ((hours * 60 + minutes) * 60 + seconds) * 1000;
}

/** MariaDB sorts a UUID by its last group first (sql/sql_type_uuid.h), so that those made in a row lie together. */
function middleUuid(low: string, high: string): string | undefined {
  const number = (text: string) => BigInt(`0x${text.split('-').reverse().join('')}`);
  const [from, to] = [number(low), number(high)].sort((one, other) => (one < other ? -1 : 1)) as [bigint, bigint];
  const hex = ((from + to) / 2n).toString(16).padStart(32, '0');
  const groups = [hex.slice(24), hex.slice(20, 24), hex.slice(16, 20), hex.slice(12, 16), hex.slice(0, 12)];
  const text = groups.join('-');
  return text === low ? undefined : text;
}

function middleBytes(low: string, high: string): string | undefined {
  const shared = sharedLength([...low], [...high]) & ~1;
  const part = (hex: string) => BigInt(`0x0${hex.slice(shared, shared + 2 * probeLength).padEnd(2 * probeLength, '0')}`);
  const middle = (part(low) + part(high)) / 2n;
  const text =
    low.slice(0, shared) +
    middle
      .toString(16)
      .toUpperCase()
      .padStart(2 * probeLength, '0');
  return text === low ? undefined : text;
}

/** Texts as numbers whose digits are the ranks of their characters. */
function middleText(low: string, high: string, { rankOf, characters }: Alphabet): string | undefined {
  const ranks = (text: string) => [...text].map((character) => rankOf.get(character) ?? 0);
  const [from, to] = [ranks(low), ranks(high)];
  const shared = sharedLength(from, to);
  const base = BigInt(characters.length);
  const number = (digits: readonly number[]) => {
    let value = 0n;
    for (let at = shared; at < shared + probeLength; at++) value = value * base + BigInt(digits[at] ?? 0);
    return value;
  };
  let middle = (number(from) + number(to)) / 2n;
  const digits: number[] = [];
  for (let at = 0; at < probeLength; at++) {
    digits.unshift(Number(middle % base));
    middle /= base;
  }
  const end = digits.indexOf(0);
  const tail = (end === -1 ? digits : digits.slice(0, end)).map((rank) => characters[rank]!).join('');
  const text = [...low].slice(0, shared).join('') + tail;
  return text === low || text === '' ? undefined : text;
}

function sharedLength<T>(one: readonly T[], other: readonly T[]): number {
  const differing = one.findIndex((item, index) => item !== other[index]);
  return differing === -1 ? one.length : differing;
}
