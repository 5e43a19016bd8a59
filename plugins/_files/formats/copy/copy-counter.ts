import { BACKSLASH, CR, LF } from 'dray/sdk';
import type { RecordCounter } from '../format.ts';

const dot = 0x2e;
/** 1 for bytes that are not just text. */
const isSpecial = new Uint8Array(256);
for (const byte of [BACKSLASH, LF]) isSpecial[byte] = 1;

/** What the last bytes mean for the next one. The end mark is a row that is just `\.`. */
const [nothing, escapes, beginsMark, isMark] = [0, 1, 2, 3];

/** Counts rows of COPY text up to the end mark, as the CopyScanner finds them. */
export class CopyCounter implements RecordCounter {
  rows = 0;
  lines = 0;
  readonly isUtf8 = true;
  isOver = false;
  /** Bytes of the row that stand in earlier chunks. */
  #rowBytes = 0;
  #before = nothing;

  run(chunk: Buffer, from: number, stop: number): number {
    if (this.isOver) return -1;
    const { length } = chunk;
    let start = from - this.#rowBytes;
    let before = this.#before;
    for (let at = from; at < length; at++) {
      const first = chunk[at]!;
      if (before === isMark && (first === LF || first === CR)) {
        this.isOver = true;
        return -1;
      }
      if (before === escapes || before === beginsMark) {
        if (first === LF) this.lines++;
        before = before === beginsMark && first === dot ? isMark : nothing;
        continue;
      }
      before = nothing;
      while (at < length && isSpecial[chunk[at]!] === 0) at++;
      if (at === length) break;
      if (chunk[at] === BACKSLASH) {
        before = at === start ? beginsMark : escapes;
        continue;
      }
      this.lines++;
      this.rows++;
      start = at + 1;
      if (start < stop) continue;
      this.#rowBytes = 0;
      this.#before = nothing;
      return start;
    }
    this.#rowBytes = length - start;
    this.#before = before;
    return -1;
  }

  end(): void {
    if (this.isOver || this.#rowBytes === 0 || this.#before === isMark) return;
    this.rows++;
    this.#rowBytes = 0;
  }
}
