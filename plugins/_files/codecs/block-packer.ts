/** Smaller ones are no faster; bigger ones, of zstd, 1 % smaller. */
export const blockBytes = 1024 * 1024;
/** Blocks that are packed at a time, each on a thread of libuv. */
const maxJobs = 2;

export interface BlockPacking {
  /** How many bytes before a block its packing looks at. */
  readonly windowBytes: number;
  /** Begins to pack a block. Called in the order of the file, while blocks before are still being packed; both stay as they are until the block was put. */
  pack(block: Buffer, before: Buffer): Promise<Buffer>;
  /** Puts a packed block behind the one before it. Calls do not overlap. */
  put(packed: Buffer, block: Buffer): Promise<void>;
}

interface Job {
  readonly packed: Promise<Buffer>;
  readonly block: Buffer;
  /** Memory of the block and the window before it. */
  readonly memory: Buffer;
}

/** Cuts what comes into blocks of a size, which are packed side by side and put in their order. */
export class BlockPacker {
  readonly #how: BlockPacking;
  /** In the order of the file. */
  readonly #jobs: Job[] = [];
  readonly #spare: Buffer[] = [];
  /** What is kept stands behind the window before it. */
  #kept: Buffer;
  #keptBytes = 0;
  /** Bytes of the window that are there. */
  #before = 0;

  constructor(how: BlockPacking) {
    this.#how = how;
    this.#kept = this.#memory();
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + blockBytes - this.#keptBytes);
      this.#kept.set(part, this.#how.windowBytes + this.#keptBytes);
      this.#keptBytes += part.length;
      at += part.length;
      if (this.#keptBytes === blockBytes) await this.#pack();
    }
  }

  /** Puts the last blocks, too. */
  async finish(): Promise<void> {
    if (this.#keptBytes > 0) await this.#pack();
    while (this.#jobs.length > 0) await this.#putFirst();
  }

  async #pack(): Promise<void> {
    if (this.#jobs.length === maxJobs) await this.#putFirst();
    const { windowBytes } = this.#how;
    const memory = this.#kept;
    const end = windowBytes + this.#keptBytes;
    const block = memory.subarray(windowBytes, end);
    const packed = this.#how.pack(block, memory.subarray(windowBytes - this.#before, windowBytes));
    // Whoever waits for it is told.
    packed.catch(() => {});
    this.#jobs.push({ packed, block, memory });
    this.#kept = this.#spare.pop() ?? this.#memory();
    this.#keptBytes = 0;
    this.#before = Math.min(windowBytes, block.length);
    memory.copy(this.#kept, windowBytes - this.#before, end - this.#before, end);
  }

  async #putFirst(): Promise<void> {
    const { packed, block, memory } = this.#jobs.shift()!;
    await this.#how.put(await packed, block);
    this.#spare.push(memory);
  }

  #memory(): Buffer {
    return Buffer.allocUnsafe(this.#how.windowBytes + blockBytes);
  }
}
