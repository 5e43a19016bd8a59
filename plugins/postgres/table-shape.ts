import type { Client } from './connection.ts';

/** What is true of a table beside its columns, as far as publishing is concerned. */
export interface TableShape {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** Quoted and qualified where needed, for SQL. */
  readonly sql: string;
  /** pg_class.relkind */
  readonly kind: string;
  /** For SQL. */
  readonly owner: string;
  readonly comment: string | null;
  /** What ties others to this very table, or could not be given to another one: it cannot be exchanged. In words, empty if it can be. */
  readonly ties: readonly string[];
  /** True if rows of other tables refer to rows of this one. */
  readonly isReferenced: boolean;
  /** True if it matters where a statement ends: rows refer to rows of the same table, or there are triggers for each statement. */
  readonly seesStatements: boolean;
  /** Stands for columns, defaults, constraints, indexes and storage: equal for tables that are made alike. */
  readonly digest: string;
}

/** Looks at a table; undefined if it is not there. */
export async function shapeOf(client: Client, sql: string): Promise<TableShape | undefined> {
  const { rows } = await client.query<TableShape>(`${shapeQuery} WHERE c.oid = to_regclass($1)`, [sql]);
  return rows[0];
}

/** Objects that belong to a table and go or come with it; all others tie it. */
const belongs = `(d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    OR d.classid = 'pg_constraint'::regclass AND EXISTS (SELECT FROM pg_constraint o WHERE o.oid = d.objid AND o.conrelid = c.oid AND o.contype <> 'f')
    OR d.classid = 'pg_attrdef'::regclass AND EXISTS (SELECT FROM pg_attrdef o WHERE o.oid = d.objid AND o.adrelid = c.oid)
    OR d.classid = 'pg_type'::regclass AND d.deptype = 'i')`;

const ties = `array_remove(ARRAY[
    CASE WHEN c.relkind <> 'r' THEN 'it is no plain table' END,
    CASE WHEN c.relispartition OR c.relhassubclass OR EXISTS (SELECT FROM pg_inherits WHERE c.oid IN (inhrelid, inhparent)) THEN 'partitions or inheritance' END,
    CASE WHEN c.relpersistence <> 'p' THEN 'it is not logged' END,
    CASE WHEN c.relrowsecurity OR c.relforcerowsecurity THEN 'row security' END,
    CASE WHEN c.reloftype <> 0 THEN 'it is of a type' END,
    CASE WHEN EXISTS (SELECT FROM pg_publication_tables p WHERE p.schemaname = n.nspname AND p.tablename = c.relname) THEN 'a publication' END,
    CASE WHEN NOT pg_has_role(c.relowner, 'MEMBER') THEN 'it belongs to another user' END,
    CASE WHEN NOT has_schema_privilege(c.relowner, n.oid, 'CREATE') THEN 'its owner may not create tables' END,
    CASE WHEN EXISTS (SELECT FROM aclexplode(c.relacl) g WHERE g.grantor <> c.relowner) THEN 'rights that were granted by others' END,
    CASE WHEN EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      AND (a.attacl IS NOT NULL OR a.attoptions IS NOT NULL OR coalesce(a.attstattarget, -1) <> -1)) THEN 'rights or settings of columns' END,
    CASE WHEN EXISTS (SELECT FROM pg_seclabel s WHERE s.objoid = c.oid AND s.classoid = 'pg_class'::regclass) THEN 'security labels' END,
    CASE WHEN EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indexrelid
      WHERE i.indrelid = c.oid AND (NOT i.indisvalid OR coalesce(a.attstattarget, -1) <> -1)) THEN 'indexes that are not valid, or have settings' END,
    CASE WHEN EXISTS (SELECT FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' AND s.relacl IS NOT NULL
      WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.deptype = 'i') THEN 'rights on a counter' END
  ], NULL) || ARRAY(
    SELECT DISTINCT pg_describe_object(d.classid, d.objid, 0) FROM pg_depend d
    WHERE (d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
        OR d.refclassid = 'pg_type'::regclass AND d.refobjid IN (SELECT unnest(ARRAY[t.oid, t.typarray]) FROM pg_type t WHERE t.oid = c.reltype AND t.oid <> 0))
      AND NOT ${belongs})`;

const digest = `md5(concat_ws(E'\\n',
    (SELECT string_agg(concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated, a.attstorage,
        a.attcollation, pg_get_expr(f.adbin, f.adrelid)), ',' ORDER BY a.attnum)
      FROM pg_attribute a LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
    (SELECT string_agg(quote_ident(o.conname) || ' ' || pg_get_constraintdef(o.oid), ',' ORDER BY o.conname) FROM pg_constraint o WHERE o.conrelid = c.oid AND o.contype <> 'n'),
    (SELECT string_agg(concat_ws(' ', pg_get_indexdef(i.indexrelid), x.reloptions::text, x.reltablespace, i.indisclustered, i.indisreplident), ',' ORDER BY x.relname)
      FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid),
    c.reloptions::text, (SELECT t.reloptions::text FROM pg_class t WHERE t.oid = c.reltoastrelid), c.reltablespace, c.relam, c.relreplident))`;

const shapeQuery = `SELECT c.oid::int8::int AS oid, n.nspname AS schema, c.relname AS name, format('%I.%I', n.nspname, c.relname) AS sql, c.relkind AS kind,
    quote_ident(pg_get_userbyid(c.relowner)) AS owner, obj_description(c.oid, 'pg_class') AS comment, ${ties} AS ties, ${digest} AS digest,
    EXISTS (SELECT FROM pg_constraint o WHERE o.confrelid = c.oid AND o.contype = 'f' AND o.conrelid <> c.oid) AS "isReferenced",
    EXISTS (SELECT FROM pg_constraint o WHERE o.conrelid = c.oid AND o.contype = 'f' AND o.confrelid = c.oid)
      OR EXISTS (SELECT FROM pg_trigger o WHERE o.tgrelid = c.oid AND NOT o.tgisinternal AND o.tgtype & 1 = 0) AS "seesStatements"
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace`;
