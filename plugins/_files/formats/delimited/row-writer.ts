import { DrayError, LF, type RecordOutput, TAB, writeBytesAsText, writeNull, writeText } from 'dray/sdk';
import type { ColumnSource } from '../text/columns.ts';
import { canonicalBytes } from '../text/numbers.ts';
import { isText } from '../text/text-window.ts';
import { hasEscapes, isFaulty, isNull, isSpecial } from './record-fields.ts';
import type { RecordScanner } from './record-scanner.ts';
import type { ScanFormat } from './scan-kinds.ts';
import { Unescaper } from './unescaper.ts';

/** From here on `Buffer.copy` beats a loop. */
const longCell = 48;

/** Packs the record that a scanner has found into a batch, or rejects it. Values are copied as bytes; only odd ones become strings. */
export class RowWriter {
  readonly #scanner: RecordScanner;
  readonly #format: ScanFormat;
  readonly #encoding: string;
  readonly #out: RecordOutput;
  readonly #columns: readonly ColumnSource[];
  readonly #unescaper: Unescaper;
  /** All fields are wanted, in their order, as text; then a record must have as many as there are columns. */
  readonly #wantsAll: boolean;
  /** Fewest fields a record must have. */
  readonly #minFields: number;
  /** How many bytes a row needs at most: so many per byte of the record, and these. */
  readonly #growth: number;
  readonly #fixedBytes: number;

  constructor(
    scanner: RecordScanner,
    out: RecordOutput,
    columns: readonly ColumnSource[],
    how: { format: ScanFormat; encoding: string; wantsAll: boolean },
  ) {
    this.#scanner = scanner;
    this.#format = how.format;
    this.#encoding = how.encoding;
    this.#out = out;
    this.#columns = columns;
    this.#unescaper = new Unescaper(how.format);
    this.#wantsAll = how.wantsAll;
    this.#minFields = columns.reduce((most, { field = -1 }) => Math.max(most, field + 1), 0);
    const uses = new Map<number, number>();
    for (const { field } of columns) if (field !== undefined) uses.set(field, (uses.get(field) ?? 0) + 1);
    // A byte may become an escape of two.
    this.#growth = 2 * Math.max(1, ...uses.values());
    this.#fixedBytes = columns.reduce(
      (sum, one) => sum + 3 + (one.field === undefined ? one.cell.length : one.type === undefined ? 0 : canonicalBytes),
      0,
    );
  }

  write(): void {
    const fault = this.#pack();
    if (fault !== undefined) this.#out.reject(fault);
  }

  /** Adds the record to the batch, or says why it is none. */
  #pack(): DrayError | undefined {
    const scanner = this.#scanner;
    const { recordStart, recordEnd } = scanner;
    const { allFlags, count: fieldCount, starts, ends, flags } = scanner.fields;
    if ((allFlags & isFaulty) !== 0) return this.#misquoted();
    const columns = this.#columns;
    if (this.#wantsAll ? fieldCount !== columns.length : fieldCount < this.#minFields) return this.#miscounted();
    const { builder } = this.#out;
    const length = recordEnd - recordStart;
    builder.reserve(length * this.#growth + this.#fixedBytes);
    const target = builder.buffer;
    let at = builder.position;
    const { bytes, isText: isAllText } = scanner;
    if (allFlags === 0 && this.#wantsAll && isAllText && this.#format.delimiter.length === 1 && !this.#format.isTrimmed) {
      // Nothing to convert: the record is copied in one piece, and its delimiters are replaced. 1.5 times as fast as cell by cell.
      bytes.copy(target, at, recordStart, recordEnd);
      const shift = at - recordStart;
      for (let field = 0; field < fieldCount - 1; field++) target[ends[field]! + shift] = TAB;
      at += length;
      target[at] = LF;
      builder.advance(at + 1, 1);
      return undefined;
    }
    const last = columns.length - 1;
    for (let position = 0; position <= last; position++) {
      const column = columns[position]!;
      const { field, type } = column;
      if (field === undefined) {
        at += column.cell.copy(target, at);
      } else if ((flags[field]! & isNull) !== 0) {
        at = writeNull(target, at);
      } else {
        let source = bytes;
        let from = starts[field]!;
        let to = ends[field]!;
        let isPlain = (flags[field]! & isSpecial) === 0;
        if ((flags[field]! & hasEscapes) !== 0) {
          to = this.#unescaper.run(bytes, from, to);
          if (to === -1) return this.#fault('a backslash escape that is not supported', column.name);
          source = this.#unescaper.bytes;
          from = 0;
          isPlain = false;
        }
        if (!isAllText && !isText(source.subarray(from, to), this.#format.isUtf8)) {
          return this.#fault(`bytes that are not ${this.#encoding} text`, column.name);
        }
        if (type !== undefined && !type.isCanonical(source, from, to)) {
          const text = type.canonical(source.toString('utf8', from, to));
          if (text === undefined) return this.#fault(`a value that is not ${type.words}`, column.name);
          at = writeText(target, at, text);
        } else if (!isPlain) {
          at = writeBytesAsText(target, at, source, from, to);
        } else if (to - from >= longCell) {
          at += source.copy(target, at, from, to);
        } else {
          while (from < to) target[at++] = source[from++]!;
        }
      }
      target[at++] = position === last ? LF : TAB;
    }
    builder.advance(at, 1);
    return undefined;
  }

  #miscounted(): DrayError {
    const fieldCount = this.#scanner.fields.count;
    if (this.#wantsAll) return this.#fault(`a row has ${fieldCount} fields where ${this.#columns.length} are expected`);
    const missing = this.#columns.find(({ field }) => field !== undefined && field >= fieldCount);
    return this.#fault(`a row has ${fieldCount} fields, and the column is number ${missing?.field}, counted from 0`, missing?.name);
  }

  #misquoted(): DrayError {
    const { count, flags } = this.#scanner.fields;
    const field = flags.subarray(0, count).findIndex((one) => (one & isFaulty) !== 0);
    const column = this.#columns.find((one) => one.field === field)?.name;
    return this.#fault('text behind a closing quote, or a carriage return that is no row end', column);
  }

  #fault(cause: string, column?: string): DrayError {
    const place = `line ${this.#scanner.line}`;
    return new DrayError('ROW_REJECTED', `${cause} (${place})`, column === undefined ? {} : { column });
  }
}
