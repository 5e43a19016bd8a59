import { isUtf8 } from 'node:buffer';
import { escapeOf, writeBytesAsHex, writeNull, writeText } from 'dray/sdk';
import type { DecodedArray } from 'hyparquet';
import type { ConstantSource } from '../text/columns.ts';
import type { ChunkPages, Page } from './chunk-pages.ts';
import type { ColumnForm } from './column-forms.ts';

/** The values of one column in one row group, row by row; null and undefined are NULL. */
export interface RowValues {
  next(): unknown;
}

/** Of a column that is no list and no struct. Holds one page at a time. */
export class FlatValues implements RowValues {
  readonly #pages: ChunkPages;
  readonly #maxDefinition: number;
  #page: Page | undefined;
  #entry = 0;
  #value = 0;

  constructor(pages: ChunkPages, maxDefinition: number) {
    this.#pages = pages;
    this.#maxDefinition = maxDefinition;
  }

  next(): unknown {
    if (this.#page === undefined || this.#entry === this.#page.entries) {
      this.#page = this.#pages.next();
      if (this.#page === undefined) throw new Error('there are fewer values than rows');
      this.#entry = 0;
      this.#value = 0;
    }
    const { definitions, values } = this.#page;
    const entry = this.#entry++;
    return definitions !== undefined && definitions[entry] !== this.#maxDefinition ? null : (values as unknown[])[this.#value++];
  }
}

/** Of a list or struct, which is put together from the pages of all its leaves. */
export class AssembledValues implements RowValues {
  readonly #values: DecodedArray;
  #row = 0;

  constructor(values: DecodedArray) {
    this.#values = values;
  }

  next(): unknown {
    return this.#values[this.#row++];
  }
}

/** Writes the cells of one column. */
export interface CellSource {
  readonly name: string;
  /** Why a value may have no text. */
  readonly words: string;
  /** Goes to the next row; returns how much room its cell needs, or -1 if there is no text for it. */
  next(): number;
  /** Writes the cell; returns the position behind it, or -1 if it is no text. */
  write(target: Buffer, at: number): number;
}

/** Writes the same cell in every row. */
export class ConstantReader implements CellSource {
  readonly name: string;
  readonly words = '';
  readonly #cell: Buffer;

  constructor({ name, cell }: ConstantSource) {
    this.name = name;
    this.#cell = cell;
  }

  next(): number {
    return this.#cell.length + 1;
  }

  write(target: Buffer, at: number): number {
    return at + this.#cell.copy(target, at);
  }
}

/** Writes the values of one column as packed cells. */
export class ColumnReader implements CellSource {
  readonly form: ColumnForm;
  readonly #values: RowValues;
  #value: unknown;
  #text: string | undefined;

  constructor(form: ColumnForm, values: RowValues) {
    this.form = form;
    this.#values = values;
  }

  get name(): string {
    return this.form.column.name;
  }

  get words(): string {
    return this.form.words;
  }

  next(): number {
    const value = this.#values.next();
    this.#value = value;
    if (value === null || value === undefined) return 3;
    if (this.form.copies !== undefined) return 2 * (value as Uint8Array).length + 4;
    this.#text = this.form.text(value);
    return this.#text === undefined ? -1 : 3 * this.#text.length + 1;
  }

  write(target: Buffer, at: number): number {
    const value = this.#value;
    if (value === null || value === undefined) return writeNull(target, at);
    if (this.form.copies === 'text') return writeUtf8(target, at, value as Uint8Array);
    if (this.form.copies === 'hex') return writeBytesAsHex(target, at, value as Uint8Array, 0, (value as Uint8Array).length);
    return writeText(target, at, this.#text!);
  }
}

/** What a byte of a text means: 0 for ASCII that stands as it is, the letter of its escape, or this. */
const beyondAscii = 0xff;
const kinds = Uint8Array.from(escapeOf).fill(beyondAscii, 0x80);
const backslash = 0x5c;

function writeUtf8(target: Buffer, at: number, text: Uint8Array): number {
  let isAscii = true;
  for (let from = 0; from < text.length; from++) {
    const byte = text[from]!;
    const kind = kinds[byte]!;
    if (kind === 0) target[at++] = byte;
    else if (kind === beyondAscii) {
      isAscii = false;
      target[at++] = byte;
    } else {
      target[at++] = backslash;
      target[at++] = kind;
    }
  }
  return isAscii || isUtf8(text) ? at : -1;
}
