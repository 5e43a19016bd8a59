import {
  type CellEncoder,
  encodeFloat4,
  encodeFloat8,
  encodeInt2,
  encodeInt4,
  encodeInt8,
  encodeNumeric,
  refused,
  write4,
} from './binary-numbers.ts';
import type { BinaryForm } from './binary-rows.ts';
import { encodeDate, encodeInstant, encodeTime, encodeTimestamp } from './binary-times.ts';
import type { Column } from './schema.ts';

/*
 * Cells of text in the binary forms of PostgreSQL: what its server would make of the text, without the text. Only texts of which that is beyond doubt are taken, in the
 * canonical form or one next to it; all others, and values that have no such form (a zero date, a time of more than a day, a number too big), are refused, and go as
 * text, where the server decides.
 */

/** More than a cell can take beside the bytes of its text: its length, and what a number or a time has more. */
export const binaryCellRoom = 30;

/**
 * How texts of a column are written in this form; undefined: values of this type cannot be brought into it, or not without a look at how. For readers that deliver binary
 * rows (`Reader.deliversForms`), and for tasks that pack texts of any origin.
 */
export function binaryEncoder({ type, mantissaBits, scale }: Column, form: BinaryForm): CellEncoder | undefined {
  const isOf = (...types: Column['type'][]) => types.includes(type);
  const isNumber = isOf('integer', 'decimal', 'double', 'string');
  switch (form) {
    case 'bool':
      return isOf('boolean', 'integer', 'string') ? encodeTruth : undefined;
    case 'int2':
      return isNumber ? encodeInt2 : undefined;
    case 'int4':
      return isNumber ? encodeInt4 : undefined;
    case 'int8':
      return isNumber ? encodeInt8 : undefined;
    case 'float4':
      // Texts of a single; those of doubles would have to be cut in a way that the text does not show.
      return isOf('string') || (isOf('double') && mantissaBits === 24 && scale === undefined) ? encodeFloat4 : undefined;
    case 'float8':
      return isNumber ? encodeFloat8 : undefined;
    case 'numeric':
      return isNumber ? encodeNumeric : undefined;
    case 'text':
      return encodeBytes;
    case 'bytea':
      return isOf('bytes') ? encodeHex : undefined;
    case 'date':
      return isOf('date', 'timestamp', 'string') ? encodeDate : undefined;
    case 'time':
      return isOf('time', 'string') ? encodeTime : undefined;
    case 'timestamp':
      return isOf('date', 'timestamp', 'string') ? encodeTimestamp : undefined;
    case 'timestamptz':
      // Sessions of the target are in UTC.
      return isOf('date', 'timestamp', 'timestamptz', 'string') ? encodeInstant : undefined;
    case 'uuid':
      return isOf('string') ? encodeUuid : undefined;
    case 'jsonb':
      return isOf('json', 'string') ? encodeJsonb : undefined;
  }
}

const [minus, backslash, letterX] = [0x2d, 0x5c, 0x78];

/** What texts of one letter say: those of PostgreSQL, and numbers. */
const truths: Readonly<Record<number, number>> = { [0x74]: 1, [0x31]: 1, [0x66]: 0, [0x30]: 0 };

function encodeTruth(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  const truth = to - from === 1 ? truths[source[from]!] : ['false', 'true'].indexOf(source.toString('latin1', from, to));
  if (truth === undefined || truth === -1) throw refused('a text that is no truth value');
  target[write4(target, at, 1)] = truth;
  return at + 5;
}

/** For readers whose sources deliver bytes, or texts, as they are. */
export function encodeBytes(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  let next = write4(target, at, to - from);
  // From some dozens of bytes on the native copy is faster.
  if (to - from > 40) return next + source.copy(target, next, from, to);
  for (let i = from; i < to; i++) target[next++] = source[i]!;
  return next;
}

/** What a byte is worth as a hex digit; 16: it is none. */
const hexValue = new Uint8Array(256).fill(16);
for (const [value, digit] of [...'0123456789abcdef'].entries()) {
  hexValue[digit.charCodeAt(0)] = value;
  hexValue[digit.toUpperCase().charCodeAt(0)] = value;
}

/** The byte of two hex digits. */
function hexByte(source: Buffer, at: number): number {
  const high = hexValue[source[at]!]!;
  const low = hexValue[source[at + 1]!]!;
  if (high > 15 || low > 15) throw refused('a text that is not hex');
  return (high << 4) | low;
}

/** `\x` and hex digits. */
function encodeHex(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  const length = (to - from - 2) / 2;
  const isHex = source[from] === backslash && source[from + 1] === letterX && length >= 0 && Number.isInteger(length);
  if (!isHex) throw refused('bytes in another form');
  let next = write4(target, at, length);
  for (let i = from + 2; i < to; i += 2) target[next++] = hexByte(source, i);
  return next;
}

/** Where a UUID has dashes, and how long it is. */
const [dashes, uuidLength] = [[8, 13, 18, 23], 36];

function encodeUuid(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  if (to - from !== uuidLength || !dashes.every((place) => source[from + place] === minus)) throw refused('a UUID in another form');
  let next = write4(target, at, 16);
  for (let i = from; i < to; i += 2) {
    if (dashes.includes(i - from)) i++;
    target[next++] = hexByte(source, i);
  }
  return next;
}

/** jsonb_recv (src/backend/utils/adt/jsonb.c): a version, and the text. */
function encodeJsonb(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  const next = write4(target, at, to - from + 1);
  target[next] = 1;
  return next + 1 + source.copy(target, next + 1, from, to);
}
