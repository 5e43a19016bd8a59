import { BACKSLASH } from 'dray/sdk';
import type { ScanFormat } from './scan-kinds.ts';

/** javacsv's letters behind a backslash. */
const letters = new Map<number, number>(
  Object.entries({ n: 0x0a, r: 0x0d, t: 0x09, b: 0x08, f: 0x0c, e: 0x1b, v: 0x0b, a: 0x07 }).map(([letter, byte]) => [
    letter.charCodeAt(0),
    byte,
  ]),
);
/** Code points in digits, which javacsv knows too. */
const numericEscapes = new Set(Buffer.from('01234567uxodUXOD'));

/** Takes the escapes out of a field. */
export class Unescaper {
  /** What the last `run` wrote, from 0 on. */
  bytes: Buffer = Buffer.alloc(0);
  readonly #escape: number;
  readonly #isBackslash: boolean;

  constructor({ quote, isBackslashEscaped }: ScanFormat) {
    this.#isBackslash = isBackslashEscaped;
    this.#escape = isBackslashEscaped ? BACKSLASH : (quote ?? -1);
  }

  /** Returns how many bytes it wrote, or -1 for an escape that is not supported. */
  run(source: Buffer, from: number, to: number): number {
    if (this.bytes.length < to - from) this.bytes = Buffer.allocUnsafeSlow(2 * (to - from));
    const target = this.bytes;
    let end = 0;
    for (let at = from; at < to; at++) {
      let byte = source[at]!;
      if (byte === this.#escape) {
        if (++at === to) return -1;
        byte = source[at]!;
        if (this.#isBackslash) {
          if (numericEscapes.has(byte)) return -1;
          byte = letters.get(byte) ?? byte;
        }
      }
      target[end++] = byte;
    }
    return end;
  }
}
