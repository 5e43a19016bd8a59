/**
 * How many slots each pool has while only some of all can be open: the same part of each, and at least one. Fractions go to those that miss most of theirs; of
 * two that miss the same, to the bigger one.
 * @param sizes slots of each pool where nobody else needs the machine
 * @param open of their sum
 */
export function poolSlots(sizes: Readonly<Record<string, number>>, open: number): Record<string, number> {
  const all = Object.values(sizes).reduce((sum, size) => sum + size, 0);
  const pools = Object.entries(sizes).map(([name, size]) => {
    const share = all === 0 ? 0 : (size * Math.min(open, all)) / all;
    return { name, size, share, slots: Math.min(size, Math.max(1, Math.floor(share))) };
  });
  let left = open - pools.reduce((sum, { slots }) => sum + slots, 0);
  const byNeed = [...pools].sort((a, b) => b.share - b.slots - (a.share - a.slots) || b.size - a.size);
  for (const pool of byNeed) {
    if (left <= 0 || pool.share <= pool.slots) break;
    pool.slots++;
    left--;
  }
  return Object.fromEntries(pools.map(({ name, slots }) => [name, slots]));
}
