import type { CopyLine } from './table-rows.ts';

export interface Comparison {
  readonly sourceRows: number;
  readonly targetRows: number;
  /** Rows of the same id whose text is the same, to the last byte. */
  readonly equal: number;
  readonly different: number;
  /** In the source only. */
  readonly missing: number;
  /** In the target only. */
  readonly surplus: number;
  /** Ids of the first rows that are not equal. */
  readonly firstIds: readonly string[];
}

const keptIds = 5;

export function isEqual({ sourceRows, targetRows, equal }: Comparison): boolean {
  return sourceRows > 0 && equal === sourceRows && equal === targetRows;
}

/**
 * Walks through both sides at once; both in the order of their ids.
 *
 * @param onRows called now and then with the number of rows of the source that were looked at; may throw to end the comparison
 */
export async function compareRows(
  source: AsyncIterable<CopyLine[]>,
  target: AsyncIterable<CopyLine[]>,
  onRows: (rows: number) => void,
): Promise<Comparison> {
  const counts = { sourceRows: 0, targetRows: 0, equal: 0, different: 0, missing: 0, surplus: 0 };
  const firstIds: string[] = [];
  const left = new Cursor(source);
  const right = new Cursor(target);
  const note = (kind: 'different' | 'missing' | 'surplus', line: CopyLine) => {
    counts[kind]++;
    if (firstIds.length < keptIds) firstIds.push(idOf(line));
  };
  try {
    for (;;) {
      if (left.isAtEnd) {
        onRows(left.rows);
        await left.more();
      }
      if (right.isAtEnd) await right.more();
      const { line: from } = left;
      const { line: to } = right;
      if (from === undefined && to === undefined) break;
      const order = from === undefined ? 1 : to === undefined ? -1 : from === to ? 0 : compareIds(from, to);
      if (order === 0 && from === to) counts.equal++;
      else if (order === 0) note('different', from!);
      else if (order < 0) note('missing', from!);
      else note('surplus', to!);
      if (order <= 0) left.step();
      if (order >= 0) right.step();
    }
    return { ...counts, sourceRows: left.rows, targetRows: right.rows, firstIds };
  } finally {
    await Promise.all([left.close(), right.close()]);
  }
}

/** A place in a stream of rows. Not a loop over `for await`: two streams move at a pace of their own, and one promise per row is too slow. */
class Cursor {
  readonly #batches: AsyncIterator<CopyLine[]>;
  #batch: CopyLine[] = [];
  #at = 0;
  #isOver = false;
  /** Rows passed so far. */
  rows = 0;

  constructor(batches: AsyncIterable<CopyLine[]>) {
    this.#batches = batches[Symbol.asyncIterator]();
  }

  /** True if the rows fetched so far are used up and there may be more. */
  get isAtEnd(): boolean {
    return this.#at === this.#batch.length && !this.#isOver;
  }

  /** The row here; undefined behind the last one. */
  get line(): CopyLine | undefined {
    return this.#batch[this.#at];
  }

  step(): void {
    this.#at++;
    this.rows++;
  }

  async more(): Promise<void> {
    const next = await this.#batches.next();
    this.#isOver = next.done === true;
    this.#batch = next.done === true ? [] : next.value;
    this.#at = 0;
  }

  async close(): Promise<void> {
    await this.#batches.return?.();
  }
}

function idOf(line: CopyLine): string {
  return line.slice(0, line.indexOf('\t'));
}

function compareIds(a: CopyLine, b: CopyLine): number {
  const [left, right] = [BigInt(idOf(a)), BigInt(idOf(b))];
  return left < right ? -1 : left > right ? 1 : 0;
}
