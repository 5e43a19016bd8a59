import { BACKSLASH, DrayError, LF, type RecordOutput, TAB, writeNull, writeText } from 'dray/sdk';
import type { FileDecoder, RecordPlace } from '../format.ts';
import type { ColumnSource } from '../text/columns.ts';
import { canonicalBytes } from '../text/numbers.ts';
import { isText } from '../text/text-window.ts';
import { CopyUnescaper } from './copy-escapes.ts';
import { CopyScanner } from './copy-scanner.ts';

export class CopyDecoder implements FileDecoder {
  readonly #out: RecordOutput;
  readonly #scanner: CopyScanner;
  readonly #unescaper = new CopyUnescaper();
  /** Undefined: all cells, as texts. */
  readonly #columns: readonly ColumnSource[] | undefined;
  readonly #fixedBytes: number;
  /** How often a cell is wanted, at most. */
  readonly #uses: number;
  /** Rows that stand one behind the other in the window, to be copied in one piece. */
  #runStart = 0;
  #runEnd = 0;
  #runRows = 0;

  constructor(out: RecordOutput, file: string, columns: readonly ColumnSource[] | undefined, from?: RecordPlace) {
    this.#out = out;
    this.#scanner = new CopyScanner(file, from);
    this.#columns = columns;
    const sources = columns ?? [];
    this.#fixedBytes = sources.reduce(
      (sum, one) => sum + 3 + (one.field === undefined ? one.cell.length : one.type === undefined ? 0 : canonicalBytes),
      0,
    );
    this.#uses = Math.max(1, ...sources.map(({ field }) => sources.filter((other) => other.field === field).length));
  }

  push(chunk: Buffer): void {
    this.#scanner.push(chunk);
  }

  end(): void {
    this.#scanner.end();
  }

  fill(): boolean {
    const scanner = this.#scanner;
    const { builder } = this.#out;
    const width = this.#out.schema.columns.length;
    const isWhole = this.#columns === undefined;
    while (scanner.next()) {
      if (isWhole && scanner.cellCount === width && scanner.isPacked && scanner.isText) {
        if (this.#runRows === 0) this.#runStart = scanner.rowStart;
        this.#runEnd = scanner.lineEnd;
        this.#runRows++;
        const bytes = builder.position + this.#runEnd - this.#runStart;
        if (bytes < builder.maxBytes && builder.rowCount + this.#runRows < builder.maxRows) continue;
        this.#copyRun();
        return true;
      }
      this.#copyRun();
      const fault = this.#columns === undefined ? this.#packAll(width) : this.#pack(this.#columns);
      if (fault !== undefined) this.#out.reject(fault);
      if (builder.isFull) return true;
    }
    this.#copyRun();
    return false;
  }

  #copyRun(): void {
    if (this.#runRows === 0) return;
    const { builder } = this.#out;
    builder.reserve(this.#runEnd - this.#runStart);
    const end = builder.position + this.#scanner.bytes.copy(builder.buffer, builder.position, this.#runStart, this.#runEnd);
    builder.advance(end, this.#runRows);
    this.#runRows = 0;
  }

  /** Adds a row that is not packed as it stands. */
  #packAll(width: number): DrayError | undefined {
    const { bytes, cellCount, cellEnds, isFaulty, isText: isAllText, rowStart, rowEnd } = this.#scanner;
    if (cellCount !== width) return this.#fault(`a row has ${cellCount} cells where ${width} are expected`);
    if (isFaulty) return this.#fault('a carriage return that is neither escaped nor part of a row end');
    const { builder } = this.#out;
    builder.reserve(2 * (rowEnd - rowStart) + cellCount);
    let at = builder.position;
    let from = rowStart;
    for (let cell = 0; cell < cellCount; cell++) {
      const to = cellEnds[cell]!;
      const isBroken = !isAllText && !isText(bytes.subarray(from, to), true);
      at = isBroken ? -1 : this.#repack(builder.buffer, at, from, to);
      if (at === -1) return this.#fault('bytes that are not UTF-8 text', this.#out.schema.columns[cell]!.name);
      builder.buffer[at++] = cell === cellCount - 1 ? LF : TAB;
      from = to + 1;
    }
    builder.advance(at, 1);
    return undefined;
  }

  /** Adds the wanted cells of a row. */
  #pack(columns: readonly ColumnSource[]): DrayError | undefined {
    const { bytes, cellCount, cellEnds, hasEscapes, isFaulty, isText: isAllText, rowStart, rowEnd } = this.#scanner;
    if (isFaulty) return this.#fault('a carriage return that is neither escaped nor part of a row end');
    const { builder } = this.#out;
    builder.reserve(2 * this.#uses * (rowEnd - rowStart) + this.#fixedBytes);
    const target = builder.buffer;
    let at = builder.position;
    for (let position = 0; position < columns.length; position++) {
      const column = columns[position]!;
      const { field, type, name } = column;
      if (field === undefined) {
        at += column.cell.copy(target, at);
      } else {
        if (field >= cellCount) return this.#fault(`a row has ${cellCount} cells, and the column is number ${field}, counted from 0`, name);
        const from = field === 0 ? rowStart : cellEnds[field - 1]! + 1;
        const to = cellEnds[field]!;
        if (!isAllText && !isText(bytes.subarray(from, to), true)) return this.#fault('bytes that are not UTF-8 text', name);
        if (type === undefined || isNull(bytes, from, to)) at = this.#repack(target, at, from, to);
        else if (!hasEscapes && type.isCanonical(bytes, from, to)) at += bytes.copy(target, at, from, to);
        else {
          const end = this.#unescaper.run(bytes, from, to);
          const text = end === -1 ? undefined : type.canonical(this.#unescaper.bytes.toString('utf8', 0, end));
          if (text === undefined) return this.#fault(`a value that is not ${type.words}`, name);
          at = writeText(target, at, text);
        }
        if (at === -1) return this.#fault('bytes that are not UTF-8 text', name);
      }
      target[at++] = position === columns.length - 1 ? LF : TAB;
    }
    builder.advance(at, 1);
    return undefined;
  }

  #repack(target: Buffer, at: number, from: number, to: number): number {
    const { bytes, isPacked } = this.#scanner;
    if (isNull(bytes, from, to)) return writeNull(target, at);
    if (isPacked) return at + bytes.copy(target, at, from, to);
    return this.#unescaper.repack(target, at, bytes, from, to);
  }

  #fault(cause: string, column?: string): DrayError {
    return new DrayError('ROW_REJECTED', `${cause} (line ${this.#scanner.line})`, column === undefined ? {} : { column });
  }
}

function isNull(bytes: Buffer, from: number, to: number): boolean {
  return to - from === 2 && bytes[from] === BACKSLASH && bytes[from + 1] === 0x4e;
}
