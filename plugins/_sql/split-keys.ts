import type { Json, KeyKind, PluginContext, SplitKey } from 'dray/sdk';
import { findColumn } from './parts.ts';

/** A column that may be part of a key. */
export interface KeyColumn {
  readonly name: string;
  /** undefined: its values cannot be cut (JSON, FLOAT, …). */
  readonly kind: KeyKind | undefined;
  readonly isNullable: boolean;
  /** The type, for people. */
  readonly nativeType: string;
}

/** An index whose order is that of its columns' own values: no prefixes, no expressions, no other collation. */
export interface KeyIndex {
  readonly name: string;
  readonly isPrimary: boolean;
  readonly isUnique: boolean;
  readonly columns: readonly string[];
  /** As in SplitKey. */
  readonly order?: number;
}

export interface KeyFacts {
  readonly table: string;
  readonly columns: readonly KeyColumn[];
  readonly indexes: readonly KeyIndex[];
  /** What the reader needs to know again in a range of these columns; `index` is the name of the one to use. */
  readonly stateOf: (columns: readonly KeyColumn[], index: string | undefined) => Json;
  readonly lacksStatistics: boolean;
}

/** The keys by which a table can be cut: `splitPk` if the job file names one that can, and those that the table has. */
export function splitKeys(facts: KeyFacts, splitPk: string | undefined, context: PluginContext): SplitKey[] {
  const keys = facts.indexes.flatMap((index): SplitKey[] => {
    const columns = index.columns.map((name) => facts.columns.find((column) => column.name === name));
    const origin = index.isPrimary ? 'primary' : index.isUnique ? 'unique' : 'index';
    const key = keyOf(columns, origin, index, facts);
    return key === undefined ? [] : [key];
  });
  const wanted = wantedKey(facts, splitPk, context);
  return wanted === undefined ? keys : [wanted, ...keys];
}

function keyOf(
  columns: readonly (KeyColumn | undefined)[],
  origin: SplitKey['origin'],
  index: KeyIndex | undefined,
  { lacksStatistics, stateOf }: KeyFacts,
): SplitKey | undefined {
  const known = columns.filter((column) => column?.kind !== undefined) as KeyColumn[];
  const [first] = known;
  // A NULL within a key of several columns makes every comparison with it unknown.
  if (first === undefined || known.length < columns.length || (known.length > 1 && known.some(({ isNullable }) => isNullable)))
    return undefined;
  return {
    columns: known.map(({ name }) => name),
    kind: first.kind!,
    origin,
    isNullable: first.isNullable,
    isIndexed: index !== undefined,
    ...(index?.order === undefined ? {} : { order: index.order }),
    ...(lacksStatistics ? { lacksStatistics } : {}),
    state: stateOf(known, index?.name),
  };
}

/** `splitPk` of the job file: one column, or several separated by commas. */
function wantedKey(facts: KeyFacts, splitPk: string | undefined, context: PluginContext): SplitKey | undefined {
  if (splitPk === undefined || splitPk.trim() === '') return undefined;
  const columns = splitPk
    .split(',')
    .map((name) => findColumn(facts.columns, name, `the ${facts.table} has no column "${name.trim()}" (splitPk)`));
  const index = facts.indexes.find((one) => columns.every(({ name }, at) => one.columns[at] === name));
  const key = keyOf(columns, 'splitPk', index, facts);
  if (key === undefined) {
    const types = columns.map(({ nativeType, isNullable }) => `${nativeType}${isNullable && columns.length > 1 ? ' and may be NULL' : ''}`);
    context.warn(`the ${facts.table} is not cut by splitPk ${splitPk}, because that is ${types.join(', ')}`);
  }
  return key;
}
