import { basename } from 'node:path';
import type { Json, RecordBatch, TaskWriter } from 'dray/sdk';
import type { FileEncoder } from '../_files/formats/format.ts';
import { OutputFile } from './output-file.ts';

/** What a task tells `publish`. */
export interface TaskCommit {
  readonly task: number;
  /** Names within the folder; absent if the task had no rows and so made no file. */
  readonly temporary?: string;
  readonly final?: string;
  readonly rows: number;
}

export interface TaskFileFacts {
  readonly task: number;
  readonly temporary: string;
  readonly final: string;
  readonly encoder: FileEncoder;
  readonly gzipLevel: number | undefined;
}

/** Writes one task's rows into a hidden file. */
export class TaskFile implements TaskWriter {
  readonly #facts: TaskFileFacts;
  #file: OutputFile | undefined;
  #written: Promise<void> = Promise.resolve();
  #rows = 0;

  constructor(facts: TaskFileFacts) {
    this.#facts = facts;
  }

  async write(batch: RecordBatch): Promise<void> {
    if (batch.rowCount === 0) return;
    const bytes = this.#facts.encoder.encode(batch);
    if (this.#file === undefined) await this.#open();
    await this.#send(bytes);
    this.#rows += batch.rowCount;
  }

  async commit(): Promise<Json> {
    const { task, temporary, final, encoder } = this.#facts;
    if (this.#file === undefined) return { task, rows: 0 };
    await this.#send(encoder.end());
    await this.#written;
    await this.#file.finish();
    return { task, temporary: basename(temporary), final, rows: this.#rows };
  }

  /** Makes the file though there are no rows. */
  async commitEmpty(): Promise<void> {
    await this.#open();
    await this.commit();
  }

  async abort(): Promise<void> {
    await this.#file?.remove();
  }

  async #open(): Promise<void> {
    const { temporary, gzipLevel, encoder } = this.#facts;
    this.#file = new OutputFile(temporary, gzipLevel);
    await this.#send(encoder.start());
  }

  /** Resolves when the bytes before these have been written; the encoder leaves these alone until then. */
  async #send(bytes: Uint8Array): Promise<void> {
    await this.#written;
    if (bytes.length === 0) return;
    this.#written = this.#file!.write(bytes);
    // The next call, or commit, tells of the failure.
    this.#written.catch(() => {});
  }
}
