import { DrayError, LF } from 'dray/sdk';
import type { RecordPlace } from '../format.ts';
import { TextWindow } from '../text/text-window.ts';
import { skipBlanks } from './json-scanner.ts';

/** A line without end must not fill the memory. */
const maxLineBytes = 64 * 1024 * 1024;

/** Finds the lines of a file that are not blank, in chunks of any size. `push` a chunk, then call `next` until it says false; `end` after the last one. */
export class LineScanner {
  /** First byte of the line found last, and the position behind its last one; valid until the next `push`. */
  from = 0;
  to = 0;
  /** Number of that line, from 1. */
  line: number;
  /** The line has no end: it is the file's last. */
  isLast = false;
  readonly #file: string;
  readonly #window: TextWindow;
  readonly #maxLineBytes: number;
  /** So many bytes of the window hold no line end. */
  #searched = 0;

  /** @param from where the bytes begin, if that is not the start of the file */
  constructor(file: string, maxBytes = maxLineBytes, from?: RecordPlace) {
    this.#file = file;
    this.#window = new TextWindow(true, from !== undefined);
    this.line = (from?.line ?? 1) - 1;
    this.#maxLineBytes = maxBytes;
  }

  get bytes(): Buffer {
    return this.#window.bytes;
  }

  /** False if some line may hold bytes that are no text. */
  get isText(): boolean {
    return this.#window.isText;
  }

  push(chunk: Buffer): void {
    this.#window.push(chunk);
  }

  end(): void {
    this.#window.finish();
  }

  next(): boolean {
    const window = this.#window;
    if (!window.skipMark()) return false;
    for (;;) {
      const { bytes, start, end, length } = window;
      const found = bytes.indexOf(LF, start + this.#searched);
      const isFound = found !== -1 && found < end;
      if ((isFound ? found : end) - start > this.#maxLineBytes) throw this.#tooLong();
      if (!isFound && (!this.#window.isEnded || length === 0)) {
        this.#searched = length;
        return false;
      }
      this.#searched = 0;
      this.from = start;
      this.to = isFound ? found : end;
      this.isLast = !isFound;
      this.line++;
      window.start = isFound ? found + 1 : end;
      if (skipBlanks(bytes, start, this.to) < this.to) return true;
    }
  }

  #tooLong(): DrayError {
    return new DrayError('FILE_BROKEN', `${this.#file}: line ${this.line + 1} has more than ${this.#maxLineBytes} bytes`, {
      place: this.#file,
      remedy: 'The file is probably not JSON lines: each row is an object on a line of its own.',
    });
  }
}
