import { DrayError, type RecordOutput } from 'dray/sdk';
import type { FileDecoder, RecordPlace } from '../format.ts';
import type { ColumnSource } from '../text/columns.ts';
import type { CharacterDecoder, Encoding } from '../text/encodings.ts';
import { PlainRecords } from './plain-records.ts';
import { RecordScanner } from './record-scanner.ts';
import { headerNames, recordTexts } from './record-texts.ts';
import { RowWriter } from './row-writer.ts';
import type { ScanFormat } from './scan-kinds.ts';

export interface DecoderFacts {
  readonly format: ScanFormat;
  /** Undefined: UTF-8. */
  readonly encoding: Encoding | undefined;
  readonly sources: readonly ColumnSource[];
  /** All fields are wanted, in their order, as text. */
  readonly wantsAll: boolean;
  readonly hasHeader: boolean;
}

export class DelimitedDecoder implements FileDecoder {
  readonly #out: RecordOutput;
  readonly #file: string;
  readonly #facts: DecoderFacts;
  readonly #scanner: RecordScanner;
  readonly #plain: PlainRecords | undefined;
  readonly #rows: RowWriter;
  readonly #characters: CharacterDecoder | undefined;
  #isHeaderNext: boolean;

  constructor(out: RecordOutput, file: string, facts: DecoderFacts, from?: RecordPlace) {
    const { format, encoding, sources, wantsAll } = facts;
    this.#out = out;
    this.#file = file;
    this.#facts = facts;
    this.#scanner = new RecordScanner(format, file, from);
    this.#plain = PlainRecords.of(format, sources);
    this.#rows = new RowWriter(this.#scanner, out, sources, { format, encoding: encoding?.name ?? 'UTF-8', wantsAll });
    this.#characters = encoding?.decoder();
    this.#isHeaderNext = facts.hasHeader && from === undefined;
  }

  push(chunk: Buffer): void {
    this.#scanner.push(this.#characters?.write(chunk) ?? chunk);
  }

  end(): void {
    if (this.#characters !== undefined) this.#scanner.push(this.#characters.end());
    this.#scanner.end();
  }

  fill(): boolean {
    const scanner = this.#scanner;
    const { builder } = this.#out;
    for (;;) {
      if (this.#plain !== undefined && !this.#isHeaderNext) scanner.packPlain(this.#plain, builder);
      if (builder.isFull) return true;
      if (!scanner.next()) return false;
      if (this.#isHeaderNext) {
        this.#isHeaderNext = false;
        if (this.#facts.wantsAll) this.#checkHeader();
      } else this.#rows.write();
    }
  }

  /** All files of a content deliver the same columns; a header that says otherwise means that cells would land in the wrong ones. */
  #checkHeader(): void {
    const names = headerNames(recordTexts(this.#scanner, this.#facts.format));
    const expected = this.#out.schema.columns.map(({ name }) => name);
    if (names.length === expected.length && names.every((name, index) => name === expected[index])) return;
    throw new DrayError('FILE_BROKEN', `${this.#file}: its header names other columns than that of the first file`, {
      place: this.#file,
      remedy: 'Read it in a content of its own, or list the columns by index in "column".',
    });
  }
}
