import type { Side, Split } from '../sdk/index.ts';

/** Says where a task's rows come from: a pack of small splits is one task, and people want to know which table it was. */
export class RowPlaces {
  readonly #starts: { readonly name: string; readonly rowsBefore: Readonly<Record<Side, number>> }[] = [];

  /** From now on rows come from this split. The target does not see, and does not count, the rows that the source has rejected. */
  begin({ name }: Split, rowsBefore: Readonly<Record<Side, number>>): void {
    // Parts of one split are read one after the other: its rows are counted through.
    if (name !== this.current) this.#starts.push({ name, rowsBefore });
  }

  /** The split that a row of the task (from 1, as that side counts) comes from, and its position there. */
  of(side: Side, row: number): { readonly split: string; readonly row: number } {
    const start = this.#starts.findLast(({ rowsBefore }) => rowsBefore[side] < row) ?? this.#starts[0];
    return { split: start?.name ?? '', row: row - (start?.rowsBefore[side] ?? 0) };
  }

  /** The split that is being read. */
  get current(): string | undefined {
    return this.#starts.at(-1)?.name;
  }
}
