import { type BatchBuilder, DrayError, escapeOf, LF, TAB } from 'dray/sdk';
import type { RecordPlace } from '../format.ts';
import { isSame } from '../text/same-bytes.ts';
import { TextWindow } from '../text/text-window.ts';
import type { PlainRecords } from './plain-records.ts';
import { hasEscapes, isFaulty, isNull, isQuoted, isSpecial, RecordFields } from './record-fields.ts';
import { endsRow, escapes, plainKinds, quotedKinds, quotes, returns, type ScanFormat, startsDelimiter } from './scan-kinds.ts';

const blank = 0x20;
const mebi = 1024 * 1024;
/** A row without end must not fill the memory. */
const maxFieldBytes = 64 * mebi;
const maxRecordFields = 65_536;

/**
 * Finds the records of delimited text (RFC 4180, or without quotes) in chunks of any size. `push` a chunk, then call `next` until it says
 * false; `end` after the last chunk, and `next` again. A found record is described by positions in `bytes`, valid until the next call.
 */
export class RecordScanner {
  /** Of the record found last. */
  readonly fields = new RecordFields();
  recordStart = 0;
  /** Behind its last field. */
  recordEnd = 0;
  /** Line of the file where it starts, from 1. */
  line = 1;
  readonly #format: ScanFormat;
  readonly #file: string;
  readonly #window: TextWindow;
  readonly #maxFieldBytes: number;
  readonly #kinds: Uint8Array;
  readonly #quotedKinds: Uint8Array;
  #nextLine: number;
  /** Line ends within the fields of the record. */
  #innerLines = 0;
  #quoteEnd = 0;
  /** Bytes that must be there before an unfinished record is looked at again, so that long ones are not scanned for every chunk. */
  #awaitedBytes = 0;

  /** @param from where the bytes begin, if that is not the start of the file */
  constructor(format: ScanFormat, file: string, from?: RecordPlace) {
    this.#format = format;
    this.#nextLine = from?.line ?? 1;
    this.#file = file;
    this.#window = new TextWindow(format.isUtf8, from !== undefined);
    this.#maxFieldBytes = format.maxFieldBytes ?? maxFieldBytes;
    this.#kinds = plainKinds(format);
    this.#quotedKinds = quotedKinds(format);
  }

  get bytes(): Buffer {
    return this.#window.bytes;
  }

  /** False if some field may hold bytes that are no text. */
  get isText(): boolean {
    return this.#window.isText;
  }

  push(chunk: Buffer): void {
    this.#window.push(chunk);
  }

  end(): void {
    this.#window.finish();
  }

