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

/** In microseconds; zero days and months count as the first. */
function middleTime(low: string, high: string): string | undefined {
  const [from, to] = [microseconds(low), microseconds(high)];
  if (from === undefined || to === undefined) return undefined;
  const middle = (from + to) / 2n;
  if (middle <= from || middle >= to) return undefined;
  const rest = ((middle % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const text = new Date(Number((middle - rest) / 1000n)).toISOString().replace('T', ' ');
  if (low.length > 10) return `${text.slice(0, 19)}.${String(rest).padStart(6, '0')}`;
  return text.slice(0, 10) > low ? text.slice(0, 10) : undefined;
}

function microseconds(text: string): bigint | undefined {
  const [, year, month, day, hours = '0', minutes = '0', seconds = '0', rest = ''] =
    /^(\d+)-(\d+)-(\d+)(?: (\d+):(\d+):(\d+)(?:\.(\d+))?)?$/.exec(text) ?? [];
  if (year === undefined) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Math.max(0, Number(month) - 1), Math.max(1, Number(day)));
  date.setUTCHours(Number(hours), Number(minutes), Number(seconds));
  return BigInt(date.getTime()) * 1000n + BigInt(rest.padEnd(6, '0'));
}

/**
 * MariaDB sorts a UUID of version 1 to 5 by its last group first (sql/sql_type_uuid.h), so that those made in a row lie together, and all
 * others by their text, so that those of version 7 do. A probe has the version of its neighbours: with another one it would lie elsewhere.
 */
function middleUuid(low: string, high: string): string | undefined {
  const [from, to] = [sortedUuid(low), sortedUuid(high)];
  const hex = [...((BigInt(`0x${from}`) + BigInt(`0x${to}`)) / 2n).toString(16).padStart(32, '0')];
  const isTurned = isSortedFromItsEnd(low) || isSortedFromItsEnd(high);
  const version = (isSortedFromItsEnd(low) ? low : high)[14]!;
  if (version !== '0') {
    const [atVersion, atVariant] = isTurned ? [16, 12] : [12, 16];
    hex[atVersion] = version;
    hex[atVariant] = '89ab'[Number.parseInt(hex[atVariant]!, 16) % 4]!;
  }
  const middle = hex.join('');
  const groups = isTurned
    ? [middle.slice(24), middle.slice(20, 24), middle.slice(16, 20), middle.slice(12, 16), middle.slice(0, 12)]
    : [middle.slice(0, 8), middle.slice(8, 12), middle.slice(12, 16), middle.slice(16, 20), middle.slice(20)];
  const text = groups.join('-');
  return text === low ? undefined : text;
}

/** Of a version from 1 to 5, of the variant that RFC 4122 describes. */
function isSortedFromItsEnd(uuid: string): boolean {
  return /^.{14}[1-5].{4}[89a-f]/i.test(uuid);
}

/** In hexadecimal digits, as the server compares it. */
function sortedUuid(uuid: string): string {
  return isSortedFromItsEnd(uuid) ? uuid.split('-').reverse().join('') : uuid.replaceAll('-', '');
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
  return low < text && text < high ? text : undefined;
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
  const found = ranks(text);
  return isBelow(from, found) && isBelow(found, to) ? text : undefined;
}

function isBelow(one: readonly number[], other: readonly number[]): boolean {
  const at = sharedLength(one, other);
  return (one[at] ?? 0) < (other[at] ?? 0);
}

function sharedLength<T>(one: readonly T[], other: readonly T[]): number {
  const differing = one.findIndex((item, index) => item !== other[index]);
  return differing === -1 ? one.length : differing;
}
