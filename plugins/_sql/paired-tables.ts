import { urlPatterns } from './jdbc-url.ts';
import { tablePatterns } from './name-patterns.ts';
import { expandTables } from './table-names.ts';

interface SourceConnection {
  readonly jdbcUrl: readonly string[];
  readonly database?: readonly string[] | undefined;
  readonly table?: string[] | undefined;
  readonly querySql?: string[] | undefined;
}

interface TargetConnection {
  readonly table: string[];
}

/**
 * Options of a reader for each of its tables, or queries, in the order in which DataX makes tasks of them: one of each, unless it cuts them.
 * @param channels of the job; undefined: it does not say
 * @returns a clause that says why they cannot be told
 */
export function eachSource<O extends { readonly connection: C[]; readonly splitPk?: string | undefined }, C extends SourceConnection>(
  options: O,
  channels: number | undefined,
): O[] | string {
  const found = 'which tables its patterns stand for is known only when servers are asked';
  const each: O[] = [];
  let tables = 0;
  for (const connection of options.connection) {
    const { table = [], querySql = [], database, jdbcUrl } = connection;
    if (database !== undefined || jdbcUrl.some((url) => urlPatterns(url).length > 1)) return found;
    for (const { schema, table: name } of tablePatterns(table)) {
      if (schema !== undefined || typeof name !== 'string') return found;
      each.push({ ...options, connection: [{ ...connection, table: [name] }] });
      tables++;
    }
    for (const query of querySql) each.push({ ...options, connection: [{ ...connection, querySql: [query] }] });
  }
  // DataX cuts a table into as many tasks as there are channels for each, and several times more.
  if (options.splitPk === undefined || tables === 0 || (channels !== undefined && channels <= tables)) return each;
  return 'with "splitPk" and more channels than tables DataX cuts them, into a number of tasks that depends on their keys';
}

/** Options of a writer for each of its tables, in the order in which DataX gives them to tasks. */
export function eachTarget<O extends { readonly connection: C[] }, C extends TargetConnection>(options: O): O[] {
  return options.connection.flatMap((connection) =>
    expandTables(connection.table).map((table) => ({ ...options, connection: [{ ...connection, table: [table] }] })),
  );
}