  /** Goes past the plain records that are next, which are packed. */
  packPlain(records: PlainRecords, builder: BatchBuilder): void {
    const window = this.#window;
    if (!window.isText || window.length < this.#awaitedBytes || !window.skipMark()) return;
    this.#nextLine += records.pack(window, builder);
  }

  /** True if a record was found; false if more bytes are needed, or, after `end`, if there is none left. */
  next(): boolean {
    const window = this.#window;
    for (;;) {
      if (!this.#window.isEnded && window.length < this.#awaitedBytes) return false;
      if (!window.skipMark()) return false;
      if (this.#isComment()) {
        if (!this.#skipLine()) return false;
        continue;
      }
      if (window.length === 0 || !this.#scan()) return false;
      if (this.recordEnd > this.recordStart || !this.#format.skipsEmptyRecords) return true;
    }
  }

  #isComment(): boolean {
    const { length, bytes, start } = this.#window;
    return length > 0 && bytes[start] === this.#format.comment;
  }

  /** Goes to the next line; false if its start is not there yet. */
  #skipLine(): boolean {
    const window = this.#window;
    const end = window.bytes.subarray(window.start, window.end).indexOf(LF);
    if (end === -1 && !window.isEnded) {
      // A comment without end must not fill the memory: of it only the start is needed.
      window.start = Math.max(window.start, window.end - 1);
      window.bytes[window.start] = this.#format.comment!;
      return false;
    }
    window.start = end === -1 ? window.end : window.start + end + 1;
    this.#nextLine++;
    return true;
  }

  #scan(): boolean {
    const { bytes, start, end } = this.#window;
    const { quote, nullText, isTrimmed, delimiter } = this.#format;
    const kinds = this.#kinds;
    const isEnded = this.#window.isEnded;
    const { fields } = this;
    fields.clear();
    this.recordStart = start;
    this.line = this.#nextLine;
    this.#innerLines = 0;
    let at = start;
    for (;;) {
      if (isTrimmed) at = this.#skipBlanks(at);
      let from = at;
      let flags = 0;
      if (at < end && bytes[at] === quote) {
        from++;
        flags = this.#quoted(from);
        if (flags === 0) return false;
        at = isTrimmed ? this.#skipBlanks(this.#quoteEnd + 1) : this.#quoteEnd + 1;
      }
      const behindQuote = at;
      let isLast = true;
      let width = 0;
      for (;;) {
        while (at < end && kinds[bytes[at]!] === 0) at++;
        if (at >= end) {
          // What the window cuts off at its end (half a delimiter, a CR) comes here, too, and is looked at again with the next chunk.
          if (!isEnded) return this.#unfinished(from);
          break;
        }
        const kind = kinds[bytes[at]!]!;
        if (kind === startsDelimiter) {
          const same = delimiter.length === 1 ? 1 : this.#sameAsDelimiter(at);
          if (same === delimiter.length) {
            isLast = false;
            width = same;
            break;
          }
          if (escapeOf[bytes[at]!] !== 0) flags |= isSpecial;
        } else if (kind === endsRow) {
          width = 1;
          break;
        } else if (kind === returns) {
          if (at + 1 < end && bytes[at + 1] === LF) {
            width = 2;
            break;
          }
          flags |= quote === undefined ? isSpecial : isFaulty;
        } else if (kind === escapes) {
          flags |= hasEscapes;
          if (at + 1 < end && bytes[++at] === LF) this.#innerLines++;
        } else flags |= isSpecial;
        at++;
      }
      let to = at;
      if ((flags & isQuoted) !== 0) {
        to = this.#quoteEnd;
        if (at !== behindQuote) flags |= isFaulty;
      } else {
        if (isTrimmed) to = this.#withoutBlanks(from, at);
        if (to - from === nullText.length && isSame(bytes, from, nullText)) flags |= isNull;
      }
      if (to - from > this.#maxFieldBytes) throw this.#endless(`a field of more than ${this.#maxFieldBytes} bytes`);
      if (fields.count === maxRecordFields) throw this.#endless(`more than ${maxRecordFields} fields`);
      fields.add(from, to, flags);
      if (isLast) this.recordEnd = at;
      at += width;
      if (isLast) break;
    }
    this.#window.start = at;
    this.#nextLine = this.line + 1 + this.#innerLines;
    this.#awaitedBytes = 0;
    return true;
  }

  /** Looks for the quote that closes the field from `from` on; returns the field's flags and sets `#quoteEnd`, or 0 if bytes are missing. */
  #quoted(from: number): number {
    const { bytes, end } = this.#window;
    const { quote, isBackslashEscaped } = this.#format;
    const kinds = this.#quotedKinds;
    const openedIn = this.line + this.#innerLines;
    let flags = isQuoted;
    for (let at = from; ; at++) {
      while (at < end && kinds[bytes[at]!] === 0) at++;
      if (at === end) return this.#unclosed(from, openedIn);
      const kind = kinds[bytes[at]!]!;
      if (kind === quotes) {
        if (at + 1 === end && !this.#window.isEnded) return this.#unclosed(from, openedIn);
        if (isBackslashEscaped || at + 1 === end || bytes[at + 1] !== quote) {
          this.#quoteEnd = at;
          return flags;
        }
        flags |= hasEscapes;
        at++;
      } else if (kind === escapes) {
        if (at + 1 === end) return this.#unclosed(from, openedIn);
        flags |= hasEscapes;
        if (bytes[++at] === LF) this.#innerLines++;
      } else {
        flags |= isSpecial;
        if (kind === endsRow) this.#innerLines++;
      }
    }
  }

  #unclosed(from: number, line: number): 0 {
    if (this.#window.isEnded) {
      throw new DrayError('FILE_BROKEN', `${this.#file}: the quote opened in line ${line} is never closed`, {
        place: this.#file,
        remedy: 'Close the quote, or fetch the file again; for a file without quoting set "useTextQualifier": false in csvReaderConfig.',
      });
    }
    this.#unfinished(from);
    return 0;
  }

  /** The record does not end within the window. */
  #unfinished(fieldStart: number): false {
    const { end, length } = this.#window;
    const limit = this.#maxFieldBytes;
    if (end - fieldStart > limit) throw this.#endless(`a field of more than ${limit} bytes`);
    if (length > 4 * limit) throw this.#endless(`more than ${4 * limit} bytes`);
    this.#awaitedBytes = length < mebi ? 0 : Math.min(2 * length, length + limit);
    return false;
  }

  #endless(what: string): DrayError {
    return new DrayError('FILE_BROKEN', `${this.#file}: the row that starts in line ${this.line} has ${what}`, {
      place: this.#file,
      remedy: 'A closing quote is probably missing there, or fieldDelimiter and the line ends are not those of the file.',
    });
  }

  /** How many bytes of the delimiter stand at `at`. */
  #sameAsDelimiter(at: number): number {
    const { bytes, end } = this.#window;
    const { delimiter } = this.#format;
    let same = 1;
    while (same < delimiter.length && at + same < end && bytes[at + same] === delimiter[same]) same++;
    return same;
  }

  #skipBlanks(at: number): number {
    const { bytes, end } = this.#window;
    while (at < end && this.#isBlank(bytes[at]!)) at++;
    return at;
  }

  #withoutBlanks(from: number, to: number): number {
    const { bytes } = this.#window;
    while (to > from && this.#isBlank(bytes[to - 1]!)) to--;
    return to;
  }

  #isBlank(byte: number): boolean {
    return (byte === blank || byte === TAB) && this.#kinds[byte] !== startsDelimiter;
  }
}
