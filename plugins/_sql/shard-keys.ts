import { DrayError, type PluginContext, type Split } from 'dray/sdk';
import { sideBySide } from './side-by-side.ts';

/** The values of a table's key, which is one column of whole numbers. */
export interface KeyReader {
  /** It is asked one question at a time. */
  readonly session: string;
  /** undefined: no row. */
  bounds(column: string): Promise<{ readonly min: bigint; readonly max: bigint } | undefined>;
  /** The next values in order, at most so many. */
  after(column: string, from: bigint | undefined, count: number): Promise<readonly bigint[]>;
}

/** How a server is asked for the keys of one table. */
export interface KeyQueries {
  readonly session: string;
  /** Condition of the job file. */
  readonly where: string | undefined;
  readonly quoteName: (name: string) => string;
  /** Sends the statement that is made for the table, as it stands in FROM, and returns all its values. */
  readonly values: (select: (table: string) => string) => Promise<bigint[]>;
}

/** Reads the keys of a table in its server's order. */
export function keyReader({ session, where, quoteName, values }: KeyQueries): KeyReader {
  const filterOf = (...conditions: readonly string[]) => {
    const all = where === undefined ? conditions : [...conditions, where];
    return all.length === 0 ? '' : ` WHERE ${all.join(' AND ')}`;
  };
  return {
    session,

    async bounds(column) {
      const name = quoteName(column);
      const [min, max] = await values((table) => `SELECT MIN(${name}), MAX(${name}) FROM ${table}${filterOf()}`);
      return min === undefined || max === undefined ? undefined : { min, max };
    },

    after(column, last, count) {
      const name = quoteName(column);
      const filter = last === undefined ? filterOf() : filterOf(`${name} > ${last}`);
      return values((table) => `SELECT ${name} FROM ${table}${filter} ORDER BY ${name} LIMIT ${count}`);
    },
  };
}

/** A table whose keys are compared. */
export interface Keyed {
  readonly name: string;
  /** Its place among all tables, in the order of the job file. */
  readonly place: number;
  readonly column: string;
  readonly keys: KeyReader;
  readonly min: bigint;
  readonly max: bigint;
}

const mostSessions = 16;
/** Keys of all tables together that are held in memory. */
const mostKeys = 2_000_000;
const [leastStep, mostStep] = [200, 20_000];

/** What is done about a key that two tables have: `first` is the one that the job file names first. Called once for each pair of the first table and a later one. */
export type OnSharedKey = (key: bigint, first: Keyed, later: Keyed) => void;

export interface Comparison {
  /** That asks for it, for messages. */
  readonly policy: 'fail' | 'keep-first';
  readonly keysOf: (split: Split) => KeyReader;
  readonly warn: PluginContext['warn'];
  readonly onShared: OnSharedKey;
}

/** Makes sure that no two of these tables have a row with the same primary key, now. @throws DrayError SHARDS_COLLIDE */
export function requireDistinctKeys(splits: readonly Split[], keysOf: Comparison['keysOf'], warn: Comparison['warn']): Promise<void> {
  const onShared: OnSharedKey = (_, first, later) => {
    throw collision(first, later);
  };
  return compareKeys(splits, { policy: 'fail', keysOf, warn, onShared });
}

/**
 * Compares the primary keys of tables as they are now: by their ranges, and where these overlap by reading all keys there, in order.
 * @param splits one per table, in the order of the job file
 * @throws DrayError JOB_INVALID if a table has no primary key of one whole number
 */
export async function compareKeys(splits: readonly Split[], { policy, keysOf, warn, onShared }: Comparison): Promise<void> {
  const tables = splits.map((split, place) => ({ split, place, column: keyColumn(split, policy), keys: keysOf(split) }));
  const bounded = await bySession(tables, async ({ split, place, column, keys }): Promise<Keyed[]> => {
    const bounds = await keys.bounds(column);
    return bounds === undefined ? [] : [{ name: split.name, place, column, keys, ...bounds }];
  });
  for (const group of overlapping(bounded.flat())) {
    if (group.length === 1) continue;
    warn(`the ranges of the keys of ${group.length} tables overlap: all their keys are read and compared before anything is loaded`);
    await compare(group, onShared);
  }
}

