import pg from 'pg';
import { copySteps, loadIntoPostgres } from '../benchmarks/fixtures/load.ts';
import { postgresDdl } from '../plugins/fixture/ddl.ts';
import { orders } from '../plugins/fixture/orders.ts';
import type { PostgresServer } from '../test/support/postgres-server.ts';
import { grouped, type Tell } from './step.ts';

export interface FillOptions {
  readonly rowCount: number;
  readonly signal: AbortSignal;
  readonly tell: Tell;
}

/** Makes the databases `shop` and `warehouse`, and the table `orders` in `shop` with its rows. */
export async function fillShop(server: PostgresServer, { rowCount, signal, tell }: FillOptions): Promise<void> {
  await server.createDatabase('shop');
  await createOrdersTable(server.urlFor('shop'), 'orders');
  await server.createDatabase('warehouse');
  await createOrdersTable(server.urlFor('warehouse'), 'orders');
  await createOrdersTable(server.urlFor('warehouse'), 'orders_from_files');
  const rows = copySteps(orders, rowCount, (sent) => {
    signal.throwIfAborted();
    tell(`${grouped(sent)} rows`);
  });
  await loadIntoPostgres(server.urlFor('shop'), 'orders', rows);
}

async function createOrdersTable(url: string, table: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(postgresDdl(orders, table));
  } finally {
    await client.end();
  }
}
