import type { ReportedError, RowCounts, RunState } from '../report/report.ts';

/** What happens to the runs of a server, as it is sent to those who listen. */
export type FeedEvent =
  | { readonly type: 'submitted' | 'resumed'; readonly priority: number }
  /** `decision`: which task started, where, and why then. `changed`: by somebody, while it waited or ran. */
  | { readonly type: 'planning' | 'note' | 'warning' | 'dirty' | 'decision' | 'changed'; readonly message: string }
  | { readonly type: 'content'; readonly content: number; readonly reader: string; readonly writer: string; readonly tasks: number }
  /** At most once a second. `remark`: that it will be late, or who slows it down. */
  | {
      readonly type: 'progress';
      readonly rows: RowCounts;
      readonly rowsPerSecond: number;
      readonly percent?: number;
      readonly remark?: string;
    }
  | { readonly type: 'ended'; readonly state: RunState; readonly rows: RowCounts; readonly error?: ReportedError };

/** An event on its way: its text is JSON on one line, secrets masked. */
export interface FeedEntry {
  /** Grows with each event of the server. */
  readonly id: number;
  readonly run: string;
  readonly type: FeedEvent['type'];
  readonly text: string;
}

/** What is kept of each run for those who come later. */
const keptPerRun = 100;
/** A listener that is so far behind is let go: it may come back with the last id that it has seen. */
const maxBehind = 1000;

export interface FollowOptions {
  /** Default: all. */
  readonly run?: string | undefined;
  readonly after?: number | undefined;
  readonly isOver?: boolean;
  readonly signal: AbortSignal;
}

/** One who listens. */
class Follower {
  readonly run: string | undefined;
  readonly #waiting: FeedEntry[];
  #wake: (() => void) | undefined;
  #isOver = false;

  constructor(run: string | undefined, first: FeedEntry[]) {
    this.run = run;
    this.#waiting = first;
  }

  push(entry: FeedEntry): void {
    if (this.#isOver) return;
    if (this.#waiting.push(entry) >= maxBehind) this.#isOver = true;
    this.#wake?.();
  }

  /** No further events; those that wait are still delivered. */
  end(): void {
    this.#isOver = true;
    this.#wake?.();
  }

  async next(): Promise<FeedEntry | undefined> {
    while (this.#waiting.length === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#waiting.shift();
  }
}

/** Hands what happens to all who listen, each at its own pace. */
export class EventFeed {
  readonly #followers = new Set<Follower>();
  readonly #kept = new Map<string, FeedEntry[]>();
  #count = 0;
  #isClosed = false;

  /** @param text the event with its run and time, as JSON, secrets masked */
  publish(run: string, type: FeedEvent['type'], text: string): void {
    const entry = { id: ++this.#count, run, type, text };
    if (type !== 'progress') {
      const kept = this.#kept.get(run) ?? [];
      this.#kept.set(run, kept);
      kept.push(entry);
      if (kept.length > keptPerRun) kept.shift();
    }
    for (const follower of this.#followers) if (follower.run === undefined || follower.run === run) follower.push(entry);
  }

  /**
   * Events from now on; of one run also those that are kept, and none after its end.
   * @param after only events with higher ids, for one who comes back
   * @param isOver the run has ended: nothing new is to come
   */
  async *follow({ run, after, isOver = false, signal }: FollowOptions): AsyncGenerator<FeedEntry> {
    const follower = new Follower(run, this.#since(run, after));
    const onAbort = () => follower.end();
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted || isOver || this.#isClosed) follower.end();
    this.#followers.add(follower);
    try {
      for (let entry = await follower.next(); entry !== undefined && !signal.aborted; entry = await follower.next()) {
        yield entry;
        if (run !== undefined && entry.type === 'ended') return;
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#followers.delete(follower);
    }
  }

  /** Of a run that has ended long ago. */
  forget(run: string): void {
    this.#kept.delete(run);
  }

  /** Those who listen get what waits for them, and then the end. */
  close(): void {
    this.#isClosed = true;
    for (const follower of this.#followers) follower.end();
  }

  #since(run: string | undefined, after: number | undefined): FeedEntry[] {
    if (run === undefined && after === undefined) return [];
    const kept = run === undefined ? [...this.#kept.values()].flat().sort((a, b) => a.id - b.id) : [...(this.#kept.get(run) ?? [])];
    // A run that was resumed has an end among its events that is none any more.
    const ended = kept.findLastIndex(({ type }, index) => type === 'ended' && index < kept.length - 1);
    const current = run === undefined ? kept : kept.slice(ended + 1);
    return current.filter(({ id }) => id > (after ?? 0));
  }
}
