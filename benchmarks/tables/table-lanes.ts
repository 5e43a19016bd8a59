import type { Course } from '../../core/bench/course.ts';
import type { Fixture } from '../../plugins/fixture/fixture.ts';
import { orders } from '../../plugins/fixture/orders.ts';
import { type BenchDatabase, differenceOf, type Kind } from '../bench-database.ts';
import { type Content, drayContestant, type Job, passwordOf, runCommand, tableReader, tableWriter, writeJob } from '../dray-job.ts';
import { type Freight, freightOf, tableOf } from '../freight.ts';
import type { OpenLane } from '../lane.ts';
import { type Haul, openHaul, type Rival } from '../rivals/haul.ts';

/** A table of one database into a table of another: rivals, and dray on each number of channels. */
export function tableToTable(source: Kind, target: Kind, rivals: readonly Rival[] = [], fixture: Fixture = orders): OpenLane {
  return async ({ rows, channels, arena }) => {
    const haul = await openHaul(arena, source, target, freightOf(fixture, rows));
    const job = await haulJob(haul);
    return {
      rows: haul.freight.rows,
      contestants: [...(await Promise.all(rivals.map((rival) => rival(haul)))), ...channels.map((count) => drayContestant(job, count))],
      ...(await intoTarget(haul)),
    };
  };
}

/** The same with as many channels as dray chooses by itself: how long a small job takes. */
export function smallJob(source: Kind, target: Kind, rivals: readonly Rival[]): OpenLane {
  return async ({ rows, arena }) => {
    const haul = await openHaul(arena, source, target, freightOf(orders, rows));
    const contestants = await Promise.all(rivals.map((rival) => rival(haul)));
    const dray = { title: 'dray', isRival: false, command: runCommand(await haulJob(haul)) };
    return { rows: haul.freight.rows, contestants: [...contestants, dray], ...(await intoTarget(haul)) };
  };
}

export function haulContent({ source, target, table }: Haul): Content {
  return { reader: tableReader(source, 'source', table), writer: tableWriter(target, 'target', table) };
}

export function haulEnv({ source, target }: Haul): Job['env'] {
  return { ...passwordOf(source, 'source'), ...passwordOf(target, 'target') };
}

function haulJob(haul: Haul): Promise<Job> {
  return writeJob(haul.arena, `${haul.source.kind}-${haul.target.kind}-${haul.table}`, haulContent(haul), haulEnv(haul));
}

async function intoTarget({ arena, target, freight }: Haul): Promise<Pick<Course, 'prepare' | 'check'>> {
  return intoTable(target, freight, await arena.expectedDigest(target.kind, freight));
}

/** Commands that fill the freight's table in the target, which must then be what its source is. */
export function intoTable(
  target: BenchDatabase,
  freight: Freight,
  expected: Parameters<typeof differenceOf>[1],
): Pick<Course, 'prepare' | 'check'> {
  const table = tableOf(freight);
  return {
    prepare: () => target.emptyTarget(table),
    async check() {
      const difference = differenceOf(await target.digest('target', table, freight), expected);
      if (difference !== undefined) throw new Error(difference);
      return undefined;
    },
  };
}
