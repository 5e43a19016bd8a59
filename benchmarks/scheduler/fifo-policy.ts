import type { Decision, JobFacts, SchedulerEvent } from '../../core/scheduler/events.ts';
import { Heap } from '../../core/scheduler/heap.ts';
import { FreeSlots } from './free-slots.ts';
import { noReason, type Policy } from './policy.ts';

interface FifoJob {
  readonly facts: JobFacts;
  readonly number: number;
  readonly waiting: number[];
  readonly running: Map<number, string>;
  place: number;
}

/** First come, first served, with the same number of channels for every job; a job's tasks go wherever a slot is. */
export class FifoPolicy implements Policy {
  readonly nextAt = undefined;
  readonly #channels: number;
  readonly #slots: FreeSlots;
  readonly #jobs = new Map<string, FifoJob>();
  /** Those that have a task to start and a channel for it. */
  readonly #line = new Heap<FifoJob>((a, b) => a.number < b.number);

  constructor({ channels, slotsPerHost }: { channels: number; slotsPerHost: number }) {
    this.#channels = channels;
    this.#slots = new FreeSlots(slotsPerHost);
  }

  handle(event: SchedulerEvent): readonly Decision[] {
    if (event.type === 'submit') {
      const waiting = event.job.tasks.map(({ id }) => id).reverse();
      this.#jobs.set(event.job.job, { facts: event.job, number: this.#jobs.size, waiting, running: new Map(), place: -1 });
      this.#queue(event.job.job);
    } else if (event.type === 'ended') {
      const job = this.#jobs.get(event.job)!;
      this.#slots.giveBack(job.running.get(event.task)!, 1);
      job.running.delete(event.task);
      this.#queue(event.job);
    } else if (event.type === 'host') {
      this.#slots.join(event.host);
    } else if (event.type === 'host lost') {
      this.#slots.lose(event.host);
      for (const [name, { running, waiting }] of this.#jobs) {
        for (const [task, host] of running) if (host === event.host && running.delete(task)) waiting.push(task);
        this.#queue(name);
      }
    }
    return this.#start();
  }

  #queue(name: string): void {
    const job = this.#jobs.get(name)!;
    if (job.waiting.length > 0 && job.running.size < this.#channels) this.#line.put(job);
  }

  #start(): Decision[] {
    const decisions: Decision[] = [];
    for (let job = this.#line.first; job !== undefined; job = this.#line.first) {
      const host = this.#slots.take(1);
      if (host === undefined) break;
      const task = job.waiting.pop()!;
      job.running.set(task, host);
      if (job.waiting.length === 0 || job.running.size >= this.#channels) this.#line.take();
      decisions.push({ type: 'start', job: job.facts.job, task, host, pool: 'night', why: noReason });
    }
    return decisions;
  }
}
