/** More bits were asked for than there are. */
export class OutOfBits extends Error {}

/** Takes bits out of bytes, the highest of each byte first. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at: number;
  #kept = 0;
  #keptBits = 0;

  /** @param bit number of the first one to take */
  constructor(bytes: Uint8Array, bit: number) {
    this.#bytes = bytes;
    this.#at = bit >> 3;
    if ((bit & 7) !== 0) this.take(bit & 7);
  }

  /** Bits from the start of the bytes up to the next one. */
  get position(): number {
    return 8 * this.#at - this.#keptBits;
  }

  /** At most 24 bits, as a number. @throws OutOfBits */
  take(count: number): number {
    this.#fill(count);
    if (this.#keptBits < count) throw new OutOfBits();
    this.#keptBits -= count;
    return (this.#kept >>> this.#keptBits) & ((1 << count) - 1);
  }

  /** The same without taking them; behind the end of the bytes there are zeros. */
  look(count: number): number {
    this.#fill(count);
    const bits = this.#keptBits >= count ? this.#kept >>> (this.#keptBits - count) : this.#kept << (count - this.#keptBits);
    return bits & ((1 << count) - 1);
  }

  /** 32 bits. */
  take32(): number {
    return ((this.take(16) << 16) | this.take(16)) >>> 0;
  }

  #fill(count: number): void {
    while (this.#keptBits < count && this.#at < this.#bytes.length) {
      this.#kept = (this.#kept << 8) | this.#bytes[this.#at++]!;
      this.#keptBits += 8;
    }
  }
}
