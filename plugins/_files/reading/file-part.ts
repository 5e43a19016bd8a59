import type { Json, Split } from 'dray/sdk';

/** What a split carries to the task that reads it: a file, or a part of one. */
export interface FilePart {
  readonly path: string;
  /** Of the file when it was found. */
  readonly version: string;
  /** Of the whole file. */
  readonly bytes: number;
  /** It has been fetched when it was verified. */
  readonly isStaged: boolean;
  /** Rows of the whole file, if its sidecar says. */
  readonly rows?: number;
  /** It begins at the first record at or behind these stored bytes, and ends where the next part begins; `to` null: at the end of the file. */
  readonly cut?: { readonly from: number; readonly to: number | null };
  /** Of a file with an index: its parts from `from` up to, not including, `to`, of so many; and how many rows they have. */
  readonly groups?: { readonly from: number; readonly to: number; readonly of: number; readonly rows: number };
}

export function partOf(split: Split): FilePart {
  return split.part as unknown as FilePart;
}

export function partAsJson(part: FilePart): Json {
  return part as unknown as Json;
}

/** The parts of files that splits, also packs of them, stand for. */
export function partsIn(splits: readonly Split[]): FilePart[] {
  return splits.flatMap((split) => (split.members === undefined ? [partOf(split)] : partsIn(split.members)));
}
