import { BACKSLASH, LF, type RecordOutput, TAB, writeBytesAsHex, writeBytesAsText, writeNull } from 'dray/sdk';
import { bareCellForm } from './bare-columns.ts';
import { lengthAt, lengthBytes } from './length-encoded.ts';
import type { CellForm } from './types.ts';

const zero = 0x30;
const minus = 0x2d;

/** Writes one non-NULL cell in its form; returns the position behind it. Room for 2 bytes per byte and 70 more has been reserved. */
function writeCell(form: Exclude<CellForm, 'bits'>, target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  switch (form) {
    case 'plain':
      for (let i = from; i < to; i++) target[at++] = source[i]!;
      return at;
    case 'text':
      // From some hundred bytes on, native search and copy beat the loop over bytes.
      return to - from > 256 ? writeLongText(target, at, source, from, to) : writeBytesAsText(target, at, source, from, to);
    case 'hex':
      return writeBytesAsHex(target, at, source, from, to);
    case 'utc':
      for (let i = from; i < to; i++) target[at++] = source[i]!;
      target[at++] = 0x2b;
      target[at++] = zero;
      target[at++] = zero;
      return at;
    case 'zerofill':
      return writeWithoutZeros(target, at, source, from, to);
  }
}

function writeLongText(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  const text = source.subarray(from, to);
  if (!text.includes(BACKSLASH) && !text.includes(TAB) && !text.includes(LF) && !text.includes(0x0d)) {
    text.copy(target, at);
    return at + text.length;
  }
  return writeBytesAsText(target, at, source, from, to);
}

/** BIT(n) comes as bytes, most significant first; its text is n binary digits. */
function writeBits(width: number, target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  for (let bit = width - 1; bit >= 0; bit--) {
    const byte = source[to - 1 - (bit >> 3)];
    target[at++] = to - 1 - (bit >> 3) < from || byte === undefined ? zero : zero + ((byte >> (bit & 7)) & 1);
  }
  return at;
}

function writeWithoutZeros(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  let start = from;
  if (source[start] === minus) target[at++] = source[start++]!;
  while (start < to - 1 && source[start] === zero && source[start + 1]! >= zero) start++;
  for (let i = start; i < to; i++) target[at++] = source[i]!;
  return at;
}

/** Writes rows of the text protocol into a batch builder, column by column. */
export class RowWriter {
  readonly #out: RecordOutput;
  readonly #forms: readonly CellForm[];
  readonly #bitWidths: readonly number[];

  /** @throws DrayError NOT_STRAIGHT where `out` takes bare rows, and a column of them does not come as was planned */
  constructor(out: RecordOutput, forms: readonly CellForm[]) {
    const { schema, forms: taken } = out;
    this.#out = out;
    this.#forms =
      taken?.layout === 'bare' ? forms.map((form, index) => bareCellForm(schema.columns[index]!, taken.forms[index]!, form)) : forms;
    this.#bitWidths = out.schema.columns.map(({ nativeType }) => Number(/\d+/.exec(nativeType ?? '')?.[0] ?? 1));
  }

  /** A row as an array of its cells' bytes (the driver's public form). */
  writeArray(row: readonly (Buffer | null)[]): void {
    const { builder } = this.#out;
    builder.reserve(row.reduce((sum, cell) => sum + 2 * (cell?.length ?? 0) + 70, 0));
    let at = builder.position;
    for (let column = 0; column < row.length; column++) {
      const cell = row[column];
      at =
        cell === null || cell === undefined ? writeNull(builder.buffer, at) : this.#write(column, builder.buffer, at, cell, 0, cell.length);
      builder.buffer[at++] = column === row.length - 1 ? LF : TAB;
    }
    builder.advance(at, 1);
  }

  /**
   * A row as the packet that carries it: length-encoded strings one after the other, 0xfb for NULL.
   * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_row.html
   */
  writePacket(packet: Buffer, from: number, to: number): void {
    const { builder } = this.#out;
    const forms = this.#forms;
    builder.reserve(2 * (to - from) + 70 * forms.length);
    const { buffer } = builder;
    let at = builder.position;
    let next = from;
    for (let column = 0; column < forms.length; column++) {
      const first = packet[next]!;
      if (first === 0xfb) {
        at = writeNull(buffer, at);
        next++;
      } else {
        const length = first < 0xfb ? first : lengthAt(packet, next);
        next += first < 0xfb ? 1 : lengthBytes(first);
        at = this.#write(column, buffer, at, packet, next, next + length);
        next += length;
      }
      buffer[at++] = TAB;
    }
    buffer[at - 1] = LF;
    builder.advance(at, 1);
  }

  #write(column: number, target: Buffer, at: number, source: Buffer, from: number, to: number): number {
    const form = this.#forms[column]!;
    return form === 'bits'
      ? writeBits(this.#bitWidths[column]!, target, at, source, from, to)
      : writeCell(form, target, at, source, from, to);
  }
}
