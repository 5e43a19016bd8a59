import { type Cell, type Column, DrayError } from 'dray/sdk';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes of a cell of type `bytes`. */
export function bytesOf(cell: string): Buffer {
  return Buffer.from(cell.slice(2), 'hex');
}

/**
 * What a cell says as a text: of bytes, the text that they are in UTF-8.
 * @throws DrayError ROW_REJECTED if they are none
 */
export function textOf({ type, name }: Column): (cell: string) => string {
  if (type !== 'bytes') return (cell) => cell;
  return (cell) => {
    try {
      return utf8.decode(bytesOf(cell));
    } catch (cause) {
      throw new DrayError('ROW_REJECTED', 'bytes that are no text in UTF-8', { column: name, cause });
    }
  };
}

/** A transformer of one column, whose cells become texts: `change` gets the text, or null. */
export function textColumn(
  column: Column,
  change: (text: Cell) => Cell,
  { isNullable = column.isNullable }: { readonly isNullable?: boolean } = {},
) {
  const read = textOf(column);
  const row = (cells: Cell[]) => {
    const cell = cells[0]!;
    cells[0] = change(cell === null ? null : read(cell));
  };
  return { column: { name: column.name, type: 'string', isNullable } satisfies Column, row };
}

/** The same columns as texts, by their positions. */
export function toText(
  found: readonly { readonly position: number; readonly column: Column }[],
  facts: { readonly isNullable?: boolean } = {},
): Map<number, Column> {
  return new Map(found.map(({ position, column: { name, isNullable } }) => [position, { name, type: 'string', isNullable, ...facts }]));
}
