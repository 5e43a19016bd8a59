/** A native type of one server, with its extreme values, and a type of the other server that holds them. */
export interface TypeCase {
  readonly native: string;
  /** SQL expressions. */
  readonly values: readonly string[];
  /** Type of the other server that values go to and come back from exactly. */
  readonly elsewhere: string;
  /** SQL expressions of values that this type holds and the other server's does not. */
  readonly refused?: readonly string[];
  /** Type to declare when a file is read; default: a text. */
  readonly inFile?: 'bytes';
}

/** Rows with an id from here on hold a single value, which the other server cannot hold. */
export const firstRefusedId = 1000;

export interface CaseRow {
  readonly id: number;
  /** One SQL expression per case. */
  readonly cells: readonly string[];
}

/** Row by row the values of all cases side by side, NULL where a case has no more; then each refused value in a row of its own. */
export function rowsOf(cases: readonly TypeCase[]): CaseRow[] {
  const most = Math.max(...cases.map(({ values }) => values.length));
  const held = Array.from(
    { length: most + 1 },
    (_, index): CaseRow => ({ id: index + 1, cells: cases.map(({ values }) => values[index] ?? 'NULL') }),
  );
  const refused = cases.flatMap((one, column) =>
    (one.refused ?? []).map((value) => cases.map((_, index) => (index === column ? value : 'NULL'))),
  );
  return [...held, ...refused.map((cells, index) => ({ id: firstRefusedId + index, cells }))];
}

/** `c12` for the case at index 12. */
export const columnOf = (index: number) => `c${index}`;

/** A row in the database's own words. */
export interface Shown {
  readonly id: number;
  readonly cells: readonly (string | null)[];
}

/** Where one column's texts differ from the source's, over all trips: `through a file, row 3: "101", not "00000101"`. */
export function lostCells(column: number, source: readonly Shown[], arrived: ReadonlyMap<string, readonly Shown[]>): string[] {
  const expected = new Map(source.map(({ id, cells }) => [id, cells[column]]));
  return [...arrived].flatMap(([trip, rows]) =>
    rows.flatMap(({ id, cells }) => {
      const text = cells[column];
      return text === expected.get(id) ? [] : [`${trip}, row ${id}: ${JSON.stringify(text)}, not ${JSON.stringify(expected.get(id))}`];
    }),
  );
}
