import pg from 'pg';
import { expect, test } from 'vitest';
import { RecordBatch, type Schema } from '../../../core/sdk/index.ts';
import { copyBatches } from '../../../plugins/postgres/copy-batches.ts';
import { providedPostgres } from '../../support/provided-servers.ts';

const schema: Schema = { columns: [{ name: 'id', type: 'integer', isNullable: true }] };

test('a batch waits for its turn behind a statement that runs', async () => {
  const { host, port, user, password } = providedPostgres();
  const client = new pg.Client({ host, port, user, password, database: 'postgres' });
  await client.connect();
  try {
    await client.query('CREATE TEMPORARY TABLE busy (id int); BEGIN; SAVEPOINT batch');
    const running = client.query('SELECT pg_sleep(0.2)');
    await copyBatches(client, 'busy', ['id'])(new RecordBatch(schema, Buffer.from('1\n2\n'), 2));
    await running;
    await client.query('COMMIT');
    expect((await client.query('SELECT id FROM busy ORDER BY id')).rows).toEqual([{ id: 1 }, { id: 2 }]);
  } finally {
    await client.end();
  }
});
