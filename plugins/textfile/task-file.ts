import { basename } from 'node:path';
import { DrayError, type Json, type RecordBatch, type TaskWriter } from 'dray/sdk';
import type { Encoding } from './encodings.ts';
import { OutputFile } from './output-file.ts';
import { RowEncoder, type RowFormat } from './row-encoder.ts';

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
  readonly format: RowFormat;
  readonly encoding: Encoding | undefined;
  readonly gzipLevel: number | undefined;
  /** First line, in UTF-8; empty if there is none. */
  readonly header: Buffer;
}

/** Writes one task's rows into a hidden file. */
export class TaskFile implements TaskWriter {
  readonly #facts: TaskFileFacts;
  /** Used in turn: while the bytes of one are on their way to the disk, the next batch is encoded by the other. */
  readonly #encoders: readonly [RowEncoder, RowEncoder];
  #turn: 0 | 1 = 0;
  #file: OutputFile | undefined;
  #written: Promise<void> = Promise.resolve();
  #rows = 0;

  constructor(facts: TaskFileFacts) {
    this.#facts = facts;
    this.#encoders = [new RowEncoder(facts.format), new RowEncoder(facts.format)];
  }

  async write(batch: RecordBatch): Promise<void> {
    if (batch.rowCount === 0) return;
    const isFirst = this.#rows === 0 && this.#facts.header.length === 0;
    const rows = this.#encoders[this.#turn].encode(batch, isFirst);
    const bytes = this.#facts.encoding === undefined ? rows : converted(rows, this.#facts.encoding, batch);
    if (this.#file === undefined) await this.#open();
    await this.#send(bytes);
    this.#turn = this.#turn === 0 ? 1 : 0;
    this.#rows += batch.rowCount;
  }

  async commit(): Promise<Json> {
    const { task, temporary, final } = this.#facts;
    if (this.#file === undefined) return { task, rows: 0 };
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
    const { temporary, gzipLevel, encoding, header } = this.#facts;
    this.#file = new OutputFile(temporary, gzipLevel);
    const start = encoding === undefined ? header : Buffer.concat([encoding.mark, convertedHeader(header, encoding)]);
    if (start.length > 0) await this.#send(start);
  }

  /** Resolves when the bytes before these have been written. */
  async #send(bytes: Buffer): Promise<void> {
    await this.#written;
    this.#written = this.#file!.write(bytes);
    // The next call, or commit, tells of the failure.
    this.#written.catch(() => {});
  }
}

/** @throws DrayError JOB_INVALID if the encoding lacks a character of the header */
export function convertedHeader(header: Buffer, encoding: Encoding): Buffer {
  const bytes = encoding.encode(header.toString('utf8'));
  if (bytes === undefined) throw new DrayError('JOB_INVALID', `the header has characters that the encoding ${encoding.name} lacks`);
  return bytes;
}

function converted(rows: Buffer, encoding: Encoding, batch: RecordBatch): Buffer {
  const bytes = encoding.encode(rows.toString('utf8'));
  if (bytes !== undefined) return bytes;
  for (let row = 0; row < batch.rowCount; row++) {
    for (const [index, { name }] of batch.schema.columns.entries()) {
      const cell = batch.cell(row, index);
      if (cell === null || encoding.encode(cell) !== undefined) continue;
      throw new DrayError('ROW_REJECTED', `a character that the encoding ${encoding.name} lacks`, { row, column: name });
    }
  }
  throw new DrayError('JOB_INVALID', `the encoding ${encoding.name} lacks characters of fieldDelimiter, nullFormat or the text qualifier`);
}
