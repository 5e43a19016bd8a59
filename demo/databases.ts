import pg from 'pg';
import { loadOrdersIntoPostgres, ordersPostgresDdl } from '../benchmarks/fixtures/orders.ts';
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
  await loadOrdersIntoPostgres(server.urlFor('shop'), 'orders', rowCount, (rows) => {
    signal.throwIfAborted();
    tell(`${grouped(rows)} rows`);
  });
}

async function createOrdersTable(url: string, table: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(ordersPostgresDdl(table));
  } finally {
    await client.end();
  }
}
