import type { Column } from 'dray/sdk';
import type { FieldDef } from 'pg';
import type { Client } from './connection.ts';
import { serverFault } from './faults.ts';
import { columnsOf } from './types.ts';

type Field = Pick<FieldDef, 'name' | 'tableID' | 'columnID' | 'dataTypeID' | 'dataTypeModifier'>;

/**
 * Columns of a query, as the server describes its result.
 * @param what for messages: table or query
 */
export async function resultColumns(client: Client, sql: string, what: string): Promise<Column[]> {
  return columnsOfFields(client, await resultFields(client, sql, what));
}

/** The same before names of types are looked for: equal fields are equal columns. */
export async function resultFields(client: Client, sql: string, what: string): Promise<Field[]> {
  const { fields } = await client.query({ text: sql, rowMode: 'array' }).catch((error: unknown) => {
    throw serverFault(error, `read the columns of ${what}`);
  });
  return fields.map(({ name, tableID, columnID, dataTypeID, dataTypeModifier }) => ({
    name,
    tableID,
    columnID,
    dataTypeID,
    dataTypeModifier,
  }));
}

export async function columnsOfFields(client: Client, fields: readonly Field[]): Promise<Column[]> {
  const notNull = await notNullColumns(client, fields);
  return columnsOf(
    client,
    fields.map((field, index) => ({
      name: field.name,
      oid: field.dataTypeID,
      typmod: field.dataTypeModifier,
      isNullable: !notNull.has(index),
    })),
  );
}

/** Indexes of result columns that are plain table columns declared NOT NULL. */
async function notNullColumns(client: Client, fields: readonly { tableID: number; columnID: number }[]): Promise<Set<number>> {
  const { rows } = await client.query<{ place: number }>(
    `SELECT f.place::int AS place FROM unnest($1::int8[], $2::int2[]) WITH ORDINALITY AS f(relation, number, place)
     JOIN pg_attribute a ON a.attrelid = f.relation AND a.attnum = f.number WHERE a.attnotnull AND a.attnum > 0`,
    [fields.map(({ tableID }) => tableID), fields.map(({ columnID }) => columnID)],
  );
  return new Set(rows.map(({ place }) => place - 1));
}
