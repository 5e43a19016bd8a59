import type { Contestant } from '../../core/bench/course.ts';
import type { Arena } from '../arena.ts';
import type { Kind } from '../bench-database.ts';
import { type Content, drayCommand, drayContestant, type Plugin, passwordOf, tableReader, tableWriter, writeJob } from '../dray-job.ts';
import { tableOf } from '../freight.ts';
import type { OpenLane } from '../lane.ts';
import { intoTable } from '../tables/table-lanes.ts';
import type { TinyHaul, TinyRival } from './tiny-rivals.ts';
import { intoTinyTables, makeTinyTables } from './tiny-tables.ts';

/** Many tables into one. */
export function tinyToOne(source: Kind, target: Kind, count: number, rivals: readonly TinyRival[]): OpenLane {
  return async ({ channels, arena }) => {
    const { names, freight } = await makeTinyTables(arena, source, count);
    const expected = await arena.expectedDigest(target, freight);
    const haul = { arena, source: await arena.database(source), target: await arena.database(target), names, into: () => tableOf(freight) };
    const content = { reader: readerOfAll(haul, count), writer: tableWriter(haul.target, 'target', tableOf(freight)) };
    return {
      rows: freight.rows,
      contestants: await contestants(haul, rivals, channels, `tiny-${source}-${target}`, content),
      ...intoTable(haul.target, freight, expected),
    };
  };
}

/** Many tables, each into its own, as a job of as many contents. */
export function tinyToEach(source: Kind, target: Kind, count: number, rivals: readonly TinyRival[]): OpenLane {
  return async ({ channels, arena }) => {
    const tables = await makeTinyTables(arena, source, count);
    await makeTinyTables(arena, target, count);
    const ends = { source: await arena.database(source), target: await arena.database(target) };
    const haul = { arena, ...ends, names: tables.names, into: (name: string) => name };
    const contents = tables.names.map((name) => ({
      reader: tableReader(haul.source, 'source', name),
      writer: tableWriter(haul.target, 'target', name),
    }));
    return {
      rows: tables.freight.rows,
      contestants: await contestants(haul, rivals, channels, `tiny-each-${source}-${target}`, contents),
      ...(await intoTinyTables(arena, haul.target, tables)),
    };
  };
}

/** `dray plan` of many tables as one. */
export function tinyPlan(kind: Kind, count: number): OpenLane {
  return async ({ arena }) => {
    const { freight } = await makeTinyTables(arena, kind, count);
    const source = await arena.database(kind);
    const content = { reader: readerOfAll({ source }, count), writer: { name: 'streamwriter', parameter: { print: false } } };
    const job = await writeJob(arena, `plan-tiny-${kind}-${count}`, content, passwordOf(source, 'source'));
    return {
      rows: freight.rows,
      contestants: [{ title: 'dray plan', isRival: false, command: drayCommand(['plan', job.file, '--json'], job.env) }],
      prepare: async () => undefined,
      check: async () => undefined,
    };
  };
}

function readerOfAll({ source }: Pick<TinyHaul, 'source'>, count: number): Plugin {
  return tableReader(source, 'source', `/^tiny${count}_\\d{5}$/`);
}

async function contestants(
  haul: TinyHaul & { readonly arena: Arena },
  rivals: readonly TinyRival[],
  channels: readonly number[],
  name: string,
  contents: Content | readonly Content[],
): Promise<Contestant[]> {
  const env = { ...passwordOf(haul.source, 'source'), ...passwordOf(haul.target, 'target') };
  const job = await writeJob(haul.arena, name, contents, env);
  return [...(await Promise.all(rivals.map((rival) => rival(haul)))), ...channels.map((count) => drayContestant(job, count))];
}
