import { DrayError, type LeftOut, type PluginContext, type Split } from 'dray/sdk';
import { compareKeys, type KeyReader, upTo } from './shard-keys.ts';

/** Keys that are left out of one content. They are held in memory, stand in the plan of the run, and in the statements that read. */
export const mostLeftOut = 100_000;
/** Tables, and keys of each, that are told. */
const toldTables = 5;
const toldKeys = 5;

/** Rows of one table whose keys an earlier table has. */
interface Later {
  readonly name: string;
  readonly place: number;
  readonly column: string;
  /** In order. */
  readonly keys: bigint[];
}

/** What a task needs to leave rows out: plain JSON in the plan of the run. */
interface LeftOutKeys {
  readonly column: string;
  /** Whole numbers, separated by commas. */
  readonly keys: string;
}

/**
 * `"collisions": "keep-first"`: of several rows with the same primary key the one of the first table is read, in the order of the job file. Which these are is
 * decided once, when the run is planned, so that it does not matter in which order tasks read, or how often.
 */
export class FirstRows {
  /** By `part` of a split. */
  readonly #later: ReadonlyMap<Split['part'], Later>;

  private constructor(later: ReadonlyMap<Split['part'], Later>) {
    this.#later = later;
  }

  /**
   * Compares the keys of all tables.
   * @param splits one per table, in the order of the job file
   * @throws DrayError SHARDS_COLLIDE if too many are shared
   */
  static async find(splits: readonly Split[], keysOf: (split: Split) => KeyReader, warn: PluginContext['warn']): Promise<FirstRows> {
    const byPlace = new Map<number, Later>();
    let count = 0;
    await compareKeys(splits, {
      policy: 'keep-first',
      keysOf,
      warn,
      onShared: (key, _, { name, place, column }) => {
        if (++count > mostLeftOut) throw tooMany(name);
        const known = byPlace.get(place) ?? { name, place, column, keys: [] };
        known.keys.push(key);
        byPlace.set(place, known);
      },
    });
    for (const { keys } of byPlace.values()) keys.sort((one, other) => (one < other ? -1 : 1));
    if (count > 0)
      warn(
        remark(
          count,
          [...byPlace.values()].sort((one, other) => one.place - other.place),
        ),
      );
    return new FirstRows(new Map([...byPlace].map(([place, later]) => [splits[place]!.part, later])));
  }

  /** A table of which rows are left out is cut by that key alone, so that each task gets those that it could meet. */
  cuttable(split: Split): Split {
    const later = this.#later.get(split.part);
    if (later === undefined) return split;
    const keys = split.keys?.filter(({ columns }) => columns.length === 1 && columns[0] === later.column);
    const isWanted = split.keys?.some((key) => key.origin === 'splitPk' && !keys?.includes(key)) === true;
    const note = `${split.name} is not cut by splitPk, because rows are left out of it by ${later.column}`;
    return { ...split, ...(keys === undefined ? {} : { keys }), ...(isWanted ? { notes: [...(split.notes ?? []), note] } : {}) };
  }

  /** As in Reader. */
  leftOut({ part, range }: Split): LeftOut | undefined {
    const later = this.#later.get(part);
    if (later === undefined) return undefined;
    const [from, to] = [range?.from?.[0], range?.to?.[0]];
    const below = from === undefined ? 0 : upTo(later.keys, BigInt(from) - (range?.excludesFrom ? 0n : 1n));
    const end = to === undefined ? later.keys.length : upTo(later.keys, BigInt(to) - (range?.includesTo ? 0n : 1n));
    const keys = later.keys.slice(below, end);
    if (keys.length === 0) return undefined;
    const state: LeftOutKeys = { column: later.column, keys: keys.join(',') };
    return { rows: keys.length, state: { ...state } };
  }
}

/** What a split leaves out, as SQL takes it; undefined: nothing. */
export function leftOutKeys({ leftOut }: Split): LeftOutKeys | undefined {
  if (leftOut?.state === undefined) return undefined;
  const { column, keys } = leftOut.state as unknown as LeftOutKeys;
  if (!/^-?\d+(,-?\d+)*$/.test(keys)) throw new Error('the keys that are left out of a split are no whole numbers');
  return { column, keys };
}

function tooMany(name: string): DrayError {
  const many = mostLeftOut.toLocaleString('en-US');
  return new DrayError('SHARDS_COLLIDE', `more than ${many} rows of ${name} and others have primary keys that earlier tables have`, {
    side: 'source',
    remedy: `"keep-first" leaves out at most ${many} rows: use "add-shard" and choose at the target, or exclude those rows with "where", in a content of their own.`,
  });
}

function remark(count: number, later: readonly Later[]): string {
  const of = later.slice(0, toldTables).map(({ name, column, keys }) => {
    const more = keys.length > toldKeys ? ', …' : '';
    return `${keys.length.toLocaleString('en-US')} of ${name} (${column} ${keys.slice(0, toldKeys).join(', ')}${more})`;
  });
  const rest = later.length - of.length;
  const rows = count === 1 ? '1 row is' : `${count.toLocaleString('en-US')} rows are`;
  return `${rows} left out, because an earlier table has their primary key: ${of.join('; ')}${rest > 0 ? `; and of ${rest} more tables` : ''}`;
}
