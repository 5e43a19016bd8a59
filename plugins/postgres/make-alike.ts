import { DrayError } from 'dray/sdk';
import { type Client, quoteName } from './connection.ts';
import type { TableShape } from './table-shape.ts';

interface Index {
  readonly name: string;
  /** `UNIQUE INDEX name ON table`… without what stands before the method: ` USING btree (id)`. */
  readonly method: string | null;
  readonly isUnique: boolean;
  /** Of its constraint, if it has one: `PRIMARY KEY (id)`. */
  readonly constraint: string | null;
  readonly options: string | null;
  readonly tablespace: string | null;
  readonly comment: string | null;
  readonly constraintComment: string | null;
  readonly isClustered: boolean;
  readonly isIdentity: boolean;
}

/** Name of the index of a table that dray made, by its number. */
export function indexName(table: string, number: number): string {
  return `${table}_x${number}`;
}

/**
 * Creates a table that can take the place of the target: columns, defaults, checks, counters, storage, indexes and their comments are alike. Indexes have
 * names of their own, made of the table's.
 * @param name of the table, in the schema of the target
 * @returns names of the target's indexes, in the order of the numbers in the names of the new ones
 */
export async function makeExchangeable(client: Client, target: TableShape, name: string): Promise<string[]> {
  const made = `${quoteName(target.schema)}.${quoteName(name)}`;
  const { method, options, tablespace, identity } = await storageOf(client, target);
  const settings = `${method === null ? '' : ` USING ${method}`}${options === null ? '' : ` WITH (${options})`}${tablespace === null ? '' : ` TABLESPACE ${tablespace}`}`;
  await client.query(`CREATE TABLE ${made} (LIKE ${target.sql} INCLUDING ALL EXCLUDING INDEXES EXCLUDING STATISTICS)${settings}`);
  const indexes = await indexesOf(client, target);
  for (const [number, index] of indexes.entries())
    await makeIndex(client, { made, schema: target.schema, name: indexName(name, number) }, index);
  if (identity !== null) await client.query(`ALTER TABLE ${made} REPLICA IDENTITY ${identity}`);
  await copyCounters(client, { from: target.sql, to: made });
  return indexes.map((index) => index.name);
}

/** Creates a table that holds the same rows, but never takes the target's place; foreign keys are there so that rows without their keys are refused early. */
export async function makeLike(client: Client, target: TableShape, name: string): Promise<void> {
  const made = `${quoteName(target.schema)}.${quoteName(name)}`;
  await client.query(`CREATE TABLE ${made} (LIKE ${target.sql} INCLUDING ALL)`);
  const { rows } = await client.query<{ definition: string }>(
    `SELECT pg_get_constraintdef(oid) AS definition FROM pg_constraint
     WHERE conrelid = $1 AND contype = 'f' AND confrelid <> conrelid AND has_table_privilege(confrelid, 'REFERENCES') AND conparentid = 0`,
    [target.oid],
  );
  for (const { definition } of rows) await client.query(`ALTER TABLE ${made} ADD ${definition}`);
}

async function storageOf(client: Client, target: TableShape) {
  const { rows } = await client.query<{
    method: string | null;
    options: string | null;
    tablespace: string | null;
    identity: string | null;
  }>(
    `SELECT (SELECT quote_ident(amname) FROM pg_am a WHERE a.oid = c.relam) AS method,
       (SELECT string_agg(format('%s=%L', split_part(o, '=', 1), substr(o, position('=' IN o) + 1)), ', ')
        FROM unnest(coalesce(c.reloptions, '{}') || ARRAY(SELECT 'toast.' || unnest(t.reloptions) FROM pg_class t WHERE t.oid = c.reltoastrelid)) o) AS options,
       (SELECT quote_ident(spcname) FROM pg_tablespace s WHERE s.oid = c.reltablespace) AS tablespace,
       CASE c.relreplident WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING' END AS identity
     FROM pg_class c WHERE c.oid = $1`,
    [target.oid],
  );
  return rows[0]!;
}

