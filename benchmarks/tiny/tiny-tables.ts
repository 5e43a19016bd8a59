import type { Course } from '../../core/bench/course.ts';
import { mysqlDdl, postgresDdl } from '../../plugins/fixture/ddl.ts';
import { tiny, tinyTableRows, tinyTables } from '../../plugins/fixture/tiny.ts';
import type { Arena } from '../arena.ts';
import { type BenchDatabase, differenceOf, type Kind } from '../bench-database.ts';
import { type Freight, tableOf } from '../freight.ts';

/** Many tables of a hundred rows: names, and all their rows as one freight. */
export interface TinyTables {
  readonly names: readonly string[];
  readonly freight: Freight;
}

const ddls = { postgres: postgresDdl, mysql: mysqlDdl };

/** How often a list of statements is sent: one of a thousand would be a text of a few hundred kB. */
const statementsAtOnce = 250;

/** Fills the tables in the source of a server, once, and creates empty ones in its target. */
export function makeTinyTables(arena: Arena, kind: Kind, count: number): Promise<TinyTables> {
  const tables = tinyTables(count);
  const freight = { fixture: tiny, rows: count * tinyTableRows };
  return arena.once(`tiny ${kind} ${count}`, async () => {
    const database = await arena.database(kind);
    const whole = await arena.table(kind, freight);
    for (const name of ['source', 'target'] as const) {
      await inParts(
        database,
        name,
        tables.map((table) => ddls[kind](tiny, table.name)),
      );
    }
    await inParts(
      database,
      'source',
      tables.map(({ name, from, to }) => `INSERT INTO ${name} SELECT * FROM ${whole} WHERE id BETWEEN ${from} AND ${to}`),
    );
    return { names: tables.map(({ name }) => name), freight };
  });
}

/** Commands that fill all tables of the target. Their rows together must be those of the fixture, and each table must have its hundred. */
export async function intoTinyTables(
  arena: Arena,
  target: BenchDatabase,
  { names, freight }: TinyTables,
): Promise<Pick<Course, 'prepare' | 'check'>> {
  const expected = await arena.expectedDigest(target.kind, freight);
  // Nothing else is written into the table of the freight meanwhile.
  const collected = tableOf(freight);
  return {
    prepare: () =>
      inParts(
        target,
        'target',
        // A thousand TRUNCATEs are as many new files.
        names.map((name) => `DELETE FROM ${name}`),
      ),
    async check() {
      await target.emptyTarget(collected);
      await inParts(
        target,
        'target',
        names.map((name, index) => {
          const from = index * tinyTableRows;
          return `INSERT INTO ${collected} SELECT * FROM ${name} WHERE id > ${from} AND id <= ${from + tinyTableRows}`;
        }),
      );
      const difference = differenceOf(await target.digest('target', collected, freight), expected);
      if (difference !== undefined) throw new Error(difference);
      return undefined;
    },
  };
}

async function inParts(database: BenchDatabase, name: 'source' | 'target', statements: readonly string[]): Promise<void> {
  for (let from = 0; from < statements.length; from += statementsAtOnce) {
    await database.execute(name, statements.slice(from, from + statementsAtOnce));
  }
}
