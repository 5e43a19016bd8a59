import { BACKSLASH, DrayError, LF, type RecordOutput, TAB, writeBytesAsText, writeNull, writeText } from 'dray/sdk';
import type { FileDecoder, RecordPlace } from '../format.ts';
import type { CellType } from '../text/cell-types.ts';
import { canonicalBytes } from '../text/numbers.ts';
import { isText } from '../text/text-window.ts';
import type { JsonColumn } from './json-columns.ts';
import { keysOf, keyText, walkLine } from './json-line.ts';
import { JsonScanner, noEscapes, openBrace, packedEscapes, quoteMark } from './json-scanner.ts';
import { writeJsonString } from './json-string.ts';
import { LineScanner } from './line-scanner.ts';
import { ValueSlots } from './value-slots.ts';

const [letterN, letterX, openBracket] = [0x6e, 0x78, 0x5b];

export interface JsonDecoderFacts {
  readonly columns: readonly JsonColumn[];
  /** Keys that no column is named by make no row wrong. */
  readonly ignoresOtherKeys: boolean;
}

export class JsonDecoder implements FileDecoder {
  readonly #out: RecordOutput;
  readonly #file: string;
  readonly #facts: JsonDecoderFacts;
  readonly #lines: LineScanner;
  readonly #scanner = new JsonScanner();
  readonly #fixedBytes: number;
  /** Where the values of the line stand; undefined as long as the first line has not said which keys the numbers mean. */
  #slots: ValueSlots | undefined;
  #fault: DrayError | undefined;

  constructor(out: RecordOutput, file: string, facts: JsonDecoderFacts, from?: RecordPlace) {
    this.#out = out;
    this.#file = file;
    this.#facts = facts;
    this.#lines = new LineScanner(file, undefined, from);
    this.#fixedBytes = facts.columns.reduce((sum, one) => sum + canonicalBytes + (one.key === undefined ? one.cell.length : 0), 0);
    const keys = facts.columns.map(({ key }) => key);
    if (keys.every((key) => typeof key !== 'number')) this.#slots = new ValueSlots(keys);
  }

  push(chunk: Buffer): void {
    this.#lines.push(chunk);
  }

  end(): void {
    this.#lines.end();
  }

  fill(): boolean {
    const { builder } = this.#out;
    while (this.#lines.next()) {
      const fault = this.#pack();
      if (fault !== undefined) this.#out.reject(fault);
      if (builder.isFull) return true;
    }
    return false;
  }

  #pack(): DrayError | undefined {
    const lines = this.#lines;
    const { bytes, from, to } = lines;
    this.#slots ??= this.#numberedSlots();
    const slots = this.#slots;
    this.#fault = undefined;
    slots?.clear();
    if (slots === undefined || !walkLine(this.#scanner, bytes, from, to, this.#found)) {
      if (lines.isLast) throw this.#cutOff();
      return this.#rejection('a line that is not one JSON object');
    }
    if (this.#fault !== undefined) return this.#fault;
    const { columns } = this.#facts;
    const { builder } = this.#out;
    builder.reserve(2 * slots.uses * (to - from) + this.#fixedBytes);
    const target = builder.buffer;
    let at = builder.position;
    for (let position = 0; position < columns.length; position++) {
      const column = columns[position]!;
      const slot = slots.ofColumn[position]!;
      if (column.key === undefined) at += column.cell.copy(target, at);
      else if (slots.ends[slot] === 0) at = writeNull(target, at);
      else {
        at = this.#write(target, at, column.type, slots.starts[slot]!, slots.ends[slot]!, slots.escapes[slot]!);
        if (at < 0 || !(lines.isText || isText(bytes.subarray(slots.starts[slot], slots.ends[slot]), true)))
          return this.#rejection(
            at === -1 ? `a value that is not ${column.type?.words}` : 'bytes or escapes that are not characters',
            column.name,
          );
      }
      target[at++] = position === columns.length - 1 ? LF : TAB;
    }
    builder.advance(at, 1);
    return undefined;
  }

  /** Writes a value as a packed cell; returns the position behind it, -1 if it is not of the type, -2 if it is not text. */
  #write(target: Buffer, at: number, type: CellType | undefined, from: number, to: number, escapes: number): number {
    const { bytes } = this.#lines;
    const first = bytes[from]!;
    if (first === letterN) return writeNull(target, at);
    const isNested = first === openBrace || first === openBracket;
    if (type?.logical === 'json' || (isNested && type === undefined)) return writeBytesAsText(target, at, bytes, from, to);
    if (isNested) return -1;
    const isString = first === quoteMark;
    const start = isString ? from + 1 : from;
    const end = isString ? to - 1 : to;
    const isPlain = !isString || escapes === noEscapes;
    if (type === undefined) {
      if (isPlain || escapes === packedEscapes) return copyCell(target, at, bytes, start, end);
      const written = writeJsonString(target, at, bytes, start, end);
      return written === -1 ? -2 : written;
    }
    if (isPlain && type.isCanonical(bytes, start, end)) return copyCell(target, at, bytes, start, end);
    if (type.logical === 'bytes' && isPackedHex(bytes, start, end)) return copyCell(target, at, bytes, start, end);
    const text = isPlain ? bytes.toString('utf8', start, end) : (JSON.parse(bytes.toString('utf8', from, to)) as string);
    const canonical = type.canonical(text);
    return canonical === undefined ? -1 : writeText(target, at, canonical);
  }

