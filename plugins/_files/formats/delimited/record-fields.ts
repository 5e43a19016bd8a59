/** Facts about a field; several may hold. */
export const isQuoted = 1;
/** A doubled quote or a backslash escape stands in it. */
export const hasEscapes = 2;
/** It holds bytes that packed rows escape: TAB, LF, CR, backslash. */
export const isSpecial = 4;
export const isNull = 8;
/** Something stands where nothing may: behind a closing quote, or a CR alone. */
export const isFaulty = 16;

/** Where the fields of a record stand, without their quotes. Arrays grow; nothing is made per record. */
export class RecordFields {
  count = 0;
  /** Flags of all fields. */
  allFlags = 0;
  starts = new Uint32Array(64);
  ends = new Uint32Array(64);
  flags = new Uint8Array(64);

  get capacity(): number {
    return this.starts.length;
  }

  clear(): void {
    this.count = 0;
    this.allFlags = 0;
  }

  add(from: number, to: number, flags: number): void {
    if (this.count === this.starts.length) this.#grow();
    this.starts[this.count] = from;
    this.ends[this.count] = to;
    this.flags[this.count++] = flags;
    this.allFlags |= flags;
  }

  #grow(): void {
    const length = this.starts.length * 4;
    const [starts, ends, flags] = [new Uint32Array(length), new Uint32Array(length), new Uint8Array(length)];
    starts.set(this.starts);
    ends.set(this.ends);
    flags.set(this.flags);
    this.starts = starts;
    this.ends = ends;
    this.flags = flags;
  }
}
