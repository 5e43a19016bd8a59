import type { KeySource, Reader, Split, SplitKey } from '../sdk/index.ts';
import { nameOf } from './choose-key.ts';
import { type Cut, type CutContext, cutPart } from './cut.ts';
import { packSmall } from './pack.ts';
import { rangeText, type SizedRange } from './ranges.ts';
import { bytesOf, splitSizes, type WantedSizes } from './size.ts';
import { type Divisible, divideTail } from './tail.ts';

/** What became of one table, query or file of a content. */
export interface PartPlan {
  readonly name: string;
  readonly shard: string | undefined;
  /** Columns by which it is cut, or would be. */
  readonly key: string | undefined;
  readonly why: string;
  readonly method: string;
  readonly estimatedRows: number | undefined;
  readonly estimatedBytes: number | undefined;
  /** Ranges it is cut into, without the one for rows that are still to come; 1 if it is read as a whole. */
  readonly splits: number;
  /** Largest range ÷ mean, by estimated rows; 1 if it is read as a whole. */
  readonly evenness: number;
  /** Ranges whose rows the source estimated, and values that were looked up. */
  readonly dives: number;
  readonly seeks: number;
  readonly notes: readonly string[];
}

/** How a content will be read. */
export interface SplitPlan {
  /** One per task, in the order in which they should start. */
  readonly splits: readonly Split[];
  readonly parts: readonly PartPlan[];
  /** Sum over the splits; undefined if one of them does not know. */
  readonly estimatedRows: number | undefined;
  readonly estimatedBytes: number | undefined;
}

export interface SplitOptions extends WantedSizes, Pick<CutContext, 'announce' | 'progress'> {}

/** Cuts the parts a reader offers into tasks of about equal size, all of them as one set: big ones by a key, small ones packed together. */
export async function planSplits(
  reader: Pick<Reader, 'openKey' | 'leftOut'>,
  parts: readonly Split[],
  options: SplitOptions,
): Promise<SplitPlan> {
  const sizes = splitSizes(parts, options);
  const openKey = async (split: Split, key: SplitKey): Promise<KeySource> => (await reader.openKey?.(split, key)) ?? {};
  const cuts: Cut[] = [];
  for (const part of parts) cuts.push(await cutPart(part, { ...options, ...sizes, openKey }));
  const divisible = cuts.flatMap((cut): Divisible[] =>
    cut.ranges.length === 0 ? [{ split: withoutFacts(cut.part), inner: [] }] : cut.ranges.map(splitOf(cut)),
  );
  const tails = divisible.flatMap(({ split }) => (isTail(split) ? [split] : []));
  const rest = divideTail(
    divisible.filter(({ split }) => !isTail(split)),
    options.channels,
  );
  // Rows that are still to come are read last, when all that will come has come; of many tables together.
  const all = [...packSmall(rest, sizes), ...packTails(tails)].map((split) => withLeftOut(split, reader));
  return {
    splits: all,
    parts: cuts.map(partPlan),
    estimatedRows: total(all, 'estimatedRows'),
    estimatedBytes: total(all, 'estimatedBytes'),
  };
}

function withLeftOut(split: Split, reader: Pick<Reader, 'leftOut'>): Split {
  if (split.members !== undefined) return { ...split, members: split.members.map((member) => withLeftOut(member, reader)) };
  const leftOut = reader.leftOut?.(split);
  return leftOut === undefined ? split : { ...split, leftOut };
}

/** Rows that readers will leave out of these splits. */
export function rowsLeftOut(splits: readonly Split[]): number {
  return splits.reduce((sum, { members = [], leftOut }) => sum + (leftOut?.rows ?? 0) + rowsLeftOut(members), 0);
}

function isTail({ range }: Split): boolean {
  return range?.excludesFrom === true;
}

function packTails(tails: readonly Split[]): Split[] {
  const [first, second] = tails;
  if (first === undefined || second === undefined) return [...tails];
  return [{ name: `new rows of ${tails.length} tables`, estimatedRows: 0, estimatedBytes: 0, members: tails }];
}

/** Without what only the Splitter needs: splits travel to threads and hosts. */
function withoutFacts({
  keys: _keys,
  notes: _notes,
  why: _why,
  refresh: _refresh,
  isFiltered: _isFiltered,
  shard: _shard,
  ...split
}: Split): Split {
  return split;
}

function splitOf({ part, key, ranges, rows }: Cut): (sized: SizedRange, index: number) => Divisible {
  const bytes = bytesOf(part);
  const count = ranges.filter(({ range }) => range.excludesFrom !== true).length;
  return ({ range, rows: inRange, inner }, index) => ({
    inner,
    split: {
      ...withoutFacts(part),
      name: `${part.name} ${splitName(range, key!, index, count)}`,
      range,
      estimatedRows: inRange,
      ...(bytes === undefined || rows === undefined || rows === 0 ? {} : { estimatedBytes: Math.round((bytes * inRange) / rows) }),
    },
  });
}

/** Names of splits go into logs and error messages, where texts of a key (addresses, names) do not belong. */
function splitName(range: SizedRange['range'], { kind, columns }: SplitKey, index: number, count: number): string {
  if (columns.length === 1 && (kind === 'integer' || kind === 'blocks')) return rangeText(range);
  return range.excludesFrom === true ? '(new rows)' : `(${index + 1} of ${count})`;
}

function partPlan({ part, key, why, method, ranges, rows, dives, seeks, notes }: Cut): PartPlan {
  const sizes = ranges.filter(({ range }) => range.excludesFrom !== true).map((sized) => sized.rows);
  const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
  return {
    name: part.name,
    shard: part.shard,
    key: key === undefined ? undefined : nameOf(key),
    why,
    method,
    estimatedRows: rows,
    estimatedBytes: bytesOf(part),
    splits: Math.max(1, sizes.length),
    evenness: sizes.length === 0 || mean === 0 ? 1 : Math.max(...sizes) / mean,
    dives,
    seeks,
    notes: [...(part.notes ?? []), ...notes],
  };
}

function total(splits: readonly Split[], key: 'estimatedRows' | 'estimatedBytes'): number | undefined {
  return splits.reduce<number | undefined>(
    (sum, { [key]: value }) => (sum === undefined || value === undefined ? undefined : sum + value),
    0,
  );
}
