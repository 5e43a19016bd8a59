/** How tables are planned, and what the whole bench shares. */
export interface SplitContext {
  /** For job files. */
  readonly folder: string;
  readonly channels: number;
  readonly runs: number;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}
