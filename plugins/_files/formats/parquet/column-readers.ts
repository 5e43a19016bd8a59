import { isUtf8 } from 'node:buffer';
import { type Column, DrayError, escapeOf, writeBytesAsHex, writeNull, writeText } from 'dray/sdk';
import type { DecodedArray, SchemaElement, SchemaTree } from 'hyparquet';
import { type LeafValue, leafType } from './leaf-types.ts';
import { isList, nestedJson } from './nested-json.ts';

/** How a column of a file is delivered. */
export interface ColumnForm {
  readonly column: Column;
  readonly copies: 'text' | 'hex' | undefined;
  readonly text: (value: unknown) => string | undefined;
  /** Why a value may have no text. */
  readonly words: string;
}

/** @throws DrayError TYPE_UNSUPPORTED for values that have no canonical text */
export function columnForm(node: SchemaTree, file: string): ColumnForm {
  const { element, children } = node;
  const { name } = element;
  const isNullable = element.repetition_type !== 'REQUIRED';
  if (children.length === 0 && element.repetition_type !== 'REPEATED') {
    const type = leafType(element);
    if (type === undefined) throw unsupported(element, file);
    const { column, copies, text, words } = type;
    return { column: { name, isNullable, ...column }, copies, text: (value) => text(value as LeafValue), words };
  }
  const json = nestedJson(node);
  if (json === undefined) throw unsupported(element, file);
  return {
    column: { name, isNullable, type: 'json' },
    copies: undefined,
    text: json,
    words: 'a list or struct with a value that has no text',
  };
}

/**
 * The schema as the library shall see it: without what leaves mean, so that it delivers physical values, and with lists marked the one way
 * that it knows.
 */
export function physicalSchema(schema: readonly SchemaElement[]): SchemaElement[] {
  return schema.map(({ converted_type: converted, logical_type: logical, ...element }) => {
    if (element.type !== undefined) return element;
    if (isList({ name: '', converted_type: converted, logical_type: logical } as SchemaElement))
      return { ...element, converted_type: 'LIST' };
    return {
      ...element,
      ...(converted === undefined ? {} : { converted_type: converted }),
      ...(logical === undefined ? {} : { logical_type: logical }),
    };
  });
}

function unsupported({ name, type, converted_type, logical_type }: SchemaElement, file: string): DrayError {
  const words = [logical_type?.type ?? converted_type, type].filter((word) => word !== undefined).join(' in ') || 'group';
  return new DrayError('TYPE_UNSUPPORTED', `${file}: the column ${name} has the type ${words}, which is not supported`, {
    place: file,
    remedy: 'List the other columns by name in "column", or write the file again with another type.',
  });
}

/** Writes the values of one column in one row group as packed cells. */
export class ColumnReader {
  readonly form: ColumnForm;
  readonly #pages: readonly DecodedArray[];
  #page: DecodedArray;
  #nextPage = 1;
  /** Row of the group that the page starts with. */
  #pageStart = 0;
  #value: unknown;
  #text: string | undefined;

  constructor(form: ColumnForm, pages: readonly DecodedArray[]) {
    this.form = form;
    this.#pages = pages;
    this.#page = pages[0] ?? [];
  }

  /** Goes to the next row; returns how much room its cell needs, or -1 if it has none. */
  next(row: number): number {
    while (row - this.#pageStart >= this.#page.length) {
      this.#pageStart += this.#page.length;
      this.#page = this.#pages[this.#nextPage++]!;
    }
    const value = (this.#page as unknown[])[row - this.#pageStart];
    this.#value = value;
    if (value === null || value === undefined) return 3;
    if (this.form.copies !== undefined) return 2 * (value as Uint8Array).length + 4;
    this.#text = this.form.text(value);
    return this.#text === undefined ? -1 : 3 * this.#text.length + 1;
  }

  /** Writes the cell; returns the position behind it, or -1 if it is no text. */
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
