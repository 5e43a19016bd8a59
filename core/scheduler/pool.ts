import { Gate } from './gate.ts';
import { Heap } from './heap.ts';
import { hasFirst, JobClass, zeros } from './job-class.ts';
import type { QueuedJob, Running } from './queued-job.ts';

/** The slots of one host that belong to one pool. */
export class Seat extends Gate {
  readonly host: string;
  /** Order in which hosts have joined. */
  readonly number: number;
  readonly running = new Set<Running>();
  readonly pinned = new Set<QueuedJob>();
  place = -1;
  /** Kept free for jobs that run on this host alone. */
  reserved = 0;
  /** Cores of the host that nobody uses: as it said last, less what was started since. */
  spareCpu: number;

  constructor(host: string, number: number, limit: number, spareCpu: number) {
    super(host, limit);
    this.host = host;
    this.number = number;
    this.spareCpu = spareCpu;
  }

  /** Slots for tasks of any job. */
  override get room(): number {
    return super.room - this.reserved;
  }
}

function hasMoreRoom(a: Seat, b: Seat): boolean {
  if (a.room > 0 !== b.room > 0) return a.room > 0;
  if (a.spareCpu !== b.spareCpu) return a.spareCpu > b.spareCpu;
  return a.room === b.room ? a.number < b.number : a.room > b.room;
}

/** Slots of all hosts that are kept apart for some jobs, and the jobs that wait for them. */
export class Pool {
  readonly name: string;
  readonly ready = new Heap<JobClass>(hasFirst);
  readonly seats = new Heap<Seat>(hasMoreRoom);
  /** Of all hosts. */
  slots = 0;
  /** Virtual time of each level: of jobs without and with a deadline, which go first and must not make the others look served. */
  readonly clocks: readonly [number[], number[]] = [zeros(), zeros()];
  /** Jobs that can be asked to give something to an idle slot: their last task has started. */
  readonly tails = new Set<QueuedJob>();

  readonly #classes = new Map<string, JobClass>();

  constructor(name: string) {
    this.name = name;
  }

  /** Of jobs that use these data sources. */
  classOf(gates: readonly Gate[]): JobClass {
    const key = keyOf(gates);
    const found = this.#classes.get(key) ?? new JobClass(this, gates);
    this.#classes.set(key, found);
    return found;
  }

  /** The last job of a class is over. What it lags behind says nothing to the next one: that one begins with the virtual time of the pool. */
  forget({ gates }: JobClass): void {
    this.#classes.delete(keyOf(gates));
  }

  /** Whether some host has a slot for a task of any job. */
  get hasRoom(): boolean {
    return (this.seats.first?.room ?? 0) > 0;
  }
}

function keyOf(gates: readonly Gate[]): string {
  return JSON.stringify(gates.map(({ name }) => name).sort());
}
