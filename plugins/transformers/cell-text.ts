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

/** What is known of the texts that a column has behind a transformer: the less can be told, the more the rows must be compared with the target. */
interface TextFacts {
  readonly isNullable?: boolean;
  /** Most characters. */
  readonly length?: number | undefined;
}

/** Most characters of the texts of a column, if that is known. */
export function lengthOf({ type, length }: Column): number | undefined {
  return type === 'string' ? length : undefined;
}

function textLike({ name, isNullable }: Column, { length, ...facts }: TextFacts): Column {
  return { name, type: 'string', isNullable, ...facts, ...(length === undefined ? {} : { length }) };
}

/** A transformer of one column, whose cells become texts: `change` gets the text, or null. */
export function textColumn(column: Column, change: (text: Cell) => Cell, facts: TextFacts = {}) {
  const read = textOf(column);
  const row = (cells: Cell[]) => {
    const cell = cells[0]!;
    cells[0] = change(cell === null ? null : read(cell));
  };
  return { column: textLike(column, facts), row };
}

/** The same columns as texts, by their positions. */
export function toText(
  found: readonly { readonly position: number; readonly column: Column }[],
  factsOf: (column: Column) => TextFacts = () => ({}),
): Map<number, Column> {
  return new Map(found.map(({ position, column }) => [position, textLike(column, factsOf(column))]));
}
