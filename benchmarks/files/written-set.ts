import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { type BenchDatabase, type Digest, differenceOf } from '../bench-database.ts';
import type { Course } from '../course.ts';
import type { Place, PlacedFile } from './place.ts';

/** Programs that unpack files, none of them of dray. */
const unpackers: readonly (readonly [ending: RegExp, program: string])[] = [
  [/\.gz$/, 'gzip'],
  [/\.zst$/, 'zstd'],
];

/**
 * Commands that write a table as CSV into a place. Afterwards PostgreSQL reads the files into `target.orders`, which must be what the source
 * is.
 */
export function intoFiles(place: Place, target: BenchDatabase, expected: Digest): Pick<Course, 'prepare' | 'check'> {
  return {
    prepare: () => place.empty(),
    async check() {
      const files = await dataFiles(place);
      await target.emptyTarget();
      for (const file of files) await loadCsv(file, target);
      const difference = differenceOf(await target.digest('target', 'orders'), expected);
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

async function loadCsv(file: PlacedFile, { port, user, password }: BenchDatabase): Promise<void> {
  const client = new pg.Client({ host: '127.0.0.1', port, user, password, database: 'target' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const table = client.query(copyFrom('COPY orders FROM STDIN WITH (FORMAT csv)'));
    const stored = await file.open();
    const program = unpackers.find(([ending]) => ending.test(file.name))?.[1];
    if (program === undefined) await pipeline(stored, table);
    else await unpacked(program, stored, table);
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
