import { DrayError } from 'dray/sdk';
import { targetColumns } from '../_sql/parts.ts';
import { findTable, type Table, type TableColumn, tableColumns } from './catalog.ts';
import type { Client } from './connection.ts';
import type { PostgresWriterOptions } from './writer.ts';

/** What a job writes to. */
export interface Inspected {
  readonly table: Table;
  /** Those that are written. */
  readonly columns: readonly TableColumn[];
  /** Columns of the primary key in its order. */
  readonly key: readonly string[];
}

export async function inspectTarget(client: Client, tableName: string, { column, writeMode }: PostgresWriterOptions): Promise<Inspected> {
  const table = await findTable(client, tableName);
  const all = await tableColumns(client, table);
  const columns = targetColumns(all, column, tableName);
  const key = all.filter(({ keyPlace }) => keyPlace > 0).sort((a, b) => a.keyPlace - b.keyPlace);
  if (writeMode !== 'insert') checkKey(key, columns, writeMode, tableName);
  return { table, columns, key: key.map(({ name }) => name) };
}

function checkKey(key: readonly TableColumn[], columns: readonly TableColumn[], mode: string, table: string): void {
  if (key.length === 0) {
    throw new DrayError('JOB_INVALID', `writeMode "${mode}" needs a primary key, and the table ${table} has none`, {
      side: 'target',
      remedy: 'Add a primary key to the table, or use writeMode "insert".',
    });
  }
  const missing = key.filter(({ name }) => !columns.some((column) => column.name === name));
  if (missing.length === 0) return;
  throw new DrayError('JOB_INVALID', `writeMode "${mode}" needs the key column ${missing[0]!.name} of ${table} in "column"`, {
    side: 'target',
  });
}
