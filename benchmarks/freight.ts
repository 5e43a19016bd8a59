import type { Fixture } from '../plugins/fixture/fixture.ts';

/** What a lane moves: the first rows of a fixture. */
export interface Freight {
  readonly fixture: Fixture;
  readonly rows: number;
}

/** As many rows of a fixture as take the place of so many of `orders`. */
export function freightOf(fixture: Fixture, orders: number): Freight {
  return { fixture, rows: Math.max(1, Math.round(orders * fixture.rowsPerOrder)) };
}

/** Its table has one name in the source and in the target: programs that cannot rename one take part, too. */
export function tableOf({ fixture, rows }: Freight): string {
  return `${fixture.name}_${rows}`;
}
