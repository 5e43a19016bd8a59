import type { Split } from 'dray/sdk';
import type { Connections } from '../_sql/connections.ts';
import { type Part, sessionOf } from '../_sql/parts.ts';
import { type KeyReader, keyReader } from '../_sql/shard-keys.ts';
import { findTable } from './catalog.ts';
import { type Client, quoteName } from './connection.ts';
import { serverFault } from './faults.ts';

/** Reads the primary key of a table, for the comparison of shards. */
export function keysOf({ name: split, part }: Split, clients: Connections<Client>, where: string | undefined): KeyReader {
  const { table = '' } = part as unknown as Part;
  const session = sessionOf(part as unknown as Part);
  let from: Promise<string> | undefined;

  async function values(select: (table: string) => string): Promise<bigint[]> {
    const client = await clients.get(session);
    try {
      from ??= findTable(client, table).then(({ sql }) => sql);
      const { rows } = await client.query<(string | number | null)[]>({ text: select(await from), rowMode: 'array' });
      return rows.flat().flatMap((value) => (value === null ? [] : BigInt(value)));
    } catch (error) {
      throw serverFault(error, `read the keys of ${split}`);
    }
  }

  return keyReader({ session, where, quoteName, values });
}
