import { isSame } from '../text/same-bytes.ts';
import { keyText } from './json-line.ts';

/** Where in a line the values of the wanted keys stand. Nothing is made per line. */
export class ValueSlots {
  /** For each column its slot; -1 for constants. */
  readonly ofColumn: Int32Array;
  /** How many columns want the same value, at most. */
  readonly uses: number;
  readonly starts: Uint32Array;
  /** 0: the key has not come. */
  readonly ends: Uint32Array;
  readonly escapes: Uint8Array;
  readonly #keys: readonly Buffer[];
  readonly #slotOf: ReadonlyMap<string, number>;
  /** Keys mostly come in the order of the columns. */
  #expected = 0;

  /** @param keys of the columns; undefined for constants */
  constructor(keys: readonly (string | number | undefined)[]) {
    const texts = [...new Set(keys.filter((key) => typeof key === 'string'))];
    this.#keys = texts.map((text) => Buffer.from(text));
    this.#slotOf = new Map(texts.map((text, slot) => [text, slot]));
    this.ofColumn = Int32Array.from(keys, (key) => (typeof key === 'string' ? this.#slotOf.get(key)! : -1));
    this.uses = Math.max(1, ...texts.map((text) => keys.filter((key) => key === text).length));
    this.starts = new Uint32Array(texts.length);
    this.ends = new Uint32Array(texts.length);
    this.escapes = new Uint8Array(texts.length);
  }

  clear(): void {
    this.ends.fill(0);
    this.#expected = 0;
  }

  /** The slot of a key, or -1. */
  find(bytes: Buffer, from: number, to: number, isEscaped: boolean): number {
    const expected = this.#keys[this.#expected];
    if (expected !== undefined && !isEscaped && expected.length === to - from && isSame(bytes, from, expected)) return this.#expected;
    return this.#slotOf.get(keyText(bytes, from, to, isEscaped)) ?? -1;
  }

  /** False if the slot is taken. */
  put(slot: number, from: number, to: number, escapes: number): boolean {
    if (this.ends[slot] !== 0) return false;
    this.starts[slot] = from;
    this.ends[slot] = to;
    this.escapes[slot] = escapes;
    this.#expected = slot + 1;
    return true;
  }
}
