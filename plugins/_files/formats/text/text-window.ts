import { isUtf8 } from 'node:buffer';

const replacement = Buffer.from('\ufffd');

/** The bytes of a file that are being looked at: what is left of the earlier chunks, and the newest chunk behind it. */
export class TextWindow {
  bytes: Buffer = Buffer.alloc(0);
  /** First byte that is not used up; the scanner moves it. */
  start = 0;
  end = 0;
  /** False if there may be bytes from `start` on that are not text. */
  isText = true;
  readonly #isUtf8: boolean;
  #isPastMark: boolean;
  #isEnded = false;
  /** Whole characters up to here have been checked. */
  #checked = 0;

  /** @param isWithin the bytes begin somewhere within the file */
  constructor(isUtf8: boolean, isWithin: boolean) {
    this.#isUtf8 = isUtf8;
    this.#isPastMark = isWithin;
  }

  get length(): number {
    return this.end - this.start;
  }

  push(chunk: Buffer): void {
    const { start, length } = this;
    if (this.end + chunk.length > this.bytes.length) {
      const needed = length + chunk.length;
      // Room for more than this chunk, so that what is left over is moved once per window, not once per chunk.
      const target = needed > this.bytes.length ? Buffer.allocUnsafeSlow(needed * 2) : this.bytes;
      this.bytes.copy(target, 0, start, this.end);
      this.bytes = target;
      this.#checked = Math.max(0, this.#checked - start);
      this.start = 0;
      this.end = length;
    }
    chunk.copy(this.bytes, this.end);
    this.end += chunk.length;
    this.#check(this.#isUtf8 ? wholeCharacters(this.bytes, this.start, this.end) : this.end);
  }

  /** No chunk will follow. */
  finish(): void {
    this.#isEnded = true;
    this.#check(this.end);
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Skips a byte order mark at the start of the file, once; false if more bytes are needed to tell. */
  skipMark(): boolean {
    if (this.#isPastMark) return true;
    if (this.length < 3 && !this.#isEnded) return false;
    const { bytes, start } = this;
    if (this.length >= 3 && bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf) this.start += 3;
    this.#isPastMark = true;
    return true;
  }

  #check(to: number): void {
    const from = this.isText ? Math.max(this.#checked, this.start) : this.start;
    this.isText = isText(this.bytes.subarray(from, to), this.#isUtf8);
    this.#checked = to;
  }
}

/** True if all bytes are characters. What was decoded from another encoding has a replacement character where it was not. */
export function isText(bytes: Buffer, fromUtf8: boolean): boolean {
  return fromUtf8 ? isUtf8(bytes) : !bytes.includes(replacement);
}

/** Position behind the last character that is not cut off at `end`. */
function wholeCharacters(bytes: Buffer, start: number, end: number): number {
  for (let at = end - 1; at >= Math.max(start, end - 3); at--) {
    const byte = bytes[at]!;
    if (byte < 0x80) return end;
    if (byte >= 0xc0) return at + (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > end ? at : end;
  }
  return end;
}
