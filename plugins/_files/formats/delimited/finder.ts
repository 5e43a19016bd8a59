import type { Schema } from 'dray/sdk';
import type { SchemaFinder } from '../format.ts';
import { schemaOf, textColumns } from '../text/columns.ts';
import type { CharacterDecoder, Encoding } from '../text/encodings.ts';
import { RecordScanner } from './record-scanner.ts';
import { headerNames, recordTexts } from './record-texts.ts';
import type { ScanFormat } from './scan-kinds.ts';

/** Takes the first row for the names of the columns, or counts its fields. */
export class DelimitedFinder implements SchemaFinder {
  readonly #format: ScanFormat;
  readonly #scanner: RecordScanner;
  readonly #characters: CharacterDecoder | undefined;
  readonly #hasHeader: boolean;

  constructor(format: ScanFormat, file: string, encoding: Encoding | undefined, hasHeader: boolean) {
    this.#format = format;
    this.#scanner = new RecordScanner(format, file);
    this.#characters = encoding?.decoder();
    this.#hasHeader = hasHeader;
  }

  push(chunk: Buffer): Schema | undefined {
    this.#scanner.push(this.#characters?.write(chunk) ?? chunk);
    return this.#found();
  }

  end(): Schema | undefined {
    if (this.#characters !== undefined) this.#scanner.push(this.#characters.end());
    this.#scanner.end();
    return this.#found();
  }

  #found(): Schema | undefined {
    if (!this.#scanner.next()) return undefined;
    const record = recordTexts(this.#scanner, this.#format);
    return schemaOf(textColumns(this.#hasHeader ? headerNames(record) : record.map((_, index) => `c${index}`)));
  }
}