async function indexesOf(client: Client, target: TableShape): Promise<Index[]> {
  const { rows } = await client.query<Index>(
    `SELECT x.relname AS name, i.indisunique AS "isUnique", i.indisclustered AS "isClustered", i.indisreplident AS "isIdentity",
       CASE WHEN starts_with(def.text, head.text) THEN substr(def.text, length(head.text) + 1) END AS method,
       CASE WHEN o.oid IS NOT NULL THEN pg_get_constraintdef(o.oid) END AS constraint,
       (SELECT string_agg(format('%s=%L', split_part(e, '=', 1), substr(e, position('=' IN e) + 1)), ', ') FROM unnest(x.reloptions) e) AS options,
       (SELECT quote_ident(spcname) FROM pg_tablespace s WHERE s.oid = x.reltablespace) AS tablespace,
       obj_description(x.oid, 'pg_class') AS comment, obj_description(o.oid, 'pg_constraint') AS "constraintComment"
     FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
     LEFT JOIN pg_constraint o ON o.conindid = i.indexrelid AND o.conrelid = i.indrelid AND o.contype IN ('p', 'u', 'x')
     CROSS JOIN LATERAL (SELECT pg_get_indexdef(x.oid) AS text) def
     CROSS JOIN LATERAL (SELECT format('CREATE %sINDEX %I ON %I.%I', CASE WHEN i.indisunique THEN 'UNIQUE ' END, x.relname, $2::text, $3::text) AS text) head
     WHERE i.indrelid = $1 ORDER BY i.indisprimary DESC, x.oid`,
    [target.oid, target.schema, target.name],
  );
  return rows;
}

interface IndexPlace {
  /** The table, for SQL. */
  readonly made: string;
  readonly schema: string;
  /** Of the index. */
  readonly name: string;
}

async function makeIndex(client: Client, { made, schema, name }: IndexPlace, index: Index): Promise<void> {
  const quoted = quoteName(name);
  const qualified = `${quoteName(schema)}.${quoted}`;
  const comments = (on: string, text: string | null) => (text === null ? [] : [`COMMENT ON ${on} IS ${client.escapeLiteral(text)}`]);
  if (index.constraint === null && index.method === null) {
    throw new DrayError('SQL_FAILED', `the definition of the index ${index.name} is not understood`, {
      remedy: 'Use "publish": "direct".',
    });
  }
  const statements = [
    index.constraint === null
      ? `CREATE ${index.isUnique ? 'UNIQUE ' : ''}INDEX ${quoted} ON ${made}${index.method}`
      : `ALTER TABLE ${made} ADD CONSTRAINT ${quoted} ${index.constraint}`,
    ...(index.constraint === null || index.options === null ? [] : [`ALTER INDEX ${qualified} SET (${index.options})`]),
    ...(index.tablespace === null ? [] : [`ALTER INDEX ${qualified} SET TABLESPACE ${index.tablespace}`]),
    ...comments(`INDEX ${qualified}`, index.comment),
    ...comments(`CONSTRAINT ${quoted} ON ${made}`, index.constraintComment),
    ...(index.isClustered ? [`ALTER TABLE ${made} CLUSTER ON ${quoted}`] : []),
    ...(index.isIdentity ? [`ALTER TABLE ${made} REPLICA IDENTITY USING INDEX ${quoted}`] : []),
  ];
  for (const statement of statements) await client.query(statement);
}

/** Sets the counters of identity columns to where those of the other table stand, if they are behind. */
export async function copyCounters(client: Client, { from, to }: { from: string; to: string }): Promise<void> {
  for (const { old, made, isDown } of await countersOf(client, from, to)) {
    const isBehind = `(o.last_value, o.is_called) ${isDown ? '<' : '>'} (n.last_value, n.is_called)`;
    await client.query(
      `SELECT setval(${client.escapeLiteral(made.sql)}, o.last_value, o.is_called) FROM ${old.sql} o, ${made.sql} n WHERE ${isBehind}`,
    );
  }
}

interface Named {
  readonly name: string;
  /** Qualified, for SQL. */
  readonly sql: string;
}

/** The counters of identity columns that two tables, given for SQL, both have. */
export async function countersOf(client: Client, from: string, to: string): Promise<{ old: Named; made: Named; isDown: boolean }[]> {
  const { rows } = await client.query<{ schema: string; old: string; made: string; isDown: boolean }>(
    `SELECT n.nspname AS schema, o.relname AS old, m.relname AS made, s.seqincrement < 0 AS "isDown"
     FROM pg_attribute a JOIN pg_attribute b ON b.attname = a.attname AND b.attrelid = to_regclass($2) AND b.attidentity <> ''
     JOIN pg_class o ON o.oid = pg_get_serial_sequence($1, a.attname)::regclass
     JOIN pg_class m ON m.oid = pg_get_serial_sequence($2, b.attname)::regclass
     JOIN pg_sequence s ON s.seqrelid = o.oid JOIN pg_namespace n ON n.oid = o.relnamespace
     WHERE a.attrelid = to_regclass($1) AND a.attidentity <> '' AND NOT a.attisdropped ORDER BY a.attnum`,
    [from, to],
  );
  const named = (schema: string, name: string) => ({ name, sql: `${quoteName(schema)}.${quoteName(name)}` });
  return rows.map(({ schema, old, made, isDown }) => ({ old: named(schema, old), made: named(schema, made), isDown }));
}
