import type { Job } from '../job/load-job.ts';
import { type Due, lengthWords, missWords, remainingMs } from './forecast.ts';

/** Nobody judges the effect of one more thread sooner. */
const widenIntervalMs = 5000;

interface PaceContext {
  readonly estimatedRows: number | undefined;
  /** Absent where the user has said how many threads there are. Returns how many there will be. */
  readonly widen: ((width: number) => number) | undefined;
  readonly width: number;
  readonly decided: (message: string) => void;
}

/** Watches whether a content will end in time, says so, and gives it more threads if it will not. */
export class Pace {
  readonly #due: Due | undefined;
  readonly #context: PaceContext;
  readonly #startedAt = performance.now();
  #width: number;
  #widenedAt = performance.now();
  #missed: string | undefined;

  constructor(job: Pick<Job, 'deadlineAt' | 'finishWithinMs'>, context: PaceContext) {
    this.#due = dueOf(job, this.#startedAt);
    this.#context = context;
    this.#width = context.width;
  }

  /** `will miss 06:00 by 14 min`, or undefined. */
  get remark(): string | undefined {
    return this.#missed;
  }

  /** @param rowsRead of all tasks so far */
  update(rowsRead: number): void {
    if (this.#due === undefined) return;
    const now = performance.now();
    const remaining = remainingMs({ rowsRead, estimatedRows: this.#context.estimatedRows, elapsedMs: now - this.#startedAt });
    this.#missed = missWords(this.#due, now, remaining);
    if (this.#missed === undefined || this.#context.widen === undefined || now - this.#widenedAt < widenIntervalMs) return;
    this.#widenedAt = now;
    const width = this.#context.widen(this.#width + 1);
    if (width > this.#width) this.#context.decided(`one thread more, ${width} now: it ${this.#missed}`);
    this.#width = Math.max(width, this.#width);
  }

  /** By how much it came too late, when it is over; undefined if it came in time or nothing was asked. */
  missedBy(): { due: string; seconds: number } | undefined {
    const lateMs = this.#due === undefined ? 0 : performance.now() - this.#due.at;
    return lateMs <= 0 ? undefined : { due: this.#due!.words, seconds: Math.round(lateMs) / 1000 };
  }
}

/** The earlier one of what the job asks for. */
function dueOf({ deadlineAt, finishWithinMs }: Pick<Job, 'deadlineAt' | 'finishWithinMs'>, now: number): Due | undefined {
  const dues: Due[] = [];
  if (deadlineAt !== undefined) dues.push({ at: deadlineAt - Date.now() + now, words: timeWords(new Date(deadlineAt)) });
  if (finishWithinMs !== undefined) dues.push({ at: now + finishWithinMs, words: `its ${lengthWords(finishWithinMs)}` });
  return dues.sort((a, b) => a.at - b.at)[0];
}

/** In the time zone of this machine; with the day if it is another one. */
function timeWords(at: Date): string {
  const two = (number: number) => `${number}`.padStart(2, '0');
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`;
  return at.toDateString() === new Date().toDateString()
    ? time
    : `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}
