import type { Client } from './connection.ts';

/** Rows that the planner expects of a query, and their mean width in bytes. Runs nothing. */
export async function explained(client: Client, sql: string): Promise<{ rows: number; width: number }> {
  const { rows } = await client.query<{ 'QUERY PLAN': { Plan: { 'Plan Rows': number; 'Plan Width': number } }[] }>(
    `EXPLAIN (FORMAT JSON) ${sql}`,
  );
  const { 'Plan Rows': expected, 'Plan Width': width } = rows[0]!['QUERY PLAN'][0]!.Plan;
  return { rows: expected, width };
}
