import { BACKSLASH, DrayError, LF, type RecordBatch, type Schema, TAB } from 'dray/sdk';
import type { FileEncoder } from '../format.ts';
import { JsonScanner, numberEnd, quoteMark } from './json-scanner.ts';

const nothing = Buffer.alloc(0);

/** How a column's cells stand in a line. */
type Form = 'number' | 'boolean' | 'json' | 'text';

/** What a byte of a packed cell means; 0 for those that are just text. Packed rows escape backslash, TAB, LF and CR like JSON does. */
const [cellEnds, escapes, quoted, control] = [1, 2, 3, 4];
const kinds = new Uint8Array(256).fill(control, 0, 0x20);
kinds[TAB] = cellEnds;
kinds[LF] = cellEnds;
kinds[BACKSLASH] = escapes;
kinds[quoteMark] = quoted;

const hexDigits = Buffer.from('0123456789abcdef');
const [letterN, letterR, letterT, letterNull, letterU, blank, zero, closeBrace] = [0x6e, 0x72, 0x74, 0x4e, 0x75, 0x20, 0x30, 0x7d];
const nullWord = Buffer.from('null');

/** Control characters that the usual room, 2 bytes per byte, leaves space for. */
const spareControls = 1024;

/** Turns packed rows into lines of JSON, byte by byte; no cell becomes a string. */
export class JsonEncoder implements FileEncoder {
  readonly #forms: readonly Form[];
  /** What stands before each cell: `{"a":`, `,"b":`. */
  readonly #keys: readonly Buffer[];
  readonly #keyBytes: number;
  readonly #scanner = new JsonScanner();
  /** Used in turn: while the bytes of one are on their way, the next batch goes into the other. */
  readonly #targets: [Buffer, Buffer] = [nothing, nothing];
  #turn: 0 | 1 = 0;
  #target: Buffer = nothing;

  constructor({ columns }: Schema) {
    this.#forms = columns.map(({ type }) => {
      if (type === 'integer' || type === 'decimal' || type === 'double') return 'number';
      return type === 'boolean' || type === 'json' ? type : 'text';
    });
    this.#keys = columns.map(({ name }, index) => Buffer.from(`${index === 0 ? '{' : ','}${JSON.stringify(name)}:`));
    this.#keyBytes = this.#keys.reduce((sum, { length }) => sum + length, 0);
  }

  start(): Buffer {
    return nothing;
  }

  encode(batch: RecordBatch): Buffer {
    let end = this.#run(batch, 2);
    // So many control characters that each byte may become \u0000.
    if (end === -1) end = this.#run(batch, 6);
    this.#turn = this.#turn === 0 ? 1 : 0;
    return this.#target.subarray(0, end);
  }

  end(): Buffer {
    return nothing;
  }

  /** Returns how many bytes it wrote, or -1 if `growth` times the bytes of the cells are not enough. */
  #run(batch: RecordBatch, growth: number): number {
    const { bytes, rowCount } = batch;
    const columnCount = this.#forms.length;
    // 4: the quotes of a cell, or a NULL that grows by two.
    const room = bytes.length * growth + rowCount * (this.#keyBytes + 2 + 4 * columnCount) + 4 * spareControls;
    if (this.#targets[this.#turn]!.length < room) this.#targets[this.#turn] = Buffer.allocUnsafeSlow(room);
    const target = this.#targets[this.#turn]!;
    this.#target = target;
    const { length } = bytes;
    let spare = growth === 2 ? spareControls : Number.POSITIVE_INFINITY;
    let at = 0;
    let out = 0;
    for (let row = 0; at < length; row++) {
      for (let column = 0; column < columnCount; column++) {
        const key = this.#keys[column]!;
        for (let i = 0; i < key.length; i++) target[out++] = key[i]!;
        if (bytes[at] === BACKSLASH && bytes[at + 1] === letterNull) {
          out += nullWord.copy(target, out);
          at += 3;
          continue;
        }
        const form = this.#forms[column]!;
        if (form === 'number') {
          const to = numberEnd(bytes, at, length);
          if (to !== -1 && kinds[bytes[to]!] === cellEnds) {
            while (at < to) target[out++] = bytes[at++]!;
            at++;
            continue;
          }
          // NaN, Infinity and what else JSON has no number for become a string.
        } else if (form === 'boolean') {
          const to = cellEnd(bytes, at);
          if (!isBoolean(bytes, at, to)) throw refusal(batch, row, column, 'a value that is neither true nor false');
          while (at < to) target[out++] = bytes[at++]!;
          at++;
          continue;
        } else if (form === 'json') {
          const to = cellEnd(bytes, at);
          out = this.#json(batch, row, column, at, to, out);
          at = to + 1;
          continue;
        }
        target[out++] = quoteMark;
        for (;;) {
          const byte = bytes[at++]!;
          const kind = kinds[byte]!;
          if (kind === 0) target[out++] = byte;
          else if (kind === cellEnds) break;
          else if (kind === escapes) {
            target[out++] = BACKSLASH;
            target[out++] = bytes[at++]!;
          } else if (kind === quoted) {
            target[out++] = BACKSLASH;
            target[out++] = quoteMark;
          } else {
            if (--spare < 0) return -1;
            out = writeControl(target, out, byte);
          }
        }
        target[out++] = quoteMark;
      }
      target[out++] = closeBrace;
      target[out++] = LF;
    }
    return out;
  }

  /** Writes a cell that is JSON as it is, on one line; returns the position behind it. */
  #json(batch: RecordBatch, row: number, column: number, from: number, to: number, start: number): number {
    const { bytes } = batch;
    const target = this.#target;
    let out = start;
    for (let at = from; at < to; at++) {
      const byte = bytes[at]!;
      if (byte !== BACKSLASH) target[out++] = byte;
      else {
        // Within JSON, line ends and tabs stand only between tokens.
        const letter = bytes[++at]!;
        target[out++] = letter === letterN || letter === letterR || letter === letterT ? blank : letter;
      }
    }
    const valueFrom = firstToken(target, start, out);
    const valueTo = this.#scanner.valueEnd(target, valueFrom, out);
    if (valueTo === -1 || firstToken(target, valueTo, out) !== out) throw refusal(batch, row, column, 'a text that is not JSON');
    if (target[valueFrom] === letterN) throw refusal(batch, row, column, 'a null of JSON, which would be read back as NULL');
    return out;
  }
}

function firstToken(bytes: Buffer, from: number, to: number): number {
  while (from < to && bytes[from] === blank) from++;
  return from;
}

function cellEnd(bytes: Buffer, at: number): number {
  while (kinds[bytes[at]!] !== cellEnds) at++;
  return at;
}

/** Whether the cell is one of the two words; their lengths and first letters are looked at, and the rest. */
function isBoolean(bytes: Buffer, from: number, to: number): boolean {
  const length = to - from;
  if (length !== 4 && length !== 5) return false;
  const word = length === 4 ? 'true' : 'false';
  for (let i = 0; i < length; i++) if (bytes[from + i] !== word.charCodeAt(i)) return false;
  return true;
}

function writeControl(target: Buffer, at: number, byte: number): number {
  target[at] = BACKSLASH;
  target[at + 1] = letterU;
  target[at + 2] = zero;
  target[at + 3] = zero;
  target[at + 4] = hexDigits[byte >> 4]!;
  target[at + 5] = hexDigits[byte & 15]!;
  return at + 6;
}

function refusal({ schema }: RecordBatch, row: number, column: number, cause: string): DrayError {
  return new DrayError('ROW_REJECTED', cause, { row, column: schema.columns[column]!.name });
}
