import { defineWriter, type PluginContext, type Writer, z } from 'dray/sdk';
import { sqlWriterDifferences } from '../_sql/differences.ts';
import { sqlWriterShape } from '../_sql/options.ts';
import { eachTarget } from '../_sql/paired-tables.ts';

const options = z.strictObject({
  ...sqlWriterShape,
  load: z
    .enum(['auto', 'local-infile', 'insert'])
    .default('auto')
    .describe('How rows are sent: LOAD DATA LOCAL, statements of many rows, or the first if the server allows it'),
});

export type MysqlWriterOptions = z.output<typeof options>;

/** The driver is loaded only when a job uses it. (Below `export default` TypeScript 6.0 leaves the .ts of a dynamic import as it is.) */
const load = () => import('./table-writer.ts');

async function open(given: MysqlWriterOptions, context: PluginContext): Promise<Writer> {
  return (await load()).openWriter(given, context);
}

export default defineWriter({
  name: 'mysql',
  aliases: ['mysqlwriter'],
  servesFor: ['drdswriter', 'adbmysqlwriter', 'oceanbasev10writer'],
  summary: 'Writes a table of MySQL or MariaDB with LOAD DATA LOCAL, or INSERT where that is forbidden',
  differences: sqlWriterDifferences,
  options,
  example: {
    username: 'writer',
    password: '${env:MYSQL_PWD}',
    column: ['*'],
    writeMode: 'insert',
    preSql: ['TRUNCATE TABLE @table'],
    connection: [{ jdbcUrl: 'jdbc:mysql://127.0.0.1:3306/warehouse', table: ['orders'] }],
  },
  eachTarget,
  load,
  open,
});
