import { DrayError, type RecordBatch } from 'dray/sdk';
import type { FileEncoder } from '../format.ts';
import type { Encoding } from '../text/encodings.ts';
import { RowEncoder, type RowFormat } from './row-encoder.ts';

const nothing = Buffer.alloc(0);

export class DelimitedEncoder implements FileEncoder {
  /** Used in turn: while the bytes of one are on their way to the disk, the next batch is encoded by the other. */
  readonly #encoders: readonly [RowEncoder, RowEncoder];
  readonly #encoding: Encoding | undefined;
  readonly #start: Buffer;
  #turn: 0 | 1 = 0;
  /** The next row is the first of the file. */
  #isFirst: boolean;

  constructor(format: RowFormat, encoding: Encoding | undefined, start: Buffer, isFirst: boolean) {
    this.#encoders = [new RowEncoder(format), new RowEncoder(format)];
    this.#encoding = encoding;
    this.#start = start;
    this.#isFirst = isFirst;
  }

  start(): Buffer {
    return this.#start;
  }

  encode(batch: RecordBatch): Buffer {
    if (batch.rowCount === 0) return nothing;
    const rows = this.#encoders[this.#turn].encode(batch, this.#isFirst);
    const bytes = this.#encoding === undefined ? rows : converted(rows, this.#encoding, batch);
    this.#turn = this.#turn === 0 ? 1 : 0;
    this.#isFirst = false;
    return bytes;
  }

  end(): Buffer {
    return nothing;
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
