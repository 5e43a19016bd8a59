import { defineWriter, type PluginContext, type Writer, z } from 'dray/sdk';
import { sqlWriterDifferences } from '../_sql/differences.ts';
import { sqlWriterShape } from '../_sql/options.ts';
import { eachTarget } from '../_sql/paired-tables.ts';

const options = z.strictObject(sqlWriterShape);

export type PostgresWriterOptions = z.output<typeof options>;

/** The driver is loaded only when a job uses it. (Below `export default` TypeScript 6.0 leaves the .ts of a dynamic import as it is.) */
const load = () => import('./copy-writer.ts');

async function open(given: PostgresWriterOptions, context: PluginContext): Promise<Writer> {
  return (await load()).openWriter(given, context);
}

export default defineWriter({
  name: 'postgres',
  aliases: ['postgresqlwriter'],
  servesFor: ['adbpgwriter', 'gaussdbwriter', 'hologresjdbcwriter', 'kingbaseeswriter'],
  summary: 'Writes a table of PostgreSQL with COPY',
  differences: [
    ...sqlWriterDifferences,
    { what: '`writeMode`', datax: 'any is refused', here: 'insert, replace and update' },
    { what: 'names of columns', datax: 'are never quoted', here: 'are found as written, else in any case' },
  ],
  options,
  example: {
    username: 'writer',
    password: '${env:PGPASSWORD}',
    column: ['*'],
    writeMode: 'insert',
    preSql: ['TRUNCATE TABLE @table'],
    connection: [{ jdbcUrl: 'jdbc:postgresql://127.0.0.1:5432/warehouse', table: ['orders'] }],
  },
  eachTarget,
  load,
  open,
});
