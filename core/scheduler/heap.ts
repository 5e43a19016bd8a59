/** Something that can stand in a heap, one at a time, and knows where: looking that up in a map took a quarter of the time of a decision. */
export interface Placed {
  /** Only its heap sets this. */
  place: number;
}

/** Items by an order that may change: the smallest is found at once; to add, remove or move one costs O(log n). An item is in it once. */
export class Heap<T extends Placed> {
  readonly #isBefore: (a: T, b: T) => boolean;
  readonly #items: T[] = [];

  /** @param isBefore a strict total order: items that tie make the result depend on the history */
  constructor(isBefore: (a: T, b: T) => boolean) {
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#items.length;
  }

  get first(): T | undefined {
    return this.#items[0];
  }

  has(item: T): boolean {
    return this.#items[item.place] === item;
  }

  /** Adds the item, or moves it to where it belongs now. */
  put(item: T): void {
    if (!this.has(item)) {
      item.place = this.#items.length;
      this.#items.push(item);
    }
    this.#sink(this.#rise(item.place));
  }

  remove(item: T): boolean {
    if (!this.has(item)) return false;
    const { place } = item;
    const last = this.#items.pop()!;
    if (last === item) return true;
    this.#set(place, last);
    this.#sink(this.#rise(place));
    return true;
  }

  take(): T | undefined {
    const [first] = this.#items;
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** All items, in no order. */
  [Symbol.iterator](): IterableIterator<T> {
    return this.#items.values();
  }

  #rise(from: number): number {
    const item = this.#items[from]!;
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (!this.#isBefore(item, this.#items[above]!)) break;
      this.#set(place, this.#items[above]!);
      place = above;
    }
    this.#set(place, item);
    return place;
  }

  #sink(from: number): void {
    const item = this.#items[from]!;
    const { length } = this.#items;
    let place = from;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= length) break;
      if (below + 1 < length && this.#isBefore(this.#items[below + 1]!, this.#items[below]!)) below++;
      if (!this.#isBefore(this.#items[below]!, item)) break;
      this.#set(place, this.#items[below]!);
      place = below;
    }
    this.#set(place, item);
  }

  #set(place: number, item: T): void {
    this.#items[place] = item;
    item.place = place;
  }
}
