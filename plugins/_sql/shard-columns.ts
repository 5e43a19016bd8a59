import { type Column, DrayError } from 'dray/sdk';
import { nameOf, type Part } from './parts.ts';
import type { ShardPolicy } from './shard-options.ts';

interface Columned {
  readonly part: Part;
  readonly columns: readonly Column[];
}

/** What the tables of a content have in common. */
export interface SharedColumns {
  /** Names that `*` stands for. */
  readonly star: readonly string[];
  /** By name, of every table that has it: the widest. Only where they are not all the same. */
  readonly widened: ReadonlyMap<string, Column>;
  /** By name: columns that some tables lack, and are NULL there. */
  readonly filled: ReadonlyMap<string, Column>;
  /** The parts with what each lacks. */
  readonly parts: readonly Part[];
  /** What people should know. Whole sentences. */
  readonly notes: readonly string[];
}

/**
 * Compares the columns of several tables, those that will be read.
 * @param wanted `column` of the job file
 * @throws DrayError SHARDS_DIFFER, naming the table and how it differs
 */
export function sharedColumns(shards: readonly Columned[], wanted: readonly string[], policy: ShardPolicy['columns']): SharedColumns {
  const byName = new Map<string, { column: Column; home: Columned; count: number }>();
  const widened = new Map<string, Column>();
  const isStar = wanted.some((text) => text.trim() === '*');
  const isRead = (name: string) => isStar || wanted.includes(name);
  for (const shard of shards) {
    for (const column of shard.columns.filter(({ name }) => isRead(name))) {
      const known = byName.get(column.name);
      if (known === undefined) {
        byName.set(column.name, { column, home: shard, count: 1 });
        continue;
      }
      known.count++;
      requireSameType(column, shard, known);
      const before = widened.get(column.name) ?? known.column;
      if (JSON.stringify(before) !== JSON.stringify(column)) widened.set(column.name, widest(before, column));
    }
  }
  const partial = [...byName].filter(([, { count }]) => count < shards.length);
  const refused = policy === 'common' ? partial.filter(([name]) => wanted.includes(name)) : policy === 'fail' ? partial : [];
  const [first] = refused;
  if (first !== undefined) throw notEverywhere(first[0], first[1].home, shards);
  const filled = policy === 'fill-null' ? partial : [];
  const dropped = policy === 'common' ? new Set(partial.map(([name]) => name)) : new Set<string>();
  const of = `of ${shards.length} tables`;
  return {
    star: [...byName.keys()].filter((name) => !dropped.has(name)),
    widened,
    filled: new Map(filled.map(([name, { column }]) => [name, sourceColumn(widened.get(name) ?? column)])),
    parts: shards.map(({ part, columns }) => {
      const lacks = filled.map(([name]) => name).filter((name) => !columns.some((column) => column.name === name));
      return lacks.length === 0 ? part : { ...part, lacks };
    }),
    notes: [
      ...(dropped.size === 0 ? [] : [`not all tables have ${[...dropped].join(', ')}: not read`]),
      ...filled.map(([name, { count }]) => `${count} ${of} have ${name}: it is NULL in the others`),
    ],
  };
}

function requireSameType(column: Column, { part }: Columned, known: { column: Column; home: Columned }): void {
  if (column.type === known.column.type) return;
  const was = `${known.column.nativeType ?? known.column.type} in ${nameOf(known.home.part)}`;
  throw new DrayError('SHARDS_DIFFER', `the column ${column.name} of ${nameOf(part)} is ${column.nativeType ?? column.type}, and ${was}`, {
    remedy: 'Give the tables the same types, leave the column out of "column", or write a cast there.',
  });
}

function notEverywhere(name: string, home: Columned, shards: readonly Columned[]): DrayError {
  const lacking = shards.filter(({ columns }) => !columns.some((column) => column.name === name));
  const others = lacking.length === 1 ? '' : `, nor have ${lacking.length - 1} other tables`;
  return new DrayError('SHARDS_DIFFER', `${nameOf(lacking[0]!.part)} has no column ${name}, which ${nameOf(home.part)} has${others}`);
}

