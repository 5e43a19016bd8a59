import { expect, test } from 'vitest';
import { namedTable, ofNamed } from '../../../plugins/postgres/statistics.ts';
import { providedPostgres } from '../../support/provided-servers.ts';
import { postgresDatabase } from '../../support/sql.ts';

interface PlanNode {
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly PlanNode[];
}

test('the statistics of a table are found without those of the others', async () => {
  const postgres = providedPostgres();
  await postgres.createDatabase('many_tables');
  const { sql } = postgresDatabase(postgres, 'many_tables');
  const tables = Array.from({ length: 40 }, (_, n) => `t${n}`);
  await sql(...tables.flatMap((name) => [`CREATE TABLE ${name} AS SELECT g AS a, g AS b FROM generate_series(1, 9) g`, `ANALYZE ${name}`]));
  const query = `WITH ${namedTable("'t7'::regclass")} SELECT a.attname, s.correlation FROM pg_attribute a LEFT JOIN pg_stats s ON ${ofNamed} AND s.attname = a.attname
    WHERE a.attrelid = 't7'::regclass AND a.attnum > 0`;
  expect(await sql(query)).toEqual([
    ['a', '1'],
    ['b', '1'],
  ]);
  // With so few tables the server may take another way than with thousands.
  const explained = (await sql('SET enable_seqscan = off; SET enable_bitmapscan = off', `EXPLAIN (ANALYZE, FORMAT JSON) ${query}`)) as [
    [string],
  ];
  const [{ Plan: plan }] = JSON.parse(explained[0][0]) as [{ Plan: PlanNode }];
  expect(statisticsRead(plan)).toBe(2);
});

/** Rows of pg_statistic that were looked at. */
function statisticsRead(node: PlanNode): number {
  const own =
    node['Relation Name'] === 'pg_statistic' ? (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'] : 0;
  return (node.Plans ?? []).reduce((sum, plan) => sum + statisticsRead(plan), own);
}
