import { type Client, quoteName } from './connection.ts';
import { copyCounters, countersOf, indexName } from './make-alike.ts';
import { type BesideTable, besideName, besideSql, targetText, writeMark } from './staging.ts';
import type { TableShape } from './table-shape.ts';

/** How rows get into the target. */
export interface Exchange {
  readonly run: string;
  readonly target: TableShape;
  /** The table that takes its place. */
  readonly from: BesideTable;
  /** If the target's own table stays beside it. */
  readonly keepsPrevious: boolean;
}

/** True if the table was made like the target as it is now, and nothing ties the target. */
export function isExchangeable({ ties, digest }: TableShape, { mark }: BesideTable): boolean {
  return ties.length === 0 && mark.digest === digest;
}

/**
 * Gives a table the name of the target, its owner, rights, comment, and the names of its indexes and counters. In a transaction that has locked both: who
 * waits for the target then looks its name up again, and finds the new table.
 * @returns name of the table that was the target, if it is kept
 */
export async function exchange(client: Client, { run, target, from, keepsPrevious }: Exchange): Promise<string | undefined> {
  const previous = besideName('old', run, target);
  const indexes = from.mark.indexes ?? [];
  const counters = await countersOf(client, target.sql, from.sql);
  await copyCounters(client, { from: target.sql, to: from.sql });
  for (const statement of await belongings(client, target, from.sql)) await client.query(statement);
  const own = (name: string) => besideSql(target, name);
  const rename = (kind: 'TABLE' | 'INDEX' | 'SEQUENCE', sql: string, name: string) => `ALTER ${kind} ${sql} RENAME TO ${quoteName(name)}`;
  const parting = keepsPrevious
    ? [
        rename('TABLE', target.sql, previous),
        ...indexes.map((name, number) => rename('INDEX', own(name), indexName(previous, number))),
        ...counters.map(({ old }, number) => rename('SEQUENCE', old.sql, `${previous}_s${number}`)),
      ]
    : [`DROP TABLE ${target.sql}`];
  const arriving = [
    rename('TABLE', from.sql, target.name),
    ...indexes.map((name, number) => rename('INDEX', own(indexName(from.name, number)), name)),
    ...counters.map(({ old, made }) => rename('SEQUENCE', made.sql, old.name)),
  ];
  for (const statement of [...parting, ...arriving]) await client.query(statement);
  if (!keepsPrevious) return undefined;
  await writeMark(client, own(previous), { run, kind: 'old', target: targetText(target), digest: target.digest, indexes });
  return previous;
}

/** Statements that give a table what belongs to the target itself: owner, rights, comment, and the counters of serial columns. */
async function belongings(client: Client, target: TableShape, to: string): Promise<string[]> {
  const { rows: rights } = await client.query<{ grantee: string; right: string; mayPassOn: boolean }>(
    `SELECT CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END AS grantee, g.privilege_type AS right, g.is_grantable AS "mayPassOn"
     FROM pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) g WHERE c.oid = $1`,
    [target.oid],
  );
  // Rights that a new table has by default; the target may not have them.
  const { rows: strangers } = await client.query<{ grantee: string }>(
    `SELECT DISTINCT CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END AS grantee
     FROM pg_class c, aclexplode(c.relacl) g WHERE c.oid = to_regclass($1)`,
    [to],
  );
  const { rows: counters } = await client.query<{ counter: string; column: string }>(
    `SELECT format('%I.%I', n.nspname, s.relname) AS counter, quote_ident(a.attname) AS column
     FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_namespace n ON n.oid = s.relnamespace
     JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
     WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = $1 AND d.deptype = 'a'`,
    [target.oid],
  );
  const hasRights = await client.query('SELECT 1 FROM pg_class WHERE oid IN ($1, to_regclass($2)::oid) AND relacl IS NOT NULL', [
    target.oid,
    to,
  ]);
  const revoked = new Set([...strangers.map(({ grantee }) => grantee), target.owner]);
  const grants = [
    ...[...revoked].map((grantee) => `REVOKE ALL ON ${to} FROM ${grantee}`),
    ...rights.map(
      ({ grantee, right, mayPassOn }) =>
        `GRANT ${right} ON ${to} TO ${grantee}${mayPassOn && grantee !== target.owner ? ' WITH GRANT OPTION' : ''}`,
    ),
  ];
  return [
    `ALTER TABLE ${to} OWNER TO ${target.owner}`,
    ...(hasRights.rows.length === 0 ? [] : grants),
    ...counters.map(({ counter, column }) => `ALTER SEQUENCE ${counter} OWNED BY ${to}.${column}`),
    `COMMENT ON TABLE ${to} IS ${target.comment === null ? 'NULL' : client.escapeLiteral(target.comment)}`,
  ];
}
