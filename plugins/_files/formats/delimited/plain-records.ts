import { BACKSLASH, type BatchBuilder, CR, escapeOf, LF, TAB, writeNull } from 'dray/sdk';
import type { CellType } from '../text/cell-types.ts';
import type { ColumnSource } from '../text/columns.ts';
import { isSame } from '../text/same-bytes.ts';
import type { TextWindow } from '../text/text-window.ts';
import { needsEscape, plainKinds, quotedKinds, quotes, type ScanFormat } from './scan-kinds.ts';

/** Longer records are left to the scanner, so that the room for one can be had before its end is known. */
const maxRecordBytes = 16 * 1024;
/** After records that were not plain none is tried for so many calls, at most. */
const longestRest = 64;

/** What became of a record: the position behind it, or one of these. */
const [isOdd, isCutOff] = [-1, -2];

/**
 * Packs records into a batch while it finds out where they end, in one pass over their bytes; the scanner and the RowWriter need two. It takes those of which
 * nothing has to be told or converted: as many fields as columns, quotes where they belong, canonical values. Every other one is left as it stands.
 */
export class PlainRecords {
  readonly #quote: number;
  readonly #delimiter: number;
  readonly #comment: number;
  readonly #nullText: Buffer;
  readonly #maxBytes: number;
  readonly #kinds: Uint8Array;
  readonly #quotedKinds: Uint8Array;
  readonly #types: readonly (CellType | undefined)[];
  /** Line ends of the record packed last. */
  #lines = 0;
  /** Of the field that `#unquote` has packed: where its last quote stands, and whether there were quotes in it. */
  #quoteEnd = 0;
  #isDoubled = false;
  /** Records in a row that were tried and not taken, and how many calls none is tried. */
  #oddOnes = 0;
  #rest = 0;

  private constructor(format: ScanFormat, columns: readonly ColumnSource[]) {
    this.#quote = format.quote ?? -1;
    this.#delimiter = format.delimiter[0]!;
    this.#comment = format.comment ?? -1;
    this.#nullText = format.nullText;
    this.#maxBytes = Math.min(maxRecordBytes, format.maxFieldBytes ?? maxRecordBytes);
    this.#kinds = plainKinds(format);
    this.#quotedKinds = quotedKinds(format);
    this.#types = columns.map(({ type }) => type);
  }

  /** Undefined: of such a format, or with such columns, no record is plain. */
  static of(format: ScanFormat, columns: readonly ColumnSource[]): PlainRecords | undefined {
    if (format.delimiter.length > 1 || format.isBackslashEscaped || format.isTrimmed) return undefined;
    return columns.every(({ field }, index) => field === index) ? new PlainRecords(format, columns) : undefined;
  }

  /** Packs records from the start of the window on until one is odd, or not whole yet, or the batch is full; returns how many lines they take. */
  pack(window: TextWindow, builder: BatchBuilder): number {
    if (this.#rest > 0) {
      this.#rest--;
      return 0;
    }
    const { bytes, end } = window;
    let lines = 0;
    while (!builder.isFull && window.start < end) {
      const { start } = window;
      // A byte may become an escape of two, and NULL may be nothing.
      builder.reserve(2 * Math.min(end - start, this.#maxBytes) + 3 * this.#types.length);
      const next = this.#packOne(bytes, start, Math.min(end, start + this.#maxBytes), builder);
      if (next < 0) {
        if (next === isOdd || end - start >= this.#maxBytes) this.#rest = Math.min(2 ** this.#oddOnes++ - 1, longestRest);
        break;
      }
      this.#oddOnes = 0;
      window.start = next;
      lines += this.#lines;
    }
    return lines;
  }

  /** Packs the record at `start`, if it ends before `end`. */
  #packOne(bytes: Buffer, start: number, end: number, builder: BatchBuilder): number {
    const kinds = this.#kinds;
    const types = this.#types;
    const quote = this.#quote;
    const nullText = this.#nullText;
    const nullLength = nullText.length;
    const last = types.length - 1;
    const target = builder.buffer;
    let out = builder.position;
    let at = start;
    let byte = bytes[at]!;
    this.#lines = 1;
    if (byte === LF || byte === CR || byte === this.#comment) return isOdd;
    for (let field = 0; ; field++) {
      const type = types[field];
      const fieldOut = out;
      if (at < end && bytes[at] === quote) {
        const from = at + 1;
        out = this.#unquote(bytes, from, end, target, out);
        if (out < 0) return out;
        at = this.#quoteEnd + 1;
        if (type !== undefined && (this.#isDoubled || !type.isCanonical(bytes, from, at - 1))) return isOdd;
        if (at === end) return isCutOff;
        byte = bytes[at]!;
      } else {
        const from = at;
        for (; ; at++) {
          if (at >= end) return isCutOff;
          byte = bytes[at]!;
          const kind = kinds[byte]!;
          if (kind === 0) target[out++] = byte;
          else if (kind === needsEscape) {
            target[out++] = BACKSLASH;
            target[out++] = escapeOf[byte]!;
          } else break;
        }
        if (at - from === nullLength && isSame(bytes, from, nullText)) out = writeNull(target, fieldOut);
        else if (type !== undefined && !type.isCanonical(bytes, from, at)) return isOdd;
      }
      if (byte === this.#delimiter) {
        if (field === last) return isOdd;
        target[out++] = TAB;
        at++;
        continue;
      }
      if (field !== last) return isOdd;
      if (byte === CR) {
        if (++at === end) return isCutOff;
        byte = bytes[at]!;
      }
      if (byte !== LF) return isOdd;
      target[out++] = LF;
      builder.advance(out, 1);
      return at + 1;
    }
  }

  /** Packs a field from behind its first quote on; returns how far it has written, or `isCutOff`. */
  #unquote(bytes: Buffer, from: number, end: number, target: Buffer, to: number): number {
    const kinds = this.#quotedKinds;
    const quote = this.#quote;
    let out = to;
    this.#isDoubled = false;
    for (let at = from; at < end; at++) {
      const byte = bytes[at]!;
      const kind = kinds[byte]!;
      if (kind === 0) target[out++] = byte;
      else if (kind === quotes) {
        if (at + 1 === end) return isCutOff;
        if (bytes[at + 1] !== quote) {
          this.#quoteEnd = at;
          return out;
        }
        this.#isDoubled = true;
        at++;
        const letter = escapeOf[quote]!;
        if (letter !== 0) target[out++] = BACKSLASH;
        target[out++] = letter === 0 ? quote : letter;
      } else {
        if (byte === LF) this.#lines++;
        target[out++] = BACKSLASH;
        target[out++] = escapeOf[byte]!;
      }
    }
    return isCutOff;
  }
}
