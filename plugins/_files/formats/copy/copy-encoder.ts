import type { RecordBatch } from 'dray/sdk';
import type { FileEncoder } from '../format.ts';

const nothing = Buffer.alloc(0);

/**
 * Batches are COPY text already. They are copied all the same: their memory is filled anew as soon as `write` has settled, while the bytes are
 * still on their way to the disk.
 */
export class CopyEncoder implements FileEncoder {
  /** Filled in turn. */
  readonly #copies: [Buffer, Buffer] = [nothing, nothing];
  #turn: 0 | 1 = 0;

  start(): Buffer {
    return nothing;
  }

  encode({ bytes }: RecordBatch): Buffer {
    const turn = this.#turn;
    this.#turn = turn === 0 ? 1 : 0;
    if (this.#copies[turn].length < bytes.length) this.#copies[turn] = Buffer.allocUnsafeSlow(bytes.length);
    bytes.copy(this.#copies[turn]);
    return this.#copies[turn].subarray(0, bytes.length);
  }

  end(): Buffer {
    return nothing;
  }
}
