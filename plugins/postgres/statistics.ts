/*
 * pg_stats is a security barrier: only comparisons with values, and not with columns of a join, get into it and find an index. Joined, it is made for all tables of the
 * database first, which takes 0.1 s where there are 2,000.
 * https://www.postgresql.org/docs/current/rules-privileges.html
 */

/** A part of WITH, for `ofNamed`: how pg_stats names a table. @param oid SQL of it */
export function namedTable(oid: string): string {
  return `named AS (SELECT n.nspname, c.relname, c.relkind = 'p' AS is_root FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ${oid})`;
}

/** A condition on rows of pg_stats: those of that table. */
export const ofNamed =
  'schemaname = (SELECT nspname FROM named) AND tablename = (SELECT relname FROM named) AND inherited = (SELECT is_root FROM named)';
