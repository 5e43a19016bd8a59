import type { Split } from 'dray/sdk';
import type { Connections } from '../_sql/connections.ts';
import { type Part, sessionOf } from '../_sql/parts.ts';
import { type KeyReader, keyReader } from '../_sql/shard-keys.ts';
import { findTable } from './catalog.ts';
import { quoteName, type Session } from './connection.ts';
import { serverFault } from './faults.ts';

/** Reads the primary key of a table, for the comparison of shards. */
export function keysOf({ name: split, part }: Split, sessions: Connections<Session>, where: string | undefined): KeyReader {
  const { table = '' } = part as unknown as Part;
  const session = sessionOf(part as unknown as Part);
  let from: Promise<string> | undefined;

  async function values(select: (table: string) => string): Promise<bigint[]> {
    const open = await sessions.get(session);
    try {
      from ??= findTable(open, table).then(({ sql }) => sql);
      const rows = await open.query(select(await from));
      return rows.flat().flatMap((text) => (text === null ? [] : BigInt(text)));
    } catch (error) {
      throw serverFault(error, `read the keys of ${split}`);
    }
  }

  return keyReader({ session, where, quoteName, values });
}
