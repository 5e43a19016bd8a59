/** A task that waits to be started, or to be started again. */
export interface Waiting<T> {
  readonly item: T;
  /** performance.now() from which on it may start. */
  readonly notBefore: number;
}

/**
 * Tasks that are waiting, for the lanes that run them. A task leaves for good only when it is settled: until then it may come back, and lanes without work wait
 * for it.
 */
export class TaskQueue<T> {
  readonly #waiting: Waiting<T>[];
  #unsettled: number;
  readonly #wakers = new Set<() => void>();
  #isStopped = false;

  constructor(items: readonly T[]) {
    this.#waiting = items.map((item) => ({ item, notBefore: 0 }));
    this.#unsettled = items.length;
  }

  /** The next task that may start, waiting for one if need be; undefined when there will be none any more. */
  async take(): Promise<T | undefined> {
    for (;;) {
      if (this.#isStopped || this.#unsettled === 0) return undefined;
      const now = performance.now();
      const due = this.#waiting.findIndex(({ notBefore }) => notBefore <= now);
      if (due !== -1) return this.#waiting.splice(due, 1)[0]!.item;
      await this.#change(Math.min(...this.#waiting.map(({ notBefore }) => notBefore - now)));
    }
  }

  /** Puts a task back that was taken. */
  again(item: T, waitMs: number): void {
    this.#waiting.push({ item, notBefore: performance.now() + waitMs });
    this.#wake();
  }

  /** A task that was taken will not come back. */
  settle(): void {
    this.#unsettled--;
    this.#wake();
  }

  /** Nothing more will be given out. */
  stop(): void {
    this.#isStopped = true;
    this.#wake();
  }

  get isSettled(): boolean {
    return this.#unsettled === 0;
  }

  async #change(atMostMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    let waker: (() => void) | undefined;
    await new Promise<void>((resolve) => {
      waker = resolve;
      this.#wakers.add(resolve);
      if (Number.isFinite(atMostMs)) timer = setTimeout(resolve, Math.max(1, atMostMs));
    });
    clearTimeout(timer);
    this.#wakers.delete(waker!);
  }

  #wake(): void {
    for (const wake of this.#wakers) wake();
  }
}
