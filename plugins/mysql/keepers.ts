import type { OpenSnapshot, SnapshotPlan } from 'dray/sdk';
import type { Connections } from '../_sql/connections.ts';
import { type Part, partsIn, sessionOf } from '../_sql/parts.ts';
import type { Session } from './connection.ts';
import { serverFault } from './faults.ts';
import {
  type Keeper,
  keepStill,
  letGo,
  letGoLater,
  lockName,
  requireVersions,
  type SnapshotToken,
  type SourceOfReads,
} from './snapshot.ts';

/** Has the servers that will be read keep still until all readers have begun their transactions. */
export async function keepSource({ splits, readers }: SnapshotPlan, sessions: Connections<Session>): Promise<OpenSnapshot> {
  const sources = sourcesOf(partsIn(splits));
  const keepers: Keeper[] = [];
  try {
    for (const source of sources) keepers.push({ session: await sessions.get(source.key), source, name: lockName() });
    for (const { session, source } of keepers) await requireVersions(session, source.tables);
    const positions = await keepStill(keepers, readers === 1 && keepers.length === 1);
    const stop = letGoLater(keepers);
    const token: SnapshotToken = Object.fromEntries(keepers.map(({ source, name }) => [source.key, name]));
    return {
      token,
      ...(positions.length === 0 ? {} : { position: positions.join(', ') }),
      async joined() {
        stop();
        await letGo(keepers);
      },
    };
  } catch (error) {
    await letGo(keepers);
    throw serverFault(error, 'open a snapshot');
  }
}

function sourcesOf(parts: readonly Part[]): SourceOfReads[] {
  return [...new Set(parts.map(sessionOf))].map((key) => {
    const own = parts.filter((part) => sessionOf(part) === key);
    const tables = new Set(own.flatMap(({ table }) => (table === undefined ? [] : [table])));
    return { key, tables: [...tables], hasQueries: own.some(({ table }) => table === undefined) };
  });
}
