import xxhash, { type XXHash } from 'xxhash-wasm';

// WebAssembly: 8,000 MB/s. V8 makes an object of nearly every BigInt of the same in JavaScript: 700 MB/s, and then the garbage.
let library: ReturnType<typeof xxhash> | undefined;

/** A hash that has seen no bytes yet; the first one of a thread waits for its WebAssembly. */
export async function newXxh64(): Promise<Xxh64> {
  library ??= xxhash();
  return new Xxh64((await library).create64());
}

/** XXH64: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md. The checksum of zstd frames is its lower half. */
class Xxh64 {
  readonly #hash: XXHash<bigint>;

  constructor(hash: XXHash<bigint>) {
    this.#hash = hash;
  }

  update(bytes: Uint8Array): this {
    this.#hash.update(bytes);
    return this;
  }

  digest(): bigint {
    return this.#hash.digest();
  }

  /** The lower half: what stands behind a zstd frame. */
  low32(): number {
    return Number(BigInt.asUintN(32, this.digest()));
  }
}
