import { join } from 'node:path';
import type { Cell, Schema, Side } from '../sdk/index.ts';
import { Journal } from './journal.ts';

/** A row that was refused, as it is kept for `dray replay`. */
export interface QuarantinedRow {
  /** Within its run; what has been replayed is remembered by it. */
  readonly id: string;
  /** Each of several targets counts as a content of its own. */
  readonly content: number;
  /** Number of the target among several of its content, from 0. */
  readonly target?: number;
  readonly task: number;
  /** Only rows of the attempt that committed count. */
  readonly attempt: number;
  /** Who refused it. */
  readonly side: Side | 'transformer';
  readonly split: string;
  /** Position among the rows of its split, from 1. */
  readonly row: number;
  readonly column?: string;
  readonly cause: string;
  /** By name of the column of the source; absent if the reader could not deliver the row. */
  readonly cells?: Readonly<Record<string, Cell>>;
}

/** Rows that wait in memory for the next commit before they are written anyway. */
const maxWaiting = 1000;

/** The refused rows of a run, as JSON lines. On the disk before the task they belong to commits. */
export class Quarantine {
  readonly path: string;
  #journal: Promise<Journal<QuarantinedRow>> | undefined;
  #waiting = 0;

  constructor(folder: string) {
    this.path = join(folder, 'dirty.jsonl');
  }

  add(row: QuarantinedRow): void {
    const isFull = ++this.#waiting >= maxWaiting;
    this.#journal ??= Journal.open<QuarantinedRow>(this.path);
    const added = this.#journal.then((journal) => (isFull ? journal.append(row) : journal.note(row)));
    if (isFull) this.#waiting = 0;
    // The next `flush` tells of the failure.
    added.catch(() => undefined);
  }

  /** Resolves when all rows so far are on the disk. @throws DrayError STATE_UNUSABLE */
  async flush(): Promise<void> {
    await (await this.#journal)?.flush();
    this.#waiting = 0;
  }

  async close(): Promise<void> {
    await (await this.#journal)?.close();
  }

  /** All rows that are on the disk, also those of attempts that came to nothing. */
  rows(): Promise<QuarantinedRow[]> {
    return Journal.read<QuarantinedRow>(this.path);
  }
}

const column = (name: string, type: Schema['columns'][number]['type']) => ({ name, type, isNullable: true });

/** What a writer of `setting.quarantine` gets. */
export const quarantineSchema: Schema = {
  columns: [
    column('run', 'string'),
    column('content', 'integer'),
    column('task', 'integer'),
    column('split', 'string'),
    column('row', 'integer'),
    column('column', 'string'),
    column('cause', 'string'),
    column('cells', 'json'),
  ],
};

export function quarantineCells(run: string, row: QuarantinedRow): Cell[] {
  const { content, task, split, cause, cells } = row;
  return [
    run,
    String(content),
    String(task),
    split,
    String(row.row),
    row.column ?? null,
    cause,
    cells === undefined ? null : JSON.stringify(cells),
  ];
}
