import type { TaskCounters } from '../task/spec.ts';
import { bytes, count } from './format.ts';
import type { ContentFacts } from './progress.ts';
import type { RunOnceOptions } from './run-once.ts';
import type { Screen } from './screen.ts';

const lineIntervalMs = 3000;

/** Progress of several jobs side by side: one line for all of them every few seconds. */
export class Board {
  readonly #timer: NodeJS.Timeout;
  readonly #startedAt = performance.now();
  readonly #running = new Map<ContentFacts, TaskCounters | undefined>();
  readonly #jobs: number;
  #begun = 0;
  #done = 0;
  #failed = 0;
  readonly #ended = { rows: 0, bytes: 0 };

  constructor(screen: Screen, jobs: number) {
    this.#jobs = jobs;
    this.#timer = setInterval(() => screen.line(this.#text()), lineIntervalMs).unref();
  }

  /** How one of the jobs shows its progress here. */
  forJob(): Pick<RunOnceOptions, 'progress' | 'mayRunInline'> & { readonly ended: (exitCode: number) => void } {
    let hasBegun = false;
    const begin = () => {
      if (!hasBegun) this.#begun++;
      hasBegun = true;
    };
    return {
      // A task in the thread of the program would hold up all others.
      mayRunInline: false,
      progress: (facts) => {
        begin();
        this.#running.set(facts, undefined);
        return {
          update: (counters) => this.#running.set(facts, counters),
          stop: () => {
            const last = this.#running.get(facts);
            this.#running.delete(facts);
            this.#ended.rows += last?.rowsWritten ?? 0;
            this.#ended.bytes += last?.bytesWritten ?? 0;
          },
        };
      },
      ended: (exitCode) => {
        begin();
        if (exitCode === 0) this.#done++;
        else this.#failed++;
      },
    };
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #text(): string {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const live = [...this.#running.values()];
    const rows = this.#ended.rows + live.reduce((sum, counters) => sum + (counters?.rowsWritten ?? 0), 0);
    const size = this.#ended.bytes + live.reduce((sum, counters) => sum + (counters?.bytesWritten ?? 0), 0);
    const failed = this.#failed === 0 ? '' : `, ${this.#failed} failed`;
    const running = this.#begun - this.#done - this.#failed;
    const jobs = `${running} running, ${this.#jobs - this.#begun} waiting, ${this.#done} done${failed}`;
    return `jobs: ${jobs}; ${count(rows)} rows, ${count(rows / seconds)} rows/s, ${bytes(size / seconds)}/s`;
  }
}
