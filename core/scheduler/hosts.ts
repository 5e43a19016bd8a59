import type { SchedulerEvent } from './events.ts';
import type { Lines } from './lines.ts';
import { type Pool, Seat } from './pool.ts';
import type { QueuedJob, Running } from './queued-job.ts';

/** Hosts with their slots, the tasks that run there, and the jobs that run on one host alone. */
export class Hosts {
  readonly #hosts = new Map<string, Map<Pool, Seat>>();
  readonly #lines: Lines;
  #joined = 0;

  constructor(lines: Lines) {
    this.#lines = lines;
  }

  /** What a host can carry now. A pool that is not named has no slots there. */
  set({ host, slots, spareCpu }: Extract<SchedulerEvent, { type: 'host' }>, poolNamed: (name: string) => Pool): void {
    const seats = this.#hosts.get(host) ?? new Map<Pool, Seat>();
    this.#hosts.set(host, seats);
    for (const name of Object.keys(slots)) {
      const pool = poolNamed(name);
      if (!seats.has(pool)) seats.set(pool, new Seat(host, ++this.#joined, 0, spareCpu));
    }
    for (const [pool, seat] of seats) {
      seat.spareCpu = spareCpu;
      this.#setSlots(pool, seat, slots[pool.name] ?? 0);
      pool.seats.put(seat);
      this.#roomier(pool, seat);
    }
  }

  /** @returns what ran there, the last start first */
  lose(host: string): readonly Running[] {
    const seats = this.#hosts.get(host) ?? new Map<Pool, Seat>();
    this.#hosts.delete(host);
    for (const [pool, seat] of seats) {
      pool.seats.remove(seat);
      this.#setSlots(pool, seat, 0);
    }
    return [...seats.values()].flatMap((seat) => [...seat.running].reverse());
  }

  /** Where the next task of a job starts, if there is room: a pinned job has only one such place. Only for a pool that has a host. */
  seatFor(job: QueuedJob): Seat {
    if (job.seat !== undefined && (job.isPinned || job.seat.room > 0)) return job.seat;
    return job.pool.seats.first!;
  }

  occupy(running: Running): void {
    const { job, seat } = running;
    if (job.isPinned && job.seat === undefined) pin(job, seat);
    job.seat = seat;
    seat.running.add(running);
    seat.used++;
    seat.spareCpu--;
    job.pool.seats.put(seat);
  }

  free(running: Running): void {
    const { job, seat } = running;
    seat.running.delete(running);
    seat.used--;
    seat.spareCpu++;
    this.#roomier(job.pool, seat);
  }

  /** Slots that are kept free for a job are for everybody again. */
  giveUpReserve(job: QueuedJob): void {
    const { seat, reserved } = job;
    if (seat === undefined || reserved === 0) return;
    seat.reserved -= reserved;
    job.reserved = 0;
    this.#roomier(job.pool, seat);
  }

  forget(job: QueuedJob): void {
    this.giveUpReserve(job);
    job.seat?.pinned.delete(job);
  }

  #setSlots(pool: Pool, seat: Seat, limit: number): void {
    pool.slots += limit - seat.limit;
    const isSmaller = limit < seat.limit;
    seat.limit = limit;
    if (!isSmaller) return;
    // At least one slot stays for tasks, or jobs that are pinned here would wait for ever.
    for (const job of [...seat.pinned].reverse()) {
      if (limit === 0) this.#unpin(job);
      else if (seat.reserved >= limit) {
        const over = Math.min(job.reserved, seat.reserved - limit + 1);
        job.reserved -= over;
        seat.reserved -= over;
      }
    }
    if (limit === 0) this.#lines.wakeAlone(seat);
    this.#lines.lostSlots();
  }

  #unpin(job: QueuedJob): void {
    this.forget(job);
    job.isPinned = false;
  }

  #roomier(pool: Pool, seat: Seat): void {
    if (pool.seats.has(seat)) pool.seats.put(seat);
    this.#lines.wake(seat);
    this.#lines.touched.add(pool);
  }
}

/** Binds a job to the host of its first task, and keeps free there what its first round is wider than its tasks. */
function pin(job: QueuedJob, seat: Seat): void {
  const { firstRound, tasks } = job.facts;
  job.reserved = Math.max(0, Math.min(firstRound - tasks.length, seat.room - tasks.length));
  seat.reserved += job.reserved;
  seat.pinned.add(job);
}
