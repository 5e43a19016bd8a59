import type { KeyRange, KeyValue } from 'dray/sdk';

/** How a database writes the columns and values of a key. */
export interface KeyDialect {
  readonly column: (name: string) => string;
  /** The literal of a value for the key's column of that index. */
  readonly literal: (value: string, index: number) => string;
  /** True if `(a, b) >= (x, y)` is answered from an index. MySQL's optimizer does that for `=` and IN only. */
  readonly comparesRows: boolean;
}

type Operator = '<' | '<=' | '>' | '>=';

/** The rows of a range, as a condition that an index of the key can answer; undefined if it holds all rows. */
export function rangeCondition(range: KeyRange, dialect: KeyDialect): string | undefined {
  const { columns, from, to, excludesFrom, includesTo, includesNull } = range;
  const parts: string[] = [];
  if (from !== null) parts.push(comparison(columns, excludesFrom ? '>' : '>=', from, dialect));
  if (to !== null) parts.push(comparison(columns, includesTo ? '<=' : '<', to, dialect));
  if (parts.length === 0) return undefined;
  const inside = parts.join(' AND ');
  return includesNull ? `((${inside}) OR ${dialect.column(columns[0]!)} IS NULL)` : `(${inside})`;
}

/** Compares the key, or its first columns if the value has fewer, with a value. */
export function comparison(columns: readonly string[], operator: Operator, value: KeyValue, dialect: KeyDialect): string {
  const names = columns.slice(0, value.length).map(dialect.column);
  const literals = value.map(dialect.literal);
  if (names.length === 1) return `${names[0]} ${operator} ${literals[0]}`;
  if (dialect.comparesRows) return `(${names.join(', ')}) ${operator} (${literals.join(', ')})`;
  return nested(names, literals, operator);
}

/** `(a > x OR (a = x AND b >= y))`: ranges of the index on (a, b), which the row comparison is not. */
function nested([name, ...names]: readonly string[], [literal, ...literals]: readonly string[], operator: Operator): string {
  if (names.length === 0) return `${name} ${operator} ${literal}`;
  return `(${name} ${operator[0]} ${literal} OR (${name} = ${literal} AND ${nested(names, literals, operator)}))`;
}
