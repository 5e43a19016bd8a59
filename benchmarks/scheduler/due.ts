/** Task ends by time: a binary heap over typed arrays, since it holds tens of thousands and is asked four million times. */
export class Due {
  #at = new Float64Array(1024);
  #what = new Int32Array(1024);
  #size = 0;

  get nextAt(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : this.#at[0]!;
  }

  put(at: number, what: number): void {
    if (this.#size === this.#at.length) this.#grow();
    let place = this.#size++;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (this.#at[above]! <= at) break;
      this.#set(place, this.#at[above]!, this.#what[above]!);
      place = above;
    }
    this.#set(place, at, what);
  }

  /** The one that is due next. Only if there is one. */
  take(): number {
    const first = this.#what[0]!;
    const at = this.#at[--this.#size]!;
    const what = this.#what[this.#size]!;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= this.#size) break;
      if (below + 1 < this.#size && this.#at[below + 1]! < this.#at[below]!) below++;
      if (this.#at[below]! >= at) break;
      this.#set(place, this.#at[below]!, this.#what[below]!);
      place = below;
    }
    this.#set(place, at, what);
    return first;
  }

  #set(place: number, at: number, what: number): void {
    this.#at[place] = at;
    this.#what[place] = what;
  }

  #grow(): void {
    const [at, what] = [this.#at, this.#what];
    this.#at = new Float64Array(2 * at.length);
    this.#what = new Int32Array(2 * what.length);
    this.#at.set(at);
    this.#what.set(what);
  }
}
