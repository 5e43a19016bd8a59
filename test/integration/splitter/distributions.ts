/** Numbers from 0 up to 2^63, in the order in which their rows are inserted. */
type Numbers = readonly bigint[];

/** The same numbers for the same seed (splitmix64). */
export function randomNumbers(seed: number): () => bigint {
  let state = BigInt(seed);
  const mask = (1n << 64n) - 1n;
  return () => {
    state = (state + 0x9e3779b97f4a7c15n) & mask;
    let bits = state;
    bits = ((bits ^ (bits >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
    bits = ((bits ^ (bits >> 27n)) * 0x94d049bb133111ebn) & mask;
    return (bits ^ (bits >> 31n)) >> 1n;
  };
}

/** Milliseconds since an epoch in the upper bits, then the machine, then a counter: IDs of a busy morning and a quiet rest of the day. */
function snowflakes(count: number, next: () => bigint): Numbers {
  let millisecond = 250_000_000_000n;
  return Array.from({ length: count }, (_, row) => {
    millisecond += row < (count * 4) / 5 ? next() % 3n : 20_000n + (next() % 60_000n);
    return (millisecond << 22n) | ((next() % 4n) << 12n) | BigInt(row % 4096);
  });
}

/** How the keys of a table lie, by name. A row without a number has no key. */
export const distributions = {
  'no row': () => [],
  'one row': () => [42n],
  'equal keys': () => Array.from({ length: 300 }, () => 4242n),
  'dense keys': () => Array.from({ length: 300 }, (_, row) => BigInt(row)),
  'uniform keys': (next) => Array.from({ length: 300 }, () => next() % 1_000_000n),
  'keys over the whole range': (next) => [0n, (1n << 63n) - 1n, ...Array.from({ length: 300 }, next)],
  'sparse keys': (next) => Array.from({ length: 1000 }, () => next() % 10n ** 12n),
  'snowflake keys': (next) => snowflakes(300, next),
  'keys in two clusters': (next) => Array.from({ length: 300 }, (_, row) => (row % 2 === 0 ? 0n : 10n ** 15n) + (next() % 400n)),
  'keys that crowd at the start': (next) => Array.from({ length: 300 }, () => 1n << (next() % 62n)),
  'a key that half of the rows have': (next) => Array.from({ length: 300 }, (_, row) => (row % 2 === 0 ? 777_777n : next() % 1_000_000n)),
  'rows without a key': (next) => Array.from({ length: 300 }, (_, row) => (row % 3 === 0 ? undefined : next() % 1_000_000n)),
  'no row with a key': () => Array.from({ length: 300 }, () => undefined),
} satisfies Record<string, (next: () => bigint) => readonly (bigint | undefined)[]>;

/** Those in which every way of finding the ranges is tried; in the others the usual one. */
export const hardDistributions: readonly string[] = [
  'no row',
  'one row',
  'equal keys',
  'keys over the whole range',
  'a key that half of the rows have',
  'rows without a key',
] satisfies (keyof typeof distributions)[];
