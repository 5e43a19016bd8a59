import type { Contestant } from '../../core/bench/course.ts';
import { measuredRun } from '../../core/bench/measured-run.ts';
import { orders } from '../../plugins/fixture/orders.ts';
import type { Kind } from '../bench-database.ts';
import { drayContestant, type Job, passwordOf, runCommand, tableWriter, writeJob } from '../dray-job.ts';
import { freightOf } from '../freight.ts';
import type { OpenLane } from '../lane.ts';
import { type Haul, openHaul, type Rival } from '../rivals/haul.ts';
import { intoTable } from '../tables/table-lanes.ts';
import { csvFile, packedCsvFile } from './csv-file.ts';
import { csvOptions, type FileEnd, fileEnds, filesReader, filesWriter, type Side, writingJob } from './ends.ts';
import { intoFiles } from './written-set.ts';

/** A table into a set of files. PostgreSQL judges what is in them. */
export function tableToFiles(source: Kind, end: FileEnd, rivals: readonly Rival[]): OpenLane {
  return async ({ rows, channels, arena }) => {
    const haul = await openHaul(arena, source, 'postgres', freightOf(orders, rows));
    const job = await writingJob(arena, source, haul.freight, end);
    return {
      rows: haul.freight.rows,
      contestants: await contestants(haul, rivals, channels, job),
      ...(await intoFiles(arena, end, haul.freight)),
    };
  };
}

/** Files into a table: one that stands for itself where the rivals read it, too, else a set that dray has written. */
export function filesToTable(end: FileEnd, target: Kind, rivals: readonly Rival[]): OpenLane {
  return async ({ rows, channels, arena }) => {
    const haul = await openHaul(arena, 'postgres', target, freightOf(orders, rows));
    const { plugin, env } = await filesSide(haul, end);
    const content = { reader: plugin, writer: tableWriter(haul.target, 'target', haul.table) };
    const job = await writeJob(arena, `${end}-${target}-${haul.table}`, content, { ...env, ...passwordOf(haul.target, 'target') });
    return {
      rows: haul.freight.rows,
      contestants: await contestants(haul, rivals, channels, job),
      ...intoTable(haul.target, haul.freight, await arena.expectedDigest(target, haul.freight)),
    };
  };
}

/** Files of one place into files of another one; from the local disk it is one CSV file. */
export function filesToFiles(from: FileEnd, to: FileEnd, rivals: readonly Rival[] = []): OpenLane {
  return async ({ rows, channels, arena }) => {
    const haul = await openHaul(arena, 'postgres', 'postgres', freightOf(orders, rows));
    const reader = await filesSide(haul, from);
    const writer = await filesWriter(arena, to);
    const content = { reader: reader.plugin, writer: writer.plugin };
    const job = await writeJob(arena, `${from}-${to}-${haul.table}`, content, { ...reader.env, ...writer.env });
    return {
      rows: haul.freight.rows,
      contestants: await contestants(haul, rivals, channels, job),
      ...(await intoFiles(arena, to, haul.freight)),
    };
  };
}

async function contestants(haul: Haul, rivals: readonly Rival[], channels: readonly number[], job: Job): Promise<Contestant[]> {
  return [...(await Promise.all(rivals.map((rival) => rival(haul)))), ...channels.map((count) => drayContestant(job, count))];
}

async function filesSide({ arena, freight, target }: Haul, end: FileEnd): Promise<Side> {
  const { place, compress, isParquet = false } = fileEnds[end];
  if (place === 'local' && !isParquet && target.kind === 'postgres') {
    const path = compress === undefined ? await csvFile(arena, freight) : await packedCsvFile(arena, freight, compress);
    return { plugin: { name: 'txtfilereader', parameter: { path: [path], ...csvOptions(freight.fixture) } }, env: {} };
  }
  const written = await writingJob(arena, 'postgres', freight, end, {}, `-for-${target.kind}`);
  await (await arena.place(place)).empty();
  await measuredRun(runCommand(written, 2), arena.signal);
  return filesReader(arena, end, freight.fixture, target.kind);
}
