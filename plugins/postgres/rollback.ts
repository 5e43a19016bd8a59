import { DrayError, type Json } from 'dray/sdk';
import { findTable, tableColumns } from './catalog.ts';
import { quoteName } from './connection.ts';
import { isExchangeable } from './exchange.ts';
import { settableColumns } from './in-place.ts';
import { movedInPlace, type Published, targetShape, tryExchange } from './publish.ts';
import { findBeside } from './staging.ts';
import type { Session } from './transaction.ts';

/** Puts the rows that a publishing replaced into their place again, in one step; the table that kept them is gone then. */
export async function rollBackPublished(session: Session, published: Json): Promise<void> {
  const { run, schema, table, previous } = published as unknown as Published;
  const client = await session();
  const target = await targetShape(client, `${quoteName(schema)}.${quoteName(table)}`);
  const from = await findBeside(client, 'old', run, target);
  if (from === undefined || from.name !== previous) {
    throw new DrayError(
      'ROLLBACK_IMPOSSIBLE',
      `the table ${previous}, which kept the previous rows of ${target.sql}, is not there any more`,
      { side: 'target' },
    );
  }
  const also = async () => true;
  const taking = { run, target, from, keepsPrevious: false, also };
  if (isExchangeable(target, from) && (await tryExchange(session, taking)) !== undefined) return;
  const columns = await tableColumns(client, await findTable(client, target.sql));
  const key = columns.filter(({ keyPlace }) => keyPlace > 0).map(({ name }) => name);
  await movedInPlace(session, { ...taking, mode: 'replace all', columns: await settableColumns(client, target), key });
}