/** Servers side by side, within one session one after the other. */
async function bySession<T extends { readonly keys: KeyReader }, R>(items: readonly T[], ask: (item: T) => Promise<R>): Promise<R[]> {
  const sessions = new Map<string, T[]>();
  for (const item of items) sessions.set(item.keys.session, [...(sessions.get(item.keys.session) ?? []), item]);
  const perSession = await sideBySide([...sessions.values()], mostSessions, async (own) => {
    const results: R[] = [];
    for (const item of own) results.push(await ask(item));
    return results;
  });
  return perSession.flat();
}

function keyColumn({ name, keys = [] }: Split, policy: Comparison['policy']): string {
  const primary = keys.find(({ origin }) => origin === 'primary');
  const [column, second] = primary?.columns ?? [];
  if (column !== undefined && second === undefined && primary?.kind === 'integer') return column;
  throw new DrayError('JOB_INVALID', `"collisions": "${policy}" compares primary keys of one whole number, and ${name} has none`, {
    side: 'source',
    remedy: 'Use "add-shard", or leave collisions to the primary key of the target, with writeMode insert.',
  });
}

/** Tables by whose ranges alone it is not clear that they share no key. */
function overlapping(tables: readonly Keyed[]): Keyed[][] {
  const groups: Keyed[][] = [];
  let end: bigint | undefined;
  for (const table of [...tables].sort((a, b) => (a.min < b.min ? -1 : a.min > b.min ? 1 : 0))) {
    if (end === undefined || table.min > end) groups.push([]);
    groups.at(-1)!.push(table);
    end = end === undefined || table.max > end ? table.max : end;
  }
  return groups;
}

/** Reads the keys of all tables a stretch at a time: up to the least of the last keys that are known of each. */
async function compare(tables: readonly Keyed[], onShared: OnSharedKey): Promise<void> {
  const step = Math.max(leastStep, Math.min(mostStep, Math.floor(mostKeys / tables.length)));
  const ahead = tables.map((table) => ({
    table,
    keys: table.keys,
    known: [] as readonly bigint[],
    last: undefined as bigint | undefined,
    isDone: false,
  }));
  while (ahead.some(({ known, isDone }) => known.length > 0 || !isDone)) {
    await bySession(
      ahead.filter(({ known, isDone }) => known.length === 0 && !isDone),
      async (one) => {
        one.known = await one.keys.after(one.table.column, one.last, step);
        one.last = one.known.at(-1) ?? one.last;
        one.isDone = one.known.length < step;
      },
    );
    const bound = ahead.reduce<bigint | undefined>((least, { last, isDone }) => {
      return isDone || last === undefined ? least : least === undefined || last < least ? last : least;
    }, undefined);
    const seen = new Map<bigint, Keyed>();
    for (const one of ahead) {
      const end = bound === undefined ? one.known.length : upTo(one.known, bound);
      for (const key of one.known.slice(0, end)) {
        const other = seen.get(key);
        const [first, later] = other === undefined || other.place > one.table.place ? [one.table, other] : [other, one.table];
        seen.set(key, first);
        if (later === undefined) continue;
        // One table has a key twice: one that others inherit from, in PostgreSQL.
        if (later === first) throw collision(first, later);
        onShared(key, first, later);
      }
      one.known = one.known.slice(end);
    }
  }
}

/** How many values, which are in order, are not above a bound. */
export function upTo(values: readonly bigint[], bound: bigint): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! <= bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

function collision(one: Keyed, other: Keyed): DrayError {
  return new DrayError('SHARDS_COLLIDE', `${one.name} and ${other.name} have rows with the same primary key (${one.column})`, {
    side: 'source',
  });
}
