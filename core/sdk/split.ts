import type { Json } from './plugin.ts';

/** Values of a key, one text for each of its columns, as the source prints them. Only the source compares them. */
export type KeyValue = readonly string[];

/** What the first column of a key holds; the Splitter prefers the earlier ones. `blocks` is the place of a row in the table's storage. */
export const keyKinds = ['integer', 'timestamp', 'date', 'decimal', 'uuid', 'string', 'bytes', 'other', 'blocks'] as const;
export type KeyKind = (typeof keyKinds)[number];

/** A column, or several, by whose ranges a split can be cut. Stated from metadata, without reading rows. */
export interface SplitKey {
  readonly columns: readonly string[];
  readonly kind: KeyKind;
  /** Why it is a candidate; `splitPk`: the job file names it. `storage` goes with the kind `blocks`. */
  readonly origin: 'splitPk' | 'primary' | 'unique' | 'index' | 'storage';
  /** True where rows with a NULL key may exist; they go into exactly one range. Only for keys of one column. */
  readonly isNullable: boolean;
  /** False: to find a range the source reads everything. */
  readonly isIndexed: boolean;
  /** How far rows are stored in the order of the key: 1 is in order, 0 at random. Absent: not known. */
  readonly order?: number;
  /** True: nothing is known of how the values are distributed, because the source was never asked to look (ANALYZE). */
  readonly lacksStatistics?: boolean;
  /** For the reader alone; it comes back in every range of this key. */
  readonly state?: Json;
}

/**
 * Range of a key: `from <= key < to`, null being open at that end. For the two that end at the largest value, `from < key` where `excludesFrom`
 * is set, and `key <= to` where `includesTo` is.
 */
export interface KeyRange {
  readonly columns: readonly string[];
  readonly from: KeyValue | null;
  readonly to: KeyValue | null;
  readonly excludesFrom?: true;
  readonly includesTo?: true;
  readonly includesNull: boolean;
  /** Set for keys of the kind `blocks`: a row that changes may leave the range, so that ranges of one plan hold each row once only within one snapshot. */
  readonly isStoragePlace?: true;
  /** That of the key. */
  readonly state?: Json;
}

/** A part of a content that one Task reads on its own. Small JSON. */
export interface Split {
  /** What it is, for people: a table, a file, a range. */
  readonly name: string;
  /** For the reader alone: whatever it needs to find this part again. */
  readonly part?: Json;
  /** The database or schema, with its server, that it lies in: for the plan, which counts them. */
  readonly shard?: string;
  readonly estimatedRows?: number;
  readonly estimatedBytes?: number;
  /** Set by a reader that can restrict itself to a `range` of one of these keys; the Splitter decides whether to cut, and by which. */
  readonly keys?: readonly SplitKey[];
  /** True if not all rows of the table pass (`where`): how many lie in a range of a key then says little of how many are read. */
  readonly isFiltered?: true;
  /** What a person should know of this part before it is read (statistics that are out of date). Whole sentences. */
  readonly notes?: readonly string[];
  /** Why it is read as a whole, or how its reader has cut it, for the plan: completes "read as a whole: …". Only without `keys`. */
  readonly why?: string;
  /** What to do at the source to bring its statistics of this part up to date, as a command. */
  readonly refresh?: string;
  /** Set by the Splitter. */
  readonly range?: KeyRange;
  /**
   * Set by the Splitter: small splits, or parts of `range`, that one task reads one after the other; the reader is given each of them, never the whole. While it
   * reads, those it has not begun may be given to another task.
   */
  readonly members?: readonly Split[];
  /** What `leftOut` of the reader has said of it. Of a pack: of each member. */
  readonly leftOut?: LeftOut;
}

/** Rows that a split has and its reader will not deliver, because the job says so. Kept with the plan of the run. */
export interface LeftOut {
  /** When the run was planned. For the report. */
  readonly rows: number;
  /** For the reader alone: what it needs to leave them out. */
  readonly state?: Json;
}

/** A value at which a key can be cut, and how many rows are thought to lie from it up to the next point. */
export interface KeyPoint {
  readonly value: KeyValue;
  readonly rows: number;
}

/** Where a key can be cut so that about equal numbers of rows lie between. */
export interface KeyPoints {
  /** How they were found, for the plan: `histogram`, `sample`, `blocks`, `scan`. */
  readonly method: string;
  /** In the order of the key, as the source sorts it. The rows below the first one are few. */
  readonly points: readonly KeyPoint[];
  /** Replaces that of the key in the ranges. */
  readonly state?: Json;
  readonly notes?: readonly string[];
}

/**
 * What a source can tell of one key of one split, to the Splitter, in the main thread. A source offers what it can do: `points`, or
 * `bounds` with `estimate` and `between`; and as last resorts `step` and `scan`, which the Splitter announces before it calls them.
 */
export interface KeySource {
  /** Smallest and largest value now; undefined if no row has one. Absent where that would read more than a few rows. */
  bounds?(): Promise<{ readonly min: KeyValue; readonly max: KeyValue } | undefined>;
  /** At least `count` points, if there are so many, from statistics or a sample of bounded size; undefined if there are none. */
  points?(count: number): Promise<KeyPoints | undefined>;
  /** Thinks how many rows each range has, without reading them. Called with up to some hundred ranges. */
  estimate?(ranges: readonly KeyRange[]): Promise<readonly number[]>;
  /**
   * For each gap a real value strictly between its ends, as near to the middle as can be told without reading more than a few rows; undefined
   * if there is no value between them. Both ends are real values.
   */
  between?(gaps: readonly { readonly low: KeyValue; readonly high: KeyValue }[]): Promise<readonly (KeyValue | undefined)[]>;
  /** The value `rows` rows behind `from` (null: behind the start); undefined past the end. Reads that many entries of the index. */
  step?(from: KeyValue | null, rows: number): Promise<KeyValue | undefined>;
  /** About `count` points that are exactly right. Reads everything. */
  scan?(count: number): Promise<KeyPoints | undefined>;
}
