import { Heap } from './heap.ts';
import { type QueuedJob, starved } from './queued-job.ts';

/** When a job is looked at; not after it rises. */
interface Look {
  readonly job: QueuedJob;
  at: number;
  place: number;
}

/** Which jobs rise next by waiting. A start puts that off, and happens far more often: so a job stays where it is, and it is only seen when it is looked at that it does not rise yet. */
export class Rising {
  readonly #agingMs: number;
  readonly #looks = new Heap<Look>((a, b) => (a.at === b.at ? a.job.number < b.job.number : a.at < b.at));

  constructor(agingMs: number) {
    this.#agingMs = agingMs;
  }

  /** A job that stands in line may rise. To be called whenever it gets in line, starts, rises or gets another priority. */
  watch(job: QueuedJob): void {
    if (job.level >= starved || job.heap === undefined || job.isWatched) return;
    job.isWatched = true;
    this.#looks.put({ job, at: this.#risesAt(job), place: -1 });
  }

  /** A job that rises by now: it is watched no more. */
  next(now: number): QueuedJob | undefined {
    for (let look = this.#looks.first; look !== undefined && look.at <= now; look = this.#looks.first) {
      const { job } = look;
      const at = this.#risesAt(job);
      if (job.heap !== undefined && at > now) {
        look.at = at;
        this.#looks.put(look);
        continue;
      }
      this.#looks.take();
      job.isWatched = false;
      if (job.heap !== undefined) return job;
    }
    return undefined;
  }

  levelOf({ priority, waitingSince }: QueuedJob, now: number): number {
    return Math.min(starved, priority + Math.floor((now - waitingSince) / this.#agingMs));
  }

  #risesAt({ waitingSince, level, priority }: QueuedJob): number {
    return waitingSince + (level - priority + 1) * this.#agingMs;
  }
}
