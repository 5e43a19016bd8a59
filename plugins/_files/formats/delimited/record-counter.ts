import { CR, LF } from 'dray/sdk';
import type { RecordCounter } from '../format.ts';

export interface CountedFormat {
  /** As its bytes stand in the file. */
  readonly delimiter: Buffer;
  /** Byte of the text qualifier; undefined: nothing is quoted. */
  readonly quote: number | undefined;
  readonly skipsEmptyRecords: boolean;
  readonly hasHeader: boolean;
  readonly isUtf8: boolean;
}

/** What a byte may be; 0 for those that are just text. */
const [endsRecord, opensQuote, isOfDelimiter] = [1, 2, 3];

/**
 * Counts the records of delimited text as the RecordScanner finds them, where nothing is trimmed and no backslash escapes. A quote opens quotes only at the start of a
 * field, that is behind a record end or a whole delimiter; delimiters of several bytes are followed (Knuth, Morris and Pratt), one byte is looked at behind it.
 */
export class DelimitedCounter implements RecordCounter {
  lines = 0;
  readonly isUtf8: boolean;
  readonly isOver = false;
  readonly #format: CountedFormat;
  readonly #kinds = new Uint8Array(256);
  /** For each count of bytes of the delimiter that fit: how many still do if the next one does not. */
  readonly #fallback: readonly number[];
  #records = 0;
  /** Bytes of the record that stand in earlier chunks, and the last byte of these. */
  #recordBytes = 0;
  #lastByte = 0;
  #isQuoted = false;
  /** A quote within quotes was the last byte: it has closed them, unless another follows. */
  #isClosing = false;
  /** Bytes of the delimiter that stand at the end of the chunk. */
  #matched = 0;

  constructor(format: CountedFormat) {
    const { delimiter, quote } = format;
    this.#format = format;
    this.isUtf8 = format.isUtf8;
    this.#fallback = fallbackOf(delimiter);
    if (quote !== undefined) {
      if (delimiter.length > 1) for (const byte of delimiter) this.#kinds[byte] = isOfDelimiter;
      this.#kinds[quote] = opensQuote;
    }
    this.#kinds[LF] = endsRecord;
  }

  get rows(): number {
    return this.#format.hasHeader ? Math.max(0, this.#records - 1) : this.#records;
  }

  run(chunk: Buffer, from: number, stop: number): number {
    const kinds = this.#kinds;
    const { length } = chunk;
    const { delimiter, hasHeader } = this.#format;
    const onlyDelimiter = delimiter.length === 1 ? delimiter[0]! : -1;
    let start = from - this.#recordBytes;
    /** Behind the delimiter found last, or what of one stands there. */
    let matchedTo = this.#matched === 0 ? -1 : from;
    let matched = this.#matched;
    let at = from;
    for (;;) {
      if (this.#isQuoted || this.#isClosing) {
        at = this.#closed(chunk, at);
        if (at === -1) break;
      }
      while (at < length && kinds[chunk[at]!] === 0) at++;
      if (at === length) break;
      const byte = chunk[at]!;
      const kind = kinds[byte]!;
      if (kind === endsRecord) {
        this.#endRecord(at - start, at > from ? chunk[at - 1]! : this.#lastByte);
        this.lines++;
        start = ++at;
        matched = 0;
        // The header is not parted from the start of the file.
        if (start < stop || (hasHeader && this.#records === 0)) continue;
        this.#recordBytes = 0;
        this.#matched = 0;
        return start;
      }
      if (kind === opensQuote) {
        const before = at > from ? chunk[at - 1]! : this.#lastByte;
        const isBehindDelimiter = onlyDelimiter === -1 ? matched === delimiter.length && matchedTo === at : before === onlyDelimiter;
        this.#isQuoted = at === start || isBehindDelimiter;
      } else {
        if (matchedTo !== at || matched === delimiter.length) matched = 0;
        while (matched > 0 && delimiter[matched] !== byte) matched = this.#fallback[matched - 1]!;
        if (delimiter[matched] === byte) matched++;
        matchedTo = at + 1;
      }
      at++;
    }
    this.#recordBytes = length - start;
    this.#matched = matchedTo === length ? matched : 0;
    if (length > from) this.#lastByte = chunk[length - 1]!;
    return -1;
  }

  end(): void {
    if (this.#recordBytes > 0) this.#records++;
    this.#recordBytes = 0;
  }

  /** Position behind the quote that closes the field; -1 if the chunk ends before that is sure. */
  #closed(chunk: Buffer, at: number): number {
    const { quote } = this.#format;
    for (;;) {
      if (this.#isClosing) {
        if (at === chunk.length) return -1;
        this.#isClosing = false;
        if (chunk[at] !== quote) return at;
        at++;
        this.#isQuoted = true;
      }
      for (; at < chunk.length && chunk[at] !== quote; at++) if (chunk[at] === LF) this.lines++;
      if (at === chunk.length) return -1;
      at++;
      this.#isQuoted = false;
      this.#isClosing = true;
    }
  }

  #endRecord(bytes: number, lastByte: number): void {
    const isEmpty = bytes === 0 || (bytes === 1 && lastByte === CR);
    if (!isEmpty || !this.#format.skipsEmptyRecords) this.#records++;
  }
}

function fallbackOf(delimiter: Buffer): number[] {
  const fallback = [0];
  for (let at = 1, matched = 0; at < delimiter.length; at++) {
    while (matched > 0 && delimiter[matched] !== delimiter[at]) matched = fallback[matched - 1]!;
    if (delimiter[matched] === delimiter[at]) matched++;
    fallback.push(matched);
  }
  return fallback;
}
