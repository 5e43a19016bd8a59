import { DrayError } from '../sdk/index.ts';

/** Counts dirty records of a job over all its tasks and threads, and stops the job at the first one too many. */
export class DirtyLimit {
  readonly #max: number | null;
  readonly #count: Int32Array;

  /** @param max most dirty records allowed; null: no limit by count */
  constructor(max: number | null, shared: SharedArrayBuffer) {
    this.#max = max;
    this.#count = new Int32Array(shared);
  }

  /** @throws DrayError DIRTY_LIMIT when this record exceeds the limit */
  add(): void {
    const count = Atomics.add(this.#count, 0, 1) + 1;
    if (this.#max !== null && count > this.#max) {
      const allowed = this.#max === 0 ? 'none is allowed' : `${this.#max} are allowed`;
      throw new DrayError('DIRTY_LIMIT', `${count} dirty record${count === 1 ? '' : 's'} and ${allowed} (job.setting.errorLimit)`);
    }
  }
}
