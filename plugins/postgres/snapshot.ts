import { DrayError, type Json, type OpenSnapshot } from 'dray/sdk';
import { findTables, type Table } from './catalog.ts';
import type { Client } from './connection.ts';
import { serverFault } from './faults.ts';

/** A snapshot that others can read in as long as the transaction that exported it is open. */
export interface ExportedSnapshot {
  readonly id: string;
  /** Where it stands in the write-ahead log: it has all that was committed before. */
  readonly lsn: string;
  /**
   * Files of the tables, by their names in the job file. A table that is written anew (TRUNCATE, ALTER TABLE, VACUUM FULL) looks empty to older snapshots, or has
   * its rows elsewhere: then its files are others.
   */
  readonly files: Readonly<Record<string, string>>;
  readonly client: Client;
}

/** What tasks need to know of a snapshot, as JSON. */
export type SnapshotRef = Pick<ExportedSnapshot, 'id' | 'files'>;

/** By session of the reader. */
export type SnapshotToken = Readonly<Record<string, SnapshotRef>>;

/** Begins a transaction and exports its snapshot. It lasts as long as the connection. */
export async function exportSnapshot(client: Client, tables: readonly string[]): Promise<ExportedSnapshot> {
  try {
    // Timeouts of the server's settings would end it; not every version has both.
    await client.query(
      "SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('transaction_timeout', 'idle_session_timeout')",
    );
    const files = await filesOf(client, await findTables(client, tables));
    const { rows: at } = await client.query<{ lsn: string }>(
      'SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END::text AS lsn',
    );
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const { rows } = await client.query<{ id: string }>('SELECT pg_export_snapshot() AS id');
    const byName = tables.flatMap((name, index) => (files[index] === undefined ? [] : [[name, files[index]] as const]));
    return { id: rows[0]!.id, lsn: at[0]!.lsn, files: Object.fromEntries(byName), client };
  } catch (error) {
    const fault = serverFault(error, 'export a snapshot');
    const isRefused = fault.code === 'SQL_FAILED' || fault.code === 'PERMISSION_DENIED';
    throw isRefused ? new DrayError('SNAPSHOT_REFUSED', fault.message, { cause: error }) : fault;
  }
}

/** What an open snapshot is to the framework. */
export function openSnapshotOf(snapshots: ReadonlyMap<string, ExportedSnapshot>): OpenSnapshot {
  const all = [...snapshots];
  const token = Object.fromEntries(all.map(([session, { id, files }]) => [session, { id, files }])) satisfies SnapshotToken;
  return { token: token as Json, position: all.map(([, { lsn }]) => lsn).join(', ') };
}

/** Begins the transaction of one read, in the snapshot if there is one. @throws DrayError SNAPSHOT_LOST if its exporter is gone */
export async function beginRead(client: Client, snapshot: SnapshotRef | undefined): Promise<void> {
  // Without a snapshot of the job: so that nobody can change the table between the look at its columns and its rows.
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  if (snapshot === undefined) return;
  try {
    await client.query(`SET TRANSACTION SNAPSHOT '${snapshot.id.replaceAll("'", "''")}'`);
  } catch (error) {
    const fault = serverFault(error, 'read in the snapshot');
    if (fault.code !== 'SQL_FAILED') throw fault;
    throw new DrayError('SNAPSHOT_LOST', 'the session that held the snapshot has ended at the server', { cause: error });
  }
}

/**
 * Whether a table still has the files that it had when the snapshot was taken. To be asked after a look at its columns in the same transaction, which keeps it
 * as it is until the end.
 */
export async function isStillThere(client: Client, { files }: SnapshotRef, name: string, table: Table): Promise<boolean> {
  return files[name] === undefined || (await filesOf(client, [table]))[0] === files[name];
}

/** Of tables that have any; of partitioned ones those of all partitions. Functions see the catalog as it is now, also within an older snapshot. */
async function filesOf(client: Client, tables: readonly Table[]): Promise<(string | undefined)[]> {
  const { rows } = await client.query<{ files: string }>(
    `SELECT md5(coalesce(
       (SELECT string_agg(concat(relid::oid, '.', pg_relation_filenode(relid)), ' ' ORDER BY relid::oid) FROM pg_partition_tree(t.oid) WHERE isleaf),
       concat(t.oid, '.', pg_relation_filenode(t.oid)))) AS files
     FROM unnest($1::oid[]) WITH ORDINALITY AS t(oid, place) ORDER BY place`,
    [tables.map(({ oid }) => oid)],
  );
  return rows.map(({ files }, index) => ('rpm'.includes(tables[index]!.kind) ? files : undefined));
}
