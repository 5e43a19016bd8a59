import { type Client, quoteName } from './connection.ts';
import { type BatchSink, copyBatches } from './copy-batches.ts';
import type { TargetState } from './task-writer.ts';

/**
 * Write modes `update` and `replace`: each batch is copied into a temporary table of the same shape and merged from there by primary key.
 * Of several rows with one key in a batch the last one counts, as if they had been written one after the other.
 */
export async function upsertBatches(
  client: Client,
  { table, key }: TargetState,
  columns: readonly string[],
  mode: 'update' | 'replace',
): Promise<BatchSink> {
  const names = columns.map(quoteName).join(', ');
  const keys = key.map(quoteName).join(', ');
  await client.query(
    `CREATE TEMP TABLE dray_batch ON COMMIT DROP AS SELECT ${names} FROM ${table} WITH NO DATA;
     ALTER TABLE dray_batch ADD COLUMN dray_row bigint GENERATED ALWAYS AS IDENTITY`,
  );
  const copy = copyBatches(client, 'dray_batch', columns);
  const source = `(SELECT DISTINCT ON (${keys}) ${names} FROM dray_batch ORDER BY ${keys}, dray_row DESC)`;
  const merge = mergeStatements({ table, from: source, key, columns, mode }).join('; ');
  return async (batch) => {
    await copy(batch);
    await client.query(`${merge}; TRUNCATE dray_batch`);
  };
}

export interface Merge {
  readonly table: string;
  /** Table or query in brackets with the new rows, each key once; for SQL. */
  readonly from: string;
  readonly key: readonly string[];
  readonly columns: readonly string[];
  readonly mode: 'update' | 'replace';
}

/** Statements that put rows into a table by its primary key. */
export function mergeStatements({ table, from, key, columns, mode }: Merge): string[] {
  const names = columns.map(quoteName).join(', ');
  const keys = key.map(quoteName).join(', ');
  const insert = `INSERT INTO ${table} (${names}) OVERRIDING SYSTEM VALUE SELECT ${names} FROM ${from} AS new`;
  if (mode === 'update') {
    const changes = columns.filter((name) => !key.includes(name)).map((name) => `${quoteName(name)} = excluded.${quoteName(name)}`);
    return [`${insert} ON CONFLICT (${keys}) DO ${changes.length === 0 ? 'NOTHING' : `UPDATE SET ${changes.join(', ')}`}`];
  }
  const sameKey = key.map((name) => `old.${quoteName(name)} = new.${quoteName(name)}`).join(' AND ');
  return [`DELETE FROM ${table} AS old USING ${from} AS new WHERE ${sameKey}`, insert];
}
