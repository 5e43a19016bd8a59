import type { DecodedArray } from 'hyparquet';

/** The packed cells of a batch, and the row of the group that they start with. Cells of texts and bytes stay in there. */
export interface KeptBatch {
  readonly bytes: Buffer;
  readonly firstRow: number;
}

/**
 * The values of one column in the row group that is being gathered. They are kept in flat arrays and become what the library takes only when it
 * asks: as objects, those of a whole row group cost the garbage collector more than all other work.
 */
export interface ColumnStore {
  /** Adds the value of a packed cell that is not NULL, which may be changed in place; false if the column cannot hold it. */
  add(bytes: Buffer, from: number, to: number): boolean;
  addNull(): void;
  /** Forgets the values behind the first `count`. */
  truncate(count: number): void;
  /** All values. */
  values(batches: readonly KeptBatch[]): DecodedArray;
}

type Numbers = BigInt64Array | Float64Array | Int32Array;

/** Numbers of one size. */
export class NumberStore<T extends Numbers> implements ColumnStore {
  readonly #parse: (bytes: Buffer, from: number, to: number) => T[number] | undefined;
  #numbers: T;
  #isNull = new Uint8Array(1024);
  #count = 0;

  constructor(numbers: T, parse: (bytes: Buffer, from: number, to: number) => T[number] | undefined) {
    this.#numbers = numbers;
    this.#parse = parse;
  }

  add(bytes: Buffer, from: number, to: number): boolean {
    const value = this.#parse(bytes, from, to);
    if (value === undefined) return false;
    if (this.#count === this.#numbers.length) this.#numbers = grown(this.#numbers);
    this.#numbers[this.#count] = value;
    this.#mark(0);
    return true;
  }

  addNull(): void {
    if (this.#count === this.#numbers.length) this.#numbers = grown(this.#numbers);
    this.#mark(1);
  }

  truncate(count: number): void {
    this.#count = count;
  }

  values(): DecodedArray {
    const numbers = this.#numbers.subarray(0, this.#count) as T;
    const isNull = this.#isNull.subarray(0, this.#count);
    if (!isNull.includes(1)) return numbers;
    return Array.from(isNull, (mark, row): T[number] | null => (mark === 1 ? null : numbers[row]!));
  }

  #mark(isNull: 0 | 1): void {
    if (this.#count === this.#isNull.length) this.#isNull = grown(this.#isNull);
    this.#isNull[this.#count++] = isNull;
  }
}

/** Texts and bytes: where they stand in the batches. */
export class BytesStore implements ColumnStore {
  /** Turns a cell into the value's bytes in place, from its start on; returns the position behind them, or -1. */
  readonly #decode: (bytes: Buffer, from: number, to: number) => number;
  #starts = new Uint32Array(1024);
  #lengths = new Uint32Array(1024);
  #count = 0;

  constructor(decode: (bytes: Buffer, from: number, to: number) => number) {
    this.#decode = decode;
  }

  add(bytes: Buffer, from: number, to: number): boolean {
    const end = this.#decode(bytes, from, to);
    if (end === -1) return false;
    this.#put(from, end - from);
    return true;
  }

  addNull(): void {
    this.#put(0, noLength);
  }

  truncate(count: number): void {
    this.#count = count;
  }

  values(batches: readonly KeptBatch[]): DecodedArray {
    const values: (Uint8Array | null)[] = new Array(this.#count);
    for (const [index, { bytes, firstRow }] of batches.entries()) {
      const end = batches[index + 1]?.firstRow ?? this.#count;
      for (let row = firstRow; row < end; row++) {
        const length = this.#lengths[row]!;
        values[row] = length === noLength ? null : new Uint8Array(bytes.buffer, bytes.byteOffset + this.#starts[row]!, length);
      }
    }
    return values;
  }

  #put(start: number, length: number): void {
    if (this.#count === this.#starts.length) {
      this.#starts = grown(this.#starts);
      this.#lengths = grown(this.#lengths);
    }
    this.#starts[this.#count] = start;
    this.#lengths[this.#count++] = length;
  }
}

const noLength = 0xffffffff;

/** Values that are few, or small and the same objects. */
export class ObjectStore implements ColumnStore {
  readonly #parse: (bytes: Buffer, from: number, to: number) => boolean | Uint8Array | undefined;
  #values: (boolean | Uint8Array | null)[] = [];

  constructor(parse: (bytes: Buffer, from: number, to: number) => boolean | Uint8Array | undefined) {
    this.#parse = parse;
  }

  add(bytes: Buffer, from: number, to: number): boolean {
    const value = this.#parse(bytes, from, to);
    if (value === undefined) return false;
    this.#values.push(value);
    return true;
  }

  addNull(): void {
    this.#values.push(null);
  }

  truncate(count: number): void {
    this.#values.length = count;
  }

  values(): DecodedArray {
    return this.#values;
  }
}

function grown<T extends Numbers | Uint8Array | Uint32Array>(array: T): T {
  const Type = array.constructor as new (length: number) => T;
  const larger = new Type(array.length * 4);
  larger.set(array as never);
  return larger;
}
