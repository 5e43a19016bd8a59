import { defineReader, ignored, type PluginContext, type Reader, z } from 'dray/sdk';
import { sqlReaderDifferences } from '../_sql/differences.ts';
import { sqlReaderShape } from '../_sql/options.ts';
import { eachSource } from '../_sql/paired-tables.ts';

const options = z.strictObject({
  ...sqlReaderShape,
  checkSlave: ignored('it is about MySQL; "preSql": ["SELECT pg_is_in_recovery()::int"] leaves replicas out'),
});

export type PostgresReaderOptions = z.output<typeof options>;

/** The driver is loaded only when a job uses it. (Below `export default` TypeScript 6.0 leaves the .ts of a dynamic import as it is.) */
const load = () => import('./copy-reader.ts');

async function open(given: PostgresReaderOptions, context: PluginContext): Promise<Reader> {
  return (await load()).openReader(given, context);
}

export default defineReader({
  name: 'postgres',
  aliases: ['postgresqlreader'],
  servesFor: ['gaussdbreader', 'kingbaseesreader'],
  summary: 'Reads tables and queries of PostgreSQL with COPY',
  differences: [
    ...sqlReaderDifferences,
    { what: '`session`', datax: 'has no effect', here: 'runs on each connection' },
    { what: 'uuid, json, arrays, intervals …', datax: 'the task fails', here: 'are read as what they are' },
  ],
  options,
  example: {
    username: 'reader',
    password: '${env:PGPASSWORD}',
    column: ['*'],
    connection: [{ jdbcUrl: ['jdbc:postgresql://127.0.0.1:5432/shop'], table: ['orders'] }],
  },
  eachSource,
  load,
  open,
});
