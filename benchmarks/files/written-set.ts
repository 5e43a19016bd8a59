import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { Course } from '../../core/bench/course.ts';
import { measuredRun } from '../../core/bench/measured-run.ts';
import type { Arena } from '../arena.ts';
import { type BenchDatabase, differenceOf } from '../bench-database.ts';
import { passwordOf, runCommand, tableWriter, writeJob } from '../dray-job.ts';
import { type Freight, tableOf } from '../freight.ts';
import { packers } from './csv-file.ts';
import { type FileEnd, fileEnds, filesReader } from './ends.ts';
import type { Place, PlacedFile } from './place.ts';

/**
 * Commands that write the rows of a freight into files. Afterwards they are loaded into a table of PostgreSQL, which must be what the source
 * is: CSV by PostgreSQL itself and programs that unpack, none of them of dray; Parquet, which neither reads, by dray.
 */
export async function intoFiles(arena: Arena, end: FileEnd, freight: Freight): Promise<Pick<Course, 'prepare' | 'check'>> {
  const { place: kind, isParquet = false } = fileEnds[end];
  const place = await arena.place(kind);
  const judge = await arena.database('postgres');
  const expected = await arena.expectedDigest('postgres', freight);
  const table = tableOf(freight);
  return {
    prepare: () => place.empty(),
    async check() {
      const files = await dataFiles(place);
      await judge.emptyTarget(table);
      if (isParquet) await loadByDray(arena, end, freight, judge);
      else for (const file of files) await loadCsv(file, judge, table);
      const difference = differenceOf(await judge.digest('target', table, freight), expected);
      if (difference !== undefined) throw new Error(difference);
      return bytesOf(files);
    },
  };
}

/** Commands that bring one file as it is to a place. */
export function intoSameFile(place: Place, sha256: string): Pick<Course, 'prepare' | 'check'> {
  return {
    prepare: () => place.empty(),
    async check() {
      const files = await dataFiles(place);
      if (files.length !== 1) throw new Error(`left ${files.length} files instead of 1`);
      if ((await sha256Of(await files[0]!.open())) !== sha256) throw new Error('left a file that is not the one it should bring');
      return bytesOf(files);
    },
  };
}

/** Without sidecars, manifests and what is hidden. */
async function dataFiles(place: Place): Promise<PlacedFile[]> {
  return (await place.files()).filter(({ name }) => !/^[._]|\.json$/.test(name));
}

function bytesOf(files: readonly PlacedFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

export async function sha256Of(stream: Readable): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of stream) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

async function loadByDray(arena: Arena, end: FileEnd, freight: Freight, target: BenchDatabase): Promise<void> {
  const { plugin, env } = await filesReader(arena, end, freight.fixture);
  const content = { reader: plugin, writer: tableWriter(target, 'target', tableOf(freight)) };
  const job = await writeJob(arena, `judge-${end}-${tableOf(freight)}`, content, { ...env, ...passwordOf(target, 'target') });
  await measuredRun(runCommand(job, 2), arena.signal);
}

async function loadCsv(file: PlacedFile, { port, user, password }: BenchDatabase, table: string): Promise<void> {
  const client = new pg.Client({ host: '127.0.0.1', port, user, password, database: 'target' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const rows = client.query(copyFrom(`COPY ${table} FROM STDIN WITH (FORMAT csv)`));
    const stored = await file.open();
    const program = Object.entries(packers).find(([, ending]) => file.name.endsWith(ending))?.[0];
    if (program === undefined) await pipeline(stored, rows);
    else await unpacked(program, stored, rows);
  } finally {
    await client.end();
  }
}

async function unpacked(program: string, stored: Readable, into: NodeJS.WritableStream): Promise<void> {
  const child = spawn(program, ['-dc'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'close') as Promise<[number | null]>;
  await Promise.all([pipeline(stored, child.stdin), pipeline(child.stdout, into)]);
  const [code] = await ended;
  if (code !== 0) throw new Error(`left a file that ${program} does not unpack`);
}
