import type { Fixture } from '../../plugins/fixture/fixture.ts';
import type { Arena } from '../arena.ts';
import type { Kind } from '../bench-database.ts';
import { type Job, type Plugin, passwordOf, tableReader, writeJob } from '../dray-job.ts';
import { type Freight, tableOf } from '../freight.ts';
import type { PlaceKind } from './place.ts';

/** Files that a lane begins or ends with: where they are, and what is in them. */
export type FileEnd = 'csv' | 'csv-gzip' | 'csv-zstd' | 'parquet' | 'sftp' | 's3';

interface FileEndFacts {
  readonly place: PlaceKind;
  readonly isParquet?: boolean;
  readonly compress?: 'gzip' | 'zstd';
}

export const fileEnds: Readonly<Record<FileEnd, FileEndFacts>> = {
  csv: { place: 'local' },
  'csv-gzip': { place: 'local', compress: 'gzip' },
  'csv-zstd': { place: 'local', compress: 'zstd' },
  parquet: { place: 'local', isParquet: true },
  sftp: { place: 'sftp' },
  s3: { place: 's3' },
};

/** A side of a content, with what its parameters take from the environment. */
export interface Side {
  readonly plugin: Plugin;
  readonly env: Job['env'];
}

/** Writes a set of files. CSV is as PostgreSQL writes it: NULL is nothing, and empty texts are quoted. @param more parameters besides */
export async function filesWriter(arena: Arena, end: FileEnd, more: object = {}): Promise<Side> {
  const { place, isParquet = false, compress = 'none' } = fileEnds[end];
  const { writer, env } = await arena.place(place);
  const format = isParquet ? { fileFormat: 'parquet' } : { fileFormat: 'csv', nullFormat: '', compress };
  return { plugin: { ...writer, parameter: { ...writer.parameter, ...format, writeMode: 'truncate', ...more } }, env };
}

/** Reads what stands in the place of the end. @param target the kind of database that will take the rows, if one does */
export async function filesReader(arena: Arena, end: FileEnd, fixture: Fixture, target?: Kind, more: object = {}): Promise<Side> {
  const { place, isParquet = false } = fileEnds[end];
  const { reader: readerOf, env } = await arena.place(place);
  const reader = readerOf();
  const format = isParquet ? { fileFormat: 'parquet' } : csvOptions(fixture, target);
  return { plugin: { ...reader, parameter: { ...reader.parameter, ...format, ...more } }, env };
}

/** Options of a reader of CSV files. PostgreSQL takes texts for everything but bytes; MySQL must be told what is no text of its own. */
export function csvOptions({ columns }: Fixture, target: Kind = 'postgres'): object {
  const typeOf = (type: Fixture['columns'][number]['type']) => {
    if (type === 'bytes') return 'bytes';
    if (target === 'mysql' && type === 'boolean') return 'boolean';
    return target === 'mysql' && type === 'instant' ? 'timestamptz' : 'string';
  };
  return { fileFormat: 'csv', nullFormat: '', column: columns.map(({ type }, index) => ({ index, type: typeOf(type) })) };
}

/** A job that writes a table as a set of files. */
export async function writingJob(arena: Arena, source: Kind, freight: Freight, end: FileEnd, more: object = {}, name = ''): Promise<Job> {
  const database = await arena.database(source);
  const table = await arena.table(source, freight);
  const { plugin, env } = await filesWriter(arena, end, more);
  const content = { reader: tableReader(database, 'source', table), writer: plugin };
  return writeJob(arena, `${source}-${end}-${tableOf(freight)}${name}`, content, { ...env, ...passwordOf(database, 'source') });
}
