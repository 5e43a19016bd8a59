import {
  type BinaryForm,
  beginBinaryRow,
  binaryCellRoom,
  binaryRowHeader,
  type CellEncoder,
  DrayError,
  endBinaryRow,
  type RecordOutput,
  writeBinaryNull,
} from 'dray/sdk';
import { encoderOf } from './binary-columns.ts';
import { lengthAt, lengthBytes } from './length-encoded.ts';
import type { CellForm } from './types.ts';

/** Writes rows of the text protocol into a batch builder as binary rows. */
export class BinaryRowWriter {
  readonly #out: RecordOutput;
  readonly #encoders: readonly CellEncoder[];

  /** @param cells how the server sends them, which for the same type may be in several ways. @throws DrayError NOT_STRAIGHT */
  constructor(out: RecordOutput, forms: readonly BinaryForm[], cells: readonly CellForm[]) {
    this.#out = out;
    this.#encoders = out.schema.columns.map((column, index) => {
      const encoder = encoderOf(column, forms[index]!);
      const form = forms[index]!;
      if (encoder === undefined || cells[index] === 'bits' || (cells[index] === 'hex') !== (form === 'bytea'))
        throw new DrayError('NOT_STRAIGHT', `the column ${column.name} has another type than was planned`);
      return encoder;
    });
  }

  /** See `RowWriter`. @throws DrayError NOT_STRAIGHT */
  writeArray(row: readonly (Buffer | null)[]): void {
    const at = this.#begin(row.reduce((sum, cell) => sum + (cell?.length ?? 0), 0));
    const { buffer } = this.#out.builder;
    let next = at;
    for (const [column, cell] of row.entries()) {
      next = cell === null ? writeBinaryNull(buffer, next) : this.#encoders[column]!(buffer, next, cell, 0, cell.length);
    }
    this.#end(next);
  }

  /** See `RowWriter`. @throws DrayError NOT_STRAIGHT */
  writePacket(packet: Buffer, from: number, to: number): void {
    let at = this.#begin(to - from);
    const encoders = this.#encoders;
    const { buffer } = this.#out.builder;
    let next = from;
    for (let column = 0; column < encoders.length; column++) {
      const first = packet[next]!;
      if (first === 0xfb) {
        at = writeBinaryNull(buffer, at);
        next++;
        continue;
      }
      const length = first < 0xfb ? first : lengthAt(packet, next);
      next += first < 0xfb ? 1 : lengthBytes(first);
      at = encoders[column]!(buffer, at, packet, next, next + length);
      next += length;
    }
    this.#end(at);
  }

  /** @returns where the first cell goes */
  #begin(byteCount: number): number {
    const { builder } = this.#out;
    const cells = this.#encoders.length;
    builder.reserve(byteCount + binaryCellRoom * cells + binaryRowHeader + 2);
    return beginBinaryRow(builder.buffer, builder.position, cells);
  }

  #end(at: number): void {
    const { builder } = this.#out;
    endBinaryRow(builder.buffer, builder.position, at);
    builder.advance(at, 1);
  }
}
