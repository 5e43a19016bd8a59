import { DrayError } from 'dray/sdk';
import { type Client, quoteName } from './connection.ts';
import { type BesideTable, besideName, besideSql, targetText, writeMark } from './staging.ts';
import type { TableShape } from './table-shape.ts';
import { mergeStatements } from './upsert.ts';

/** What becomes of the rows that are there. */
export type InPlaceMode = 'replace all' | 'add' | 'update' | 'replace';

export interface InPlace {
  readonly run: string;
  readonly target: TableShape;
  /** Where the new rows are. */
  readonly from: BesideTable;
  readonly mode: InPlaceMode;
  /** Written columns. */
  readonly columns: readonly string[];
  readonly key: readonly string[];
  readonly keepsPrevious: boolean;
}

/**
 * Moves rows into a target that stays the table it is. In a transaction that has locked the target against others who write; who reads sees the old
 * rows until it commits, and then the new ones.
 * @returns name of the table with the previous rows, if they are kept
 */
export async function moveInPlace(client: Client, move: InPlace): Promise<string | undefined> {
  const { run, target, from, keepsPrevious } = move;
  const name = keepsPrevious ? besideName('old', run, target) : undefined;
  if (name !== undefined) {
    const previous = besideSql(target, name);
    await client.query(`CREATE TABLE ${previous} AS TABLE ${target.sql}`);
    await writeMark(client, previous, { run, kind: 'old', target: targetText(target) });
  }
  for (const statement of await statementsOf(client, move)) await client.query(statement);
  await client.query(`DROP TABLE ${from.sql}`);
  return name;
}

async function statementsOf(client: Client, { target, from, mode, columns, key }: InPlace): Promise<string[]> {
  const names = columns.map(quoteName).join(', ');
  const insert = `INSERT INTO ${target.sql} (${names}) OVERRIDING SYSTEM VALUE SELECT ${names} FROM ${from.sql}`;
  if (mode === 'add') return [insert];
  if (mode !== 'replace all') return mergeStatements({ table: target.sql, from: from.sql, key, columns, mode });
  if (!target.isReferenced) return [`DELETE FROM ${target.sql}`, insert];
  return differences(await settableColumns(client, target), { target, from, columns, key });
}

/**
 * Rows that others refer to must not go, not even for a moment: only what differs is changed. A row is new, gone or changed by its key; columns that are not
 * written have their defaults, as they would in a new row.
 */
function differences(
  settable: readonly string[],
  { target, from, columns, key }: Pick<InPlace, 'target' | 'from' | 'columns' | 'key'>,
): string[] {
  if (key.length === 0 || key.some((name) => !columns.includes(name))) {
    throw new DrayError(
      'SQL_FAILED',
      `rows of other tables refer to rows of ${target.sql}, and without its primary key in "column" nothing tells which of them stay`,
      {
        remedy: 'Give the table a primary key and write its columns, or use "publish": "direct".',
      },
    );
  }
  const sameKey = key.map((name) => `old.${quoteName(name)} = new.${quoteName(name)}`).join(' AND ');
  const names = columns.map(quoteName);
  const changes = settable
    .filter((name) => !key.includes(name))
    .map((name) => `${quoteName(name)} = ${columns.includes(name) ? `new.${quoteName(name)}` : 'DEFAULT'}`);
  // As texts: not every type can be compared, and what is equal may still look different (1.0 and 1.00).
  const row = (alias: string) => `ROW(${names.map((name) => `${alias}.${name}`).join(', ')})::text`;
  const differs = settable.every((name) => columns.includes(name)) ? ` AND ${row('old')} IS DISTINCT FROM ${row('new')}` : '';
  return [
    `DELETE FROM ${target.sql} AS old WHERE NOT EXISTS (SELECT FROM ${from.sql} AS new WHERE ${sameKey})`,
    ...(changes.length === 0
      ? []
      : [`UPDATE ${target.sql} AS old SET ${changes.join(', ')} FROM ${from.sql} AS new WHERE ${sameKey}${differs}`]),
    `INSERT INTO ${target.sql} (${names.join(', ')}) OVERRIDING SYSTEM VALUE
       SELECT ${names.join(', ')} FROM ${from.sql} AS new WHERE NOT EXISTS (SELECT FROM ${target.sql} AS old WHERE ${sameKey})`,
  ];
}

/** Columns that the server does not compute. */
export async function settableColumns(client: Client, target: TableShape): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT attname AS name FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum`,
    [target.oid],
  );
  return rows.map(({ name }) => name);
}
