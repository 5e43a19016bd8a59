import { Heap } from '../../core/scheduler/heap.ts';

interface Host {
  readonly name: string;
  readonly number: number;
  free: number;
  place: number;
}

/** Slots of hosts as a policy counts them that never hears of what others do there. */
export class FreeSlots {
  readonly #hosts = new Map<string, Host>();
  readonly #byFree = new Heap<Host>((a, b) => (a.free === b.free ? a.number < b.number : a.free > b.free));
  readonly #slots: number;
  #joined = 0;

  constructor(slots: number) {
    this.#slots = slots;
  }

  join(name: string): void {
    if (this.#hosts.has(name)) return;
    const host = { name, number: ++this.#joined, free: this.#slots, place: -1 };
    this.#hosts.set(name, host);
    this.#byFree.put(host);
  }

  lose(name: string): void {
    const host = this.#hosts.get(name);
    if (host !== undefined) this.#byFree.remove(host);
    this.#hosts.delete(name);
  }

  /** Takes slots of the host that has most of them. @returns its name; undefined if none has so many */
  take(count: number): string | undefined {
    const host = this.#byFree.first;
    if (host === undefined || host.free < count) return undefined;
    host.free -= count;
    this.#byFree.put(host);
    return host.name;
  }

  giveBack(name: string, count: number): void {
    const host = this.#hosts.get(name);
    if (host === undefined) return;
    host.free += count;
    this.#byFree.put(host);
  }
}
