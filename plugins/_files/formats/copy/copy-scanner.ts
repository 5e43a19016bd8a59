import { BACKSLASH, CR, DrayError, LF, TAB } from 'dray/sdk';
import type { RecordPlace } from '../format.ts';
import { TextWindow } from '../text/text-window.ts';

const mebi = 1024 * 1024;
/** A row without end must not fill the memory. */
const maxRowBytes = 256 * mebi;

/** What a byte means; 0 for those that are just text. */
const [endsCell, endsRow, returns, escapes] = [1, 2, 3, 4];
const kinds = new Uint8Array(256);
kinds[TAB] = endsCell;
kinds[LF] = endsRow;
kinds[CR] = returns;
kinds[BACKSLASH] = escapes;

const [letterN, dot, blank] = [0x4e, 0x2e, 0x20];
/** Letters behind a backslash that packed rows use, too. */
const isPackedEscape = new Uint8Array(256);
for (const letter of Buffer.from('tnr\\')) isPackedEscape[letter] = 1;

/**
 * Finds the rows of COPY text in chunks of any size. `push` a chunk, then call `next` until it says false; `end` after the last chunk, and
 * `next` again. A found row is described by positions in `bytes`, valid until the next `push`.
 */
export class CopyScanner {
  rowStart = 0;
  /** Behind the last cell. */
  rowEnd = 0;
  /** Behind the line end. */
  lineEnd = 0;
  cellCount = 0;
  /** Behind each cell of the row; the array grows. */
  cellEnds: Uint32Array = new Uint32Array(64);
  /** The row is as packed rows are, so its bytes can be taken as they stand, up to `lineEnd`. */
  isPacked = true;
  /** A backslash stands in it. */
  hasEscapes = false;
  /** A carriage return stands in it that is neither escaped nor part of the line end. */
  isFaulty = false;
  /** Line of the file where it starts, from 1. */
  line = 1;
  readonly #file: string;
  readonly #window: TextWindow;
  #nextLine: number;
  /** The end mark was found. */
  #isOver = false;
  /** So many bytes of the window hold no line end that was not looked at; a long row is not scanned again for every chunk. */
  #searched = 0;

  /** @param from where the bytes begin, if that is not the start of the file */
  constructor(file: string, from?: RecordPlace) {
    this.#file = file;
    this.#window = new TextWindow(true, from !== undefined);
    this.#nextLine = from?.line ?? 1;
  }

  get bytes(): Buffer {
    return this.#window.bytes;
  }

  /** False if some cell may hold bytes that are no text. */
  get isText(): boolean {
    return this.#window.isText;
  }

  push(chunk: Buffer): void {
    this.#window.push(chunk);
  }

  end(): void {
    this.#window.finish();
  }

  /** True if a row was found; false if more bytes are needed, or, after `end`, if there is none left. */
  next(): boolean {
    const window = this.#window;
    if (!window.skipMark()) return false;
    if (this.#isOver) return this.#nothingBehindMark();
    if (window.length === 0) return false;
    if ((this.#window.isEnded || this.#hasLineEnd()) && this.#scan()) {
      this.#searched = 0;
      return !this.#isOver || this.#nothingBehindMark();
    }
    this.#searched = window.length;
    if (this.#window.isEnded) throw this.#cutOff();
    if (window.length > maxRowBytes) {
      throw new DrayError(
        'FILE_BROKEN',
        `${this.#file}: the row that starts in line ${this.#nextLine} has more than ${maxRowBytes} bytes`,
        {
          place: this.#file,
          remedy: 'The file is probably not COPY text (format text, not csv or binary).',
        },
      );
    }
    return false;
  }

  #hasLineEnd(): boolean {
    const { bytes, start, end } = this.#window;
    return this.#searched === 0 || bytes.subarray(start + this.#searched, end).includes(LF);
  }

  #scan(): boolean {
    const { bytes, start, end } = this.#window;
    this.rowStart = start;
    this.line = this.#nextLine;
    this.isPacked = true;
    this.isFaulty = false;
    this.hasEscapes = false;
    let cellEnds = this.cellEnds;
    let cells = 0;
    let cellStart = start;
    let innerLines = 0;
    for (let at = start; at < end; at++) {
      const kind = kinds[bytes[at]!]!;
      if (kind === 0) continue;
      if (kind === escapes) {
        if (++at >= end) return false;
        const letter = bytes[at]!;
        this.hasEscapes = true;
        if (isPackedEscape[letter] === 1) continue;
        if (at + 1 >= end && !this.#window.isEnded) return false;
        const isAlone = at - 1 === cellStart && (at + 1 >= end || endsHere(bytes[at + 1]!));
        if (isAlone && letter === letterN) continue;
        if (isAlone && letter === dot && cells === 0 && (at + 1 >= end || bytes[at + 1] !== TAB)) return this.#endMark(at + 1);
        this.isPacked = false;
        if (letter === LF) innerLines++;
        continue;
      }
      if (kind === returns) {
        if (at + 1 >= end) return false;
        this.isPacked = false;
        if (bytes[at + 1] !== LF) {
          this.isFaulty = true;
          continue;
        }
      }
      if (cells === cellEnds.length) cellEnds = this.#grow();
      cellEnds[cells++] = at;
      cellStart = at + 1;
      if (kind === endsCell) continue;
      this.cellCount = cells;
      this.rowEnd = at;
      this.lineEnd = kind === returns ? at + 2 : at + 1;
      this.#window.start = this.lineEnd;
      this.#nextLine = this.line + 1 + innerLines;
      return true;
    }
    return false;
  }

  #grow(): Uint32Array {
    const grown = new Uint32Array(this.cellEnds.length * 4);
    grown.set(this.cellEnds);
    this.cellEnds = grown;
    return grown;
  }

  #endMark(at: number): true {
    this.#isOver = true;
    this.#window.start = at;
    return true;
  }

  /** What stands behind the end mark would be lost. */
  #nothingBehindMark(): false {
    const window = this.#window;
    for (; window.start < window.end; window.start++) {
      const byte = window.bytes[window.start]!;
      if (byte === LF || byte === CR || byte === blank) continue;
      throw new DrayError('FILE_BROKEN', `${this.#file}: there is more behind the end mark \\. in line ${this.line}`, {
        place: this.#file,
        remedy: 'Cut the rows of one table out of the dump, from COPY to the line \\. behind them.',
      });
    }
    return false;
  }

  #cutOff(): DrayError {
    return new DrayError('FILE_BROKEN', `${this.#file} ends in the middle of the row that starts in line ${this.#nextLine}`, {
      place: this.#file,
      remedy: 'Fetch the file again; if it is whole, end its last line.',
    });
  }
}

function endsHere(byte: number): boolean {
  return byte === TAB || byte === LF || byte === CR;
}
