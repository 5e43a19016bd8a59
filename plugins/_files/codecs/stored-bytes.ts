/** Takes the bytes of a file piece by piece, whatever chunks they come in. */
export class StoredBytes {
  readonly #source: AsyncIterator<Buffer>;
  #chunks: Buffer[] = [];
  #waiting = 0;
  #isAtEnd = false;
  /** Of the next byte that is taken. */
  offset: number;

  /** @param offset of the first byte of the source in the file */
  constructor(source: AsyncIterable<Buffer>, offset = 0) {
    this.#source = source[Symbol.asyncIterator]();
    this.offset = offset;
  }

  /** The next bytes, which stay; fewer at the end of the file. */
  async peek(count: number): Promise<Buffer> {
    while (this.#waiting < count && !this.#isAtEnd) {
      const { done, value } = await this.#source.next();
      if (done) this.#isAtEnd = true;
      else {
        this.#chunks.push(value);
        this.#waiting += value.length;
      }
    }
    const [first] = this.#chunks;
    if (first !== undefined && first.length >= count) return first.subarray(0, count);
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0]?.subarray(0, count) ?? Buffer.alloc(0);
  }

  /** The next bytes; fewer at the end of the file. */
  async take(count: number): Promise<Buffer> {
    const bytes = await this.peek(count);
    const [first] = this.#chunks;
    if (first !== undefined) this.#chunks[0] = first.subarray(bytes.length);
    if (this.#chunks[0]?.length === 0) this.#chunks.shift();
    this.#waiting -= bytes.length;
    this.offset += bytes.length;
    return bytes;
  }

  /** True if no byte follows. */
  async isAtEnd(): Promise<boolean> {
    return (await this.peek(1)).length === 0;
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}
