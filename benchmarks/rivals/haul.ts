import type { Contestant } from '../../core/bench/course.ts';
import type { Arena } from '../arena.ts';
import type { BenchDatabase, Kind } from '../bench-database.ts';
import type { Freight } from '../freight.ts';

/** What there is to do in a lane between databases: the table of the source into the empty one of the target, which is called the same. */
export interface Haul {
  readonly arena: Arena;
  readonly source: BenchDatabase;
  readonly target: BenchDatabase;
  readonly freight: Freight;
  readonly table: string;
}

/** Another program that does the work of a haul, or the part of it that needs no engine. */
export type Rival = (haul: Haul) => Promise<Contestant>;

export async function openHaul(arena: Arena, source: Kind, target: Kind, freight: Freight): Promise<Haul> {
  return {
    arena,
    source: await arena.database(source),
    target: await arena.database(target),
    freight,
    table: await arena.table(source, freight),
  };
}
