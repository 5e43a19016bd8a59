import type { RecordBatch, Schema } from 'dray/sdk';
import { chain } from './codecs/chain.ts';
import type { ByteSink, Codec } from './codecs/codec.ts';
import { type CountingSink, countingSink } from './codecs/digest.ts';
import { RowDigest } from './codecs/row-digest.ts';
import type { FileEncoder } from './formats/format.ts';
import { type KeyFacts, KeyRange } from './set/key-range.ts';
import type { Receipt, Upload } from './storage/storage.ts';

/** What a data file turned out to be. */
export interface WrittenFile {
  readonly receipt: Receipt;
  readonly rows: number;
  readonly rowDigest: string;
  readonly key?: KeyFacts;
  /** Before compression and encryption. */
  readonly rawBytes: number;
  /** Of the stored bytes. */
  readonly sha256: string;
}

/** One data file on its way into a storage: rows are encoded, and go through the codecs, a SHA-256 and a count. Nobody sees it yet. */
export class DataFile {
  rows = 0;
  #rawBytes = 0;
  readonly #encoder: FileEncoder;
  readonly #upload: Upload;
  readonly #entry: ByteSink;
  readonly #stored: CountingSink;
  readonly #digest = new RowDigest();
  readonly #range: KeyRange;
  #sent: Promise<void> = Promise.resolve();

  constructor(encoder: FileEncoder, upload: Upload, codecs: readonly Codec[], source: Schema) {
    this.#encoder = encoder;
    this.#range = new KeyRange(source);
    this.#upload = upload;
    this.#stored = countingSink({ write: (bytes) => upload.write(bytes), end: async () => undefined, destroy: () => undefined });
    this.#entry = chain(codecs, this.#stored);
  }

  get storedBytes(): number {
    return this.#stored.bytes;
  }

  async start(): Promise<void> {
    await this.#send(this.#encoder.start());
  }

  /** Resolves when the bytes before these have been written; the encoder leaves these alone until then. */
  async write(batch: RecordBatch): Promise<void> {
    const bytes = this.#encoder.encode(batch);
    this.#digest.add(batch);
    this.#range.add(batch);
    await this.#send(bytes);
    this.rows += batch.rowCount;
  }

  async finish(): Promise<WrittenFile> {
    await this.#send(this.#encoder.end());
    await this.#sent;
    await this.#entry.end();
    const receipt = await this.#upload.finish();
    const key = this.#range.facts();
    return {
      receipt,
      rows: this.rows,
      rowDigest: String(this.#digest),
      ...(key === undefined ? {} : { key }),
      rawBytes: this.#rawBytes,
      sha256: this.#stored.sha256(),
    };
  }

  async abort(): Promise<void> {
    this.#entry.destroy();
    await this.#sent.catch(() => undefined);
    await this.#upload.abort();
  }

  async #send(bytes: Uint8Array): Promise<void> {
    await this.#sent;
    if (bytes.length === 0) return;
    this.#rawBytes += bytes.length;
    this.#sent = this.#entry.write(bytes);
    // The next call, or finish, tells of the failure.
    this.#sent.catch(() => {});
  }
}
