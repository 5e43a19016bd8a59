import type { Split } from 'dray/sdk';
import type { Connections } from '../_sql/connections.ts';
import { type Part, sessionOf } from '../_sql/parts.ts';
import type { KeyReader } from '../_sql/shard-keys.ts';
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

  return {
    session,

    async bounds(column) {
      const name = quoteName(column);
      const [min, max] = await values(
        (sql) => `SELECT MIN(${name}), MAX(${name}) FROM ${sql}${where === undefined ? '' : ` WHERE ${where}`}`,
      );
      return min === undefined || max === undefined ? undefined : { min, max };
    },

    after(column, last, count) {
      const name = quoteName(column);
      const conditions = [...(last === undefined ? [] : [`${name} > ${last}`]), ...(where === undefined ? [] : [where])];
      const filter = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
      return values((sql) => `SELECT ${name} FROM ${sql}${filter} ORDER BY ${name} LIMIT ${count}`);
    },
  };
}
