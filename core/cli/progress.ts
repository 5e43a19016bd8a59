import { Presets, SingleBar } from 'cli-progress';
import type { TaskCounters } from '../task/spec.ts';
import { bytes, count, duration } from './format.ts';
import type { Screen } from './screen.ts';

const lineIntervalMs = 3000;

export interface ContentFacts {
  readonly title: string;
  readonly estimatedRows: number | undefined;
}

/** Live progress of one content: a bar on a terminal, else a line every few seconds. */
export class Progress {
  readonly #facts: ContentFacts;
  readonly #screen: Screen;
  readonly #bar: SingleBar | undefined;
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout | undefined;
  #counters: TaskCounters | undefined;
  #remark: string | undefined;

  constructor(facts: ContentFacts, screen: Screen) {
    this.#facts = facts;
    this.#screen = screen;
    if (process.stderr.isTTY) {
      this.#bar = new SingleBar(
        {
          stream: process.stderr,
          fps: 8,
          hideCursor: true,
          clearOnComplete: true,
          format: (_options, { progress }) => this.#barLine(progress),
        },
        Presets.shades_classic,
      );
      this.#bar.start(Math.max(1, facts.estimatedRows ?? 1), 0);
      screen.beforeText = () => process.stderr.write('\r\x1b[K');
    } else {
      this.#timer = setInterval(() => this.#screen.line(this.#text()), lineIntervalMs).unref();
    }
  }

  /** @param remark shown behind the figures */
  update(counters: TaskCounters, remark?: string): void {
    this.#counters = counters;
    this.#remark = remark;
    const { estimatedRows } = this.#facts;
    this.#bar?.update(estimatedRows === undefined ? 0 : Math.min(counters.rowsWritten, estimatedRows));
  }

  stop(): void {
    this.#bar?.stop();
    clearInterval(this.#timer);
    this.#screen.beforeText = undefined;
  }

  #barLine(share: number): string {
    const width = 20;
    const filled = Math.round(share * width);
    return `${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${this.#text()}`;
  }

  #text(): string {
    const { title, estimatedRows } = this.#facts;
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const rows = this.#counters?.rowsWritten ?? 0;
    const parts = [`${title}: ${count(rows)} rows`];
    if (rows > 0) parts.push(`${count(rows / seconds)} rows/s`, `${bytes((this.#counters?.bytesWritten ?? 0) / seconds)}/s`);
    if (estimatedRows !== undefined && estimatedRows > 0) {
      const share = Math.min(1, rows / estimatedRows);
      // The number of rows is an estimate: 100 % is for when it is over.
      parts.unshift(`${Math.min(99, Math.floor(share * 100))} %`);
      if (share > 0.01 && share < 1) parts.push(`${duration((seconds / share) * (1 - share))} left`);
    }
    if (this.#remark !== undefined) parts.push(this.#remark);
    return parts.join(', ').replace(/ %, /, ' % ');
  }
}
