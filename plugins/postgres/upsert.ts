import { type Client, quoteName } from './connection.ts';
import { type BatchSink, copyBatches, type TargetState } from './copy-writer.ts';

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
  const lastOfEachKey = `SELECT DISTINCT ON (${keys}) ${names} FROM dray_batch ORDER BY ${keys}, dray_row DESC`;
  const changes = columns.filter((name) => !key.includes(name)).map((name) => `${quoteName(name)} = excluded.${quoteName(name)}`);
  const onConflict = changes.length === 0 ? 'NOTHING' : `UPDATE SET ${changes.join(', ')}`;
  const insert = `INSERT INTO ${table} (${names}) OVERRIDING SYSTEM VALUE ${lastOfEachKey}`;
  const merge =
    mode === 'update'
      ? `${insert} ON CONFLICT (${keys}) DO ${onConflict}`
      : `DELETE FROM ${table} AS old USING dray_batch AS new WHERE ${key.map((name) => `old.${quoteName(name)} = new.${quoteName(name)}`).join(' AND ')}; ${insert}`;
  return async (bytes) => {
    await copy(bytes);
    await client.query(`${merge}; TRUNCATE dray_batch`);
  };
}
