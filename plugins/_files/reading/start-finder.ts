import type { Place } from '../codecs/codec.ts';
import type { RecordCounter } from '../formats/format.ts';

/** Where a part of a file begins. */
export interface PartStart {
  /** The stored bytes at or behind which it was to begin. */
  readonly cut: number;
  /** Its first byte, in what comes out of the codecs, and where unpacking has to begin for it. */
  readonly plain: number;
  readonly place: Place;
  /** Rows before it. */
  readonly rows: number;
  /** Line of its first row, from 1. */
  readonly line: number;
}

const mark = Buffer.from('\ufeff');

/**
 * Goes over all bytes that come out of the codecs of a file, and finds for each cut the first record that begins there or later. A cut is a number of stored bytes; where
 * a file can be unpacked only from the start of a frame it means the first frame at or behind it.
 */
export class StartFinder {
  readonly #counter: RecordCounter;
  readonly #cuts: readonly number[];
  readonly #starts: PartStart[] = [];
  /** Plain bytes that the cuts mean, as far as they are known. */
  readonly #targets: number[] = [];
  /** Undefined: unpacking can begin anywhere. */
  readonly #frames: Place[] | undefined;
  /** Of the first chunks, until they tell whether there is a byte order mark. */
  #first: Buffer | undefined = Buffer.alloc(0);
  /** Plain bytes before the chunk. */
  #before = 0;

  /**
   * @param cuts ascending, without 0
   * @param isFramed unpacking can begin only where `frame` is told of
   */
  constructor(counter: RecordCounter, cuts: readonly number[], isFramed: boolean) {
    this.#counter = counter;
    this.#cuts = cuts;
    this.#frames = isFramed ? [] : undefined;
    if (!isFramed) this.#targets.push(...cuts);
  }

  /** A place from which the file can be unpacked, told before its bytes come. */
  frame(place: Place): void {
    this.#frames!.push(place);
    while (this.#targets.length < this.#cuts.length && this.#cuts[this.#targets.length]! <= place.stored) this.#targets.push(place.plain);
  }

  push(chunk: Buffer): void {
    if (this.#first === undefined) this.#find(chunk, 0);
    else {
      this.#first = Buffer.concat([this.#first, chunk]);
      if (this.#first.length >= mark.length) this.#findFirst();
    }
  }

  /** All starts, in the order of the cuts, and behind them where the file ends; rows and lines are then those of the whole file. */
  end(): { readonly starts: readonly PartStart[]; readonly end: PartStart } {
    this.#findFirst();
    this.#counter.end();
    const end = this.#startAt(this.#before, Number.POSITIVE_INFINITY);
    while (this.#starts.length < this.#cuts.length) this.#starts.push({ ...end, cut: this.#cuts[this.#starts.length]! });
    return { starts: this.#starts, end };
  }

  #findFirst(): void {
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined) this.#find(first, this.#counter.isUtf8 && first.subarray(0, mark.length).equals(mark) ? mark.length : 0);
  }

  #find(chunk: Buffer, from: number): void {
    const counter = this.#counter;
    for (let at = from; at !== -1; ) {
      const target = this.#targets[this.#starts.length] ?? Number.POSITIVE_INFINITY;
      at = counter.run(chunk, at, target - this.#before);
      if (at !== -1 && !counter.isOver) this.#found(this.#before + at);
    }
    this.#before += chunk.length;
  }

  /** A record begins here: the start of all parts that were to begin before it. */
  #found(plain: number): void {
    for (;;) {
      const next = this.#starts.length;
      const target = this.#targets[next];
      if (target === undefined || target > plain) return;
      this.#starts.push(this.#startAt(plain, this.#cuts[next]!));
    }
  }

  #startAt(plain: number, cut: number): PartStart {
    const { rows, lines } = this.#counter;
    const place = this.#frames === undefined ? { stored: plain, plain } : this.#frames.findLast((frame) => frame.plain <= plain);
    return { cut, plain, place: place ?? { stored: 0, plain: 0 }, rows, line: lines + 1 };
  }
}
