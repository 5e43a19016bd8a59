import { defineReader, z } from 'dray/sdk';
import { sqlReaderShape } from '../_sql/options.ts';

const options = z.strictObject(sqlReaderShape);

export type PostgresReaderOptions = z.output<typeof options>;

export default defineReader({
  name: 'postgres',
  aliases: ['postgresqlreader'],
  summary: 'Reads tables and queries of PostgreSQL with COPY',
  options,
  example: {
    username: 'reader',
    password: '${env:PGPASSWORD}',
    column: ['*'],
    connection: [{ jdbcUrl: ['jdbc:postgresql://127.0.0.1:5432/shop'], table: ['orders'] }],
  },
  async open(parameter, context) {
    const { openReader } = await import('./copy-reader.js');
    return openReader(parameter, context);
  },
});
