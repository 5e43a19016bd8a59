/** Over how long the speed is measured: it should show what happens now, and not jump. */
const windowMs = 10_000;
const stepMs = 500;

/** Rows per second of late. */
export class Speed {
  readonly #samples: { readonly at: number; readonly rows: number }[];

  /** @param now milliseconds of a clock that never goes back; here and below */
  constructor(now: number) {
    this.#samples = [{ at: now, rows: 0 }];
  }

  /** @param rows all rows so far */
  add(rows: number, now: number): void {
    if (now - this.#samples.at(-1)!.at < stepMs) return;
    this.#samples.push({ at: now, rows });
    this.#forget(now);
  }

  /** @param rows all rows so far */
  perSecond(rows: number, now: number): number {
    this.#forget(now);
    const { at, rows: before } = this.#samples[0]!;
    // Rows of a task that failed come again: for a moment there are fewer.
    return now === at ? 0 : Math.max(0, Math.round(((rows - before) * 1000) / (now - at)));
  }

  #forget(now: number): void {
    while (this.#samples.length > 1 && this.#samples[1]!.at <= now - windowMs) this.#samples.shift();
  }
}
