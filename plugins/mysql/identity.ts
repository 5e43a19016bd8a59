import { DrayError } from 'dray/sdk';
import type { Table } from './catalog.ts';
import { quoteName, quoteText, type Session } from './connection.ts';
import { serverFault } from './faults.ts';

/** A foreign key from one table to another, or to itself. */
export interface ForeignKey {
  readonly name: string;
  readonly child: TableName;
  readonly columns: readonly string[];
  readonly parent: TableName;
  readonly parentColumns: readonly string[];
}

interface TableName {
  readonly database: string;
  readonly name: string;
}

interface Lists {
  readonly columns: string[];
  readonly parentColumns: string[];
}

/** Foreign keys of the table, and those of other tables that refer to it. */
export async function foreignKeysOf(session: Session, table: Table): Promise<ForeignKey[]> {
  const [database, name] = [quoteText(table.database), quoteText(table.name)];
  const columns = `CONSTRAINT_NAME, TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME,
    REFERENCED_COLUMN_NAME, ORDINAL_POSITION AS place`;
  // UNION takes the key that refers to its own table once.
  const rows = await session.query(
    `SELECT ${columns} FROM information_schema.KEY_COLUMN_USAGE
       WHERE TABLE_SCHEMA = ${database} AND TABLE_NAME = ${name} AND REFERENCED_TABLE_NAME IS NOT NULL
     UNION SELECT ${columns} FROM information_schema.KEY_COLUMN_USAGE
       WHERE REFERENCED_TABLE_SCHEMA = ${database} AND REFERENCED_TABLE_NAME = ${name}
     ORDER BY 2, 3, 1, place`,
  );
  const keys = new Map<string, Lists & { readonly key: ForeignKey }>();
  for (const [constraint, childDatabase, child, column, parentDatabase, parent, parentColumn] of rows as [string, ...string[]][]) {
    const id = JSON.stringify([childDatabase, child, constraint]);
    const lists: Lists = keys.get(id) ?? { columns: [], parentColumns: [] };
    lists.columns.push(column!);
    lists.parentColumns.push(parentColumn!);
    const key: ForeignKey = {
      name: constraint,
      child: { database: childDatabase!, name: child! },
      parent: { database: parentDatabase!, name: parent! },
      ...lists,
    };
    keys.set(id, { ...lists, key });
  }
  return [...keys.values()].map(({ key }) => key);
}

/**
 * Whether another table can take this one's place by a rename: foreign keys and triggers would stay with the old table, and the history of a versioned one
 * would be lost. Triggers that this user may not see count as there.
 */
export async function canBeRenamed(session: Session, table: Table): Promise<boolean> {
  if ((await foreignKeysOf(session, table)).length > 0) return false;
  const [database, name] = [quoteText(table.database), quoteText(table.name)];
  const grantee = `CONCAT(QUOTE(LEFT(CURRENT_USER(), CHAR_LENGTH(CURRENT_USER()) - CHAR_LENGTH(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)) - 1)),
    '@', QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)))`;
  const sees = `GRANTEE = ${grantee} AND PRIVILEGE_TYPE = 'TRIGGER'`;
  const [row] = await session.query(
    `SELECT (SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = ${database} AND EVENT_OBJECT_TABLE = ${name}),
       (SELECT COUNT(*) FROM information_schema.USER_PRIVILEGES WHERE ${sees})
       + (SELECT COUNT(*) FROM information_schema.SCHEMA_PRIVILEGES WHERE ${sees} AND ${database} LIKE TABLE_SCHEMA)
       + (SELECT COUNT(*) FROM information_schema.TABLE_PRIVILEGES WHERE ${sees} AND TABLE_SCHEMA = ${database} AND TABLE_NAME = ${name}),
       (SELECT COUNT(*) FROM information_schema.TABLES
         WHERE TABLE_SCHEMA = ${database} AND TABLE_NAME = ${name} AND TABLE_TYPE <> 'BASE TABLE')`,
  );
  const [triggers, rights, isOther] = row as [string, string, string];
  return triggers === '0' && rights !== '0' && isOther === '0';
}

/** Gives a table beside the target the target's foreign keys to other tables, so that rows are refused while they are loaded, and not all at the end. */
export async function copyForeignKeys(session: Session, from: Table, toSql: string): Promise<void> {
  const isFrom = ({ database, name }: TableName) => database === from.database && name === from.name;
  const keys = (await foreignKeysOf(session, from)).filter(({ child, parent }) => isFrom(child) && !isFrom(parent));
  if (keys.length === 0) return;
  const list = (names: readonly string[]) => names.map(quoteName).join(', ');
  const additions = keys.map(
    ({ columns, parent, parentColumns }) =>
      `ADD FOREIGN KEY (${list(columns)}) REFERENCES ${quoteName(parent.database)}.${quoteName(parent.name)} (${list(parentColumns)})`,
  );
  await session.execute(`ALTER TABLE ${toSql} ${additions.join(', ')}`).catch((error: unknown) => {
    // Without the right to refer to the other tables, they are looked at when the rows are published.
    if (serverFault(error, 'refer').code !== 'PERMISSION_DENIED') throw error;
  });
}

/** Throws if a row refers to one that is not there. In the transaction that replaced the rows while the server did not look. */
export async function checkForeignKeys(session: Session, table: Table): Promise<void> {
  for (const { name, child, columns, parent, parentColumns } of await foreignKeysOf(session, table)) {
    const pairs = columns.map((column, index) => `p.${quoteName(parentColumns[index]!)} = c.${quoteName(column)}`);
    const isSet = columns.map((column) => `c.${quoteName(column)} IS NOT NULL`);
    const orphans = await session.query(
      `SELECT 1 FROM ${sqlOf(child)} c LEFT JOIN ${sqlOf(parent)} p ON ${pairs.join(' AND ')}
       WHERE ${isSet.join(' AND ')} AND p.${quoteName(parentColumns[0]!)} IS NULL LIMIT 1 LOCK IN SHARE MODE`,
    );
    if (orphans.length === 0) continue;
    throw new DrayError(
      'SQL_FAILED',
      `rows of ${sqlOf(child)} would refer to rows that ${sqlOf(parent)} does not have (foreign key ${name})`,
      {
        remedy: 'Load the rows they refer to, or have those rows removed first; the table is as it was.',
      },
    );
  }
}

function sqlOf({ database, name }: TableName): string {
  return `${quoteName(database)}.${quoteName(name)}`;
}
