import type { PluginRef } from '../registry/plugin-ref.ts';
import { LaneThread } from './lane-thread.ts';

/** Threads that rest between the contents of runs: to start one costs as much as a small job. */
export class Threads {
  readonly #maxIdle: number;
  readonly #idle: LaneThread[] = [];
  #isClosed = false;

  /** @param maxIdle more than these are ended instead of kept */
  constructor(maxIdle: number) {
    this.#maxIdle = maxIdle;
  }

  take(): LaneThread {
    return this.#idle.pop() ?? new LaneThread();
  }

  /** Has so many threads at rest, which load plugins for whoever takes them. */
  ready(count: number, plugins: readonly PluginRef[]): void {
    if (this.#isClosed) return;
    while (this.#idle.length < Math.min(count, this.#maxIdle)) {
      const thread = new LaneThread();
      thread.loadAhead(plugins);
      this.#idle.push(thread);
    }
  }

  /** @param isClean every task of it has ended well, so that nothing goes on in it */
  async giveBack(thread: LaneThread, isClean: boolean): Promise<void> {
    const mayStay = isClean && (await thread.closeReader());
    if (mayStay && !this.#isClosed && this.#idle.length < this.#maxIdle) this.#idle.push(thread);
    else await thread.end();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#idle.splice(0).map((thread) => thread.end()));
  }
}
