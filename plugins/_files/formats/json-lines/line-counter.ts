import { LF } from 'dray/sdk';
import type { RecordCounter } from '../format.ts';
import { skipBlanks } from './json-scanner.ts';

/** Counts lines that are not blank, as the LineScanner finds them. */
export class LineCounter implements RecordCounter {
  rows = 0;
  lines = 0;
  readonly isUtf8 = true;
  readonly isOver = false;
  /** The line has begun in an earlier chunk, and is not blank so far. */
  #hasText = false;

  run(chunk: Buffer, from: number, stop: number): number {
    for (;;) {
      const found = chunk.indexOf(LF, from);
      const to = found === -1 ? chunk.length : found;
      this.#hasText ||= skipBlanks(chunk, from, to) < to;
      if (found === -1) return -1;
      this.lines++;
      this.end();
      from = found + 1;
      if (from >= stop) return from;
    }
  }

  end(): void {
    if (this.#hasText) this.rows++;
    this.#hasText = false;
  }
}
