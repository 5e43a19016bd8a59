import type { TestDatabase } from '../support/sql.ts';
import { target } from './tables.ts';

/** Locks rows of the target one by one, from the highest id down, and holds them for a moment: who locks them upwards meets it in the middle. */
export async function lockDownwards(database: TestDatabase, rows: number): Promise<void> {
  const ids = Array.from({ length: 24 }, (_, index) => Math.max(3, 3 * Math.floor((rows * (24 - index)) / 24 / 3)));
  const wait = database.kind === 'postgres' ? 'SELECT pg_sleep(0.05)' : 'SELECT SLEEP(0.05)';
  const locks = ids.flatMap((id) => [`UPDATE ${target} SET batch = batch WHERE id = ${id}`, wait]);
  // It may be the one that the server ends.
  await database.sql('BEGIN', ...locks, 'COMMIT').catch(() => undefined);
}
