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

/** How two tables differ, by native type: `bit(8) in row 3: "101", not "00000101"`; empty if they do not. */
export function differences(cases: readonly TypeCase[], expected: readonly Shown[], actual: readonly Shown[]): string[] {
  const found = new Map(actual.map((row) => [row.id, row.cells]));
  return [
    ...expected.flatMap(({ id, cells }) => {
      const other = found.get(id);
      if (other === undefined)
        return [
          `row ${id} is missing (${cases
            .filter((_, index) => cells[index] !== null)
            .map(({ native }) => native)
            .slice(0, 3)
            .join(', ')})`,
        ];
      return cases.flatMap(({ native, elsewhere }, index) =>
        cells[index] === other[index]
          ? []
          : [`${native} (by way of ${elsewhere}) in row ${id}: ${JSON.stringify(other[index])}, not ${JSON.stringify(cells[index])}`],
      );
    }),
    ...(actual.length > expected.length ? [`${actual.length} rows, not ${expected.length}`] : []),
  ];
}

/** A row in the database's own words. */
export interface Shown {
  readonly id: number;
  readonly cells: readonly (string | null)[];
}
