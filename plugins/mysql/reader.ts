import { defineReader, flag, type PluginContext, type Reader, z } from 'dray/sdk';
import { sqlReaderDifferences } from '../_sql/differences.ts';
import { sqlReaderShape } from '../_sql/options.ts';
import { eachSource } from '../_sql/paired-tables.ts';

const options = z.strictObject({
  ...sqlReaderShape,
  checkSlave: flag()
    .prefault(false)
    .describe('true: of several jdbcUrls a replica is used only if it replicates and is not behind, else the next one is tried'),
  zeroDate: z
    .enum(['keep', 'null'])
    .optional()
    .describe(
      'What becomes of dates like 0000-00-00: keep them (a target that has no such date refuses the row), or make them NULL as DataX does. Default: null where a jdbcUrl has zeroDateTimeBehavior=convertToNull, else keep',
    ),
});

export type MysqlReaderOptions = z.output<typeof options>;

/** The driver is loaded only when a job uses it. (Below `export default` TypeScript 6.0 leaves the .ts of a dynamic import as it is.) */
const load = () => import('./table-reader.ts');

async function open(given: MysqlReaderOptions, context: PluginContext): Promise<Reader> {
  return (await load()).openReader(given, context);
}

export default defineReader({
  name: 'mysql',
  aliases: ['mysqlreader'],
  servesFor: ['drdsreader', 'oceanbasev10reader', 'dorisreader', 'starrocksreader'],
  summary: 'Reads tables and queries of MySQL and MariaDB',
  differences: [
    ...sqlReaderDifferences,
    {
      what: 'dates like 0000-00-00',
      datax: 'become NULL',
      here: 'are kept, and refused by a target that has none; `"zeroDate": "null"`, or zeroDateTimeBehavior=convertToNull in the jdbcUrl, does as DataX',
      tell: { option: 'zeroDate', when: 'absent' },
    },
    { what: '`float` columns', datax: 'six digits, as the server prints them: 3.14', here: 'all that the value has: 3.140000104904175' },
  ],
  options,
  example: {
    username: 'reader',
    password: '${env:MYSQL_PWD}',
    column: ['*'],
    connection: [{ jdbcUrl: ['jdbc:mysql://127.0.0.1:3306/shop'], table: ['orders'] }],
  },
  eachSource,
  load,
  open,
});
