import { keyKinds, type Split, type SplitKey } from '../sdk/index.ts';

/** Below this the ranges of a key are read from all over the table. */
const orderly = 0.5;
/** A table of this size no longer stays in the source's memory while range after range is picked out of it. */
const bigBytes = 128 << 20;

export interface ChosenKey {
  readonly key: SplitKey;
  /** Completes "cut by id: …". */
  readonly why: string;
}

const origins = ['splitPk', 'primary', 'unique', 'index', 'storage'] as const;

/** The key by which a split is best cut; undefined if it offers none. */
export function chooseKey({ keys = [], estimatedBytes = 0 }: Split): ChosenKey | undefined {
  const [best] = keys.filter(({ kind }) => kind !== 'blocks').sort(byWorth);
  const blocks = keys.find(({ kind }) => kind === 'blocks');
  if (best?.origin === 'splitPk') return { key: best, why: `splitPk of the job file${best.isIndexed ? '' : ', without an index'}` };
  if (blocks !== undefined) {
    if (best === undefined || best.origin === 'index') return { key: blocks, why: 'the table has no unique key that can be cut' };
    if (best.lacksStatistics === true) return { key: blocks, why: `nothing is known of the values of ${nameOf(best)}` };
    if (best.order !== undefined && best.order < orderly && estimatedBytes >= bigBytes) {
      return { key: blocks, why: `the table is big and not stored in the order of ${nameOf(best)}` };
    }
  }
  return best === undefined ? undefined : { key: best, why: reasonFor(best) };
}

/** Rows of a range lie together, then by what the key holds (integers first), then by its right to be called a key. */
function byWorth(one: SplitKey, other: SplitKey): number {
  return compare(worthOf(one), worthOf(other));
}

function worthOf({ origin, order, kind, columns }: SplitKey): number[] {
  const isUnique = origin !== 'index';
  return [
    origin === 'splitPk' ? 0 : 1,
    isUnique ? 0 : 1,
    (order ?? 1) >= orderly ? 0 : 1,
    columns.length > 1 ? 1 : 0,
    keyKinds.indexOf(kind),
    origins.indexOf(origin),
  ];
}

function compare(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((value, index) => value !== other[index]);
  return at === -1 ? 0 : one[at]! - other[at]!;
}

export function nameOf({ columns }: Pick<SplitKey, 'columns'>): string {
  return columns.join(', ');
}

function reasonFor({ origin, kind, columns, order }: SplitKey): string {
  const what = { splitPk: 'splitPk', primary: 'primary key', unique: 'unique key', index: 'index', storage: 'storage' }[origin];
  const holds = kind === 'other' ? '' : `, ${columns.length > 1 ? `${columns.length} columns` : kind}`;
  return `${what}${holds}${order !== undefined && order >= orderly ? ', and rows are stored in its order' : ''}`;
}
