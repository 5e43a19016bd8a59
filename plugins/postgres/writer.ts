import { defineWriter, z } from 'dray/sdk';
import { sqlWriterShape } from '../_sql/options.ts';

const options = z.strictObject(sqlWriterShape);

export type PostgresWriterOptions = z.output<typeof options>;

export default defineWriter({
  name: 'postgres',
  aliases: ['postgresqlwriter'],
  summary: 'Writes a table of PostgreSQL with COPY',
  options,
  example: {
    username: 'writer',
    password: '${env:PGPASSWORD}',
    column: ['*'],
    writeMode: 'insert',
    preSql: ['TRUNCATE TABLE @table'],
    connection: [{ jdbcUrl: 'jdbc:postgresql://127.0.0.1:5432/warehouse', table: ['orders'] }],
  },
  async open(parameter, context) {
    const { openWriter } = await import('./copy-writer.js');
    return openWriter(parameter, context);
  },
});