/** A column that has the values of both. Where a limit is absent there is none. */
export function widest(one: Column, other: Column): Column {
  const { name, type } = one;
  const most = (a: number | undefined, b: number | undefined) => (a === undefined || b === undefined ? undefined : Math.max(a, b));
  const scale = most(one.scale, other.scale);
  const whole = most(wholeDigits(one), wholeDigits(other));
  const facts = {
    scale,
    precision: whole === undefined || scale === undefined ? undefined : whole + scale,
    fractionDigits: most(one.fractionDigits, other.fractionDigits),
    mantissaBits: most(one.mantissaBits, other.mantissaBits) as Column['mantissaBits'] | undefined,
    length: most(one.length, other.length),
    maxBytes: most(one.maxBytes, other.maxBytes),
  };
  const same = Object.entries(one).filter(([key, value]) => JSON.stringify(value) === JSON.stringify(other[key as keyof Column]));
  return {
    ...(Object.fromEntries(same) as Partial<Column>),
    ...(Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as Partial<Column>),
    name,
    type,
    isNullable: one.isNullable || other.isNullable,
  };
}

function wholeDigits({ precision, scale }: Column): number | undefined {
  return precision === undefined || scale === undefined ? undefined : precision - scale;
}

/** A column of the catalog without what only counts for targets, and with NULL. */
function sourceColumn(column: Column): Column {
  const {
    pattern: _pattern,
    replacesNull: _replaces,
    dropsNegativeZero: _drops,
    ...rest
  } = column as Column & { isGenerated?: boolean; keyPlace?: number };
  const { isGenerated: _generated, keyPlace: _place, ...plain } = rest;
  return { ...plain, isNullable: true };
}

/** Pseudo-columns: where a row comes from. */
const placeColumns = ['_shard', '_table'] as const;

/** `column` of the job file with what the policy adds. */
export function wantedColumns(column: readonly string[], { collisions }: Pick<ShardPolicy, 'collisions'>): readonly string[] {
  return collisions === 'add-shard' ? [...column, ...placeColumns.filter((name) => !column.includes(name))] : column;
}

/** What the reader itself puts into a column, instead of the table. */
export interface OwnValues {
  /** Of this table. */
  readonly shard: string;
  readonly table: string;
  readonly lacks: readonly string[];
}

/** SQL of a column that is not the table's: the place of its rows, or NULL. */
export function ownExpression(
  text: string,
  known: readonly Column[],
  { shard, table, lacks }: OwnValues,
  quoteText: (text: string) => string,
): string | undefined {
  if (lacks.includes(text)) return 'NULL';
  if (known.some(({ name }) => name === text)) return undefined;
  if (text === '_shard') return quoteText(shard);
  return text === '_table' ? quoteText(table) : undefined;
}

/** How the first table describes its columns, as all tables have them. `own`: places of columns that are not the table's. */
export function plannedBy(
  described: readonly Column[],
  names: readonly string[],
  own: readonly boolean[],
  shared: SharedColumns | undefined,
): Column[] {
  return described.map((column, index) => {
    const name = names[index]!;
    if (own[index]) return shared?.filled.get(name) ?? { name, type: 'string', isNullable: false };
    const wider = shared?.widened.get(column.name);
    const filled = shared?.filled.get(column.name);
    const wide = wider === undefined || wider.type !== column.type ? column : widest(column, wider);
    return filled === undefined ? wide : { ...wide, isNullable: true };
  });
}

/** What a table delivers, with the reader's own columns as they were planned. */
export function withOwn(described: readonly Column[], planned: readonly Column[], own: readonly boolean[]): Column[] {
  return described.map((column, index) => (own[index] === true ? (planned[index] ?? column) : column));
}
