import type { Split } from '../sdk/index.ts';

/** Says where a task's rows come from: a pack of small splits is one task, and people want to know which table it was. */
export class RowPlaces {
  readonly #starts: { readonly name: string; readonly rowsBefore: number }[] = [];

  /** From now on rows come from this split. */
  begin({ name }: Split, rowsBefore: number): void {
    this.#starts.push({ name, rowsBefore });
  }

  /** The split that a row of the task (from 1) comes from, and its position there. */
  of(row: number): { readonly split: string; readonly row: number } {
    const start = this.#starts.findLast(({ rowsBefore }) => rowsBefore < row) ?? this.#starts[0];
    return { split: start?.name ?? '', row: row - (start?.rowsBefore ?? 0) };
  }

  /** The split that is being read. */
  get current(): string | undefined {
    return this.#starts.at(-1)?.name;
  }
}