  /** Notes where the value of a key stands. */
  readonly #found = (keyFrom: number, keyTo: number, isEscaped: boolean, from: number, to: number, escapes: number): boolean => {
    const slots = this.#slots!;
    const { bytes } = this.#lines;
    const slot = slots.find(bytes, keyFrom, keyTo, isEscaped);
    if (slot !== -1 && slots.put(slot, from, to, escapes)) return true;
    if (slot === -1 && this.#facts.ignoresOtherKeys) return true;
    const key = keyText(bytes, keyFrom, keyTo, isEscaped);
    this.#fault = this.#rejection(slot === -1 ? `the key ${shown(key)} is no column` : `the key ${shown(key)} stands twice in a row`);
    return false;
  };

  /** Looks up the columns that are numbers in the first line of the file. */
  #numberedSlots(): ValueSlots | undefined {
    const { bytes, from, to } = this.#lines;
    const keys = keysOf(bytes, from, to);
    if (keys === undefined) return undefined;
    const wanted = this.#facts.columns.map(({ key, name }) => {
      if (typeof key !== 'number') return key;
      const found = keys[key];
      if (found !== undefined) return found;
      throw new DrayError(
        'COLUMN_MISSING',
        `${this.#file}: its first row has ${keys.length} keys, and the column ${name} is number ${key}`,
        {
          place: this.#file,
        },
      );
    });
    return new ValueSlots(wanted);
  }

  #rejection(cause: string, column?: string): DrayError {
    return new DrayError('ROW_REJECTED', `${cause} (line ${this.#lines.line})`, column === undefined ? {} : { column });
  }

  #cutOff(): DrayError {
    return new DrayError('FILE_BROKEN', `${this.#file} ends in the middle of the row in line ${this.#lines.line}`, { place: this.#file });
  }
}

/** From here on `Buffer.copy` beats a loop. */
const longCell = 48;

function copyCell(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  if (to - from >= longCell) return at + source.copy(target, at, from, to);
  while (from < to) target[at++] = source[from++]!;
  return at;
}

/** True for a backslash, escaped as in packed rows, x and pairs of lower-case hex digits. */
function isPackedHex(bytes: Buffer, from: number, to: number): boolean {
  if (to - from < 3 || (to - from) % 2 === 0 || bytes[from] !== BACKSLASH || bytes[from + 1] !== BACKSLASH || bytes[from + 2] !== letterX)
    return false;
  for (let at = from + 3; at < to; at++) {
    const byte = bytes[at]!;
    if (!((byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66))) return false;
  }
  return true;
}

function shown(key: string): string {
  return JSON.stringify(key.length > 64 ? `${key.slice(0, 64)}…` : key);
}
