import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { Arena } from '../arena.ts';
import { drayContestant, passwordOf, runCommand, tableWriter, writeJob } from '../dray-job.ts';
import { measuredRun } from '../measured-run.ts';
import { psqlEnv, psqlOptions, unlessInstalled } from '../rivals.ts';
import { intoTable } from '../run-lane.ts';
import type { FileCourse } from './file-lanes.ts';
import type { PlaceKind } from './place.ts';
import { csv, csvColumns, type Packing, writingJob } from './writing-lanes.ts';

/** One CSV file, beside which nothing stands, into a table. */
export async function csvToTable(arena: Arena, rows: number): Promise<FileCourse> {
  const database = await arena.database('postgres');
  const file = await csvFile(arena, rows);
  const jobFile = await writeJob(join(arena.folder, `csv-postgres-${rows}.json`), {
    reader: { name: 'txtfilereader', parameter: { path: [file], column: csvColumns, ...csv } },
    writer: tableWriter(database, 'target', 'orders'),
  });
  const copy = {
    title: 'psql \\copy of the same file',
    isRival: true,
    command: {
      words: ['psql', ...psqlOptions, '-c', `\\copy orders from '${file}' with (format csv)`],
      env: psqlEnv(database, 'target'),
    },
    ...unlessInstalled('psql'),
  };
  const env = passwordOf(database, 'target');
  return {
    contestants: [copy, ...[1, 2].map((channels) => drayContestant(jobFile, env, { channels }))],
    ...intoTable(database, await arena.expectedDigest('postgres', rows)),
  };
}

/** A set of CSV files that is not packed, so that there is most to verify, into a table: what verification costs. */
export async function verifiedSetToTable(arena: Arena, rows: number): Promise<FileCourse> {
  const trusting = await readingJob(arena, rows, 'local', 'none', { verify: 'none' });
  const { jobFile, env } = await readingJob(arena, rows, 'local', 'none', { verify: 'require' });
  const none = drayContestant(trusting.jobFile, env, { channels: 1, title: 'dray, 1 channel, verify: none' });
  return {
    contestants: [{ ...none, isRival: true }, drayContestant(jobFile, env, { channels: 1, title: 'dray, 1 channel, verify: require' })],
    ...(await intoTarget(arena, rows)),
  };
}

/** A set of CSV files, which dray has written, into a table. */
export async function setToTable(arena: Arena, rows: number, kind: PlaceKind, compress: Packing): Promise<FileCourse> {
  const { jobFile, env } = await readingJob(arena, rows, kind, compress, {});
  return { contestants: [drayContestant(jobFile, env, { channels: 2 })], ...(await intoTarget(arena, rows)) };
}

async function intoTarget(arena: Arena, rows: number) {
  return intoTable(await arena.database('postgres'), await arena.expectedDigest('postgres', rows));
}

/** Writes the set, and a job that reads it. */
async function readingJob(arena: Arena, rows: number, kind: PlaceKind, compress: Packing, options: { readonly verify?: string }) {
  const writing = await writingJob(arena, rows, kind, compress);
  await measuredRun(runCommand(writing.jobFile, writing.env, 2), arena.signal);
  const database = await arena.database('postgres');
  const place = await arena.place(kind);
  const reader = place.reader();
  const jobFile = await writeJob(join(arena.folder, `${kind}-${compress}-postgres-${rows}-${options.verify}.json`), {
    reader: { ...reader, parameter: { ...reader.parameter, column: csvColumns, ...csv, ...options } },
    writer: tableWriter(database, 'target', 'orders'),
  });
  return { jobFile, env: { ...place.env, ...passwordOf(database, 'target') } };
}

async function csvFile(arena: Arena, rows: number): Promise<string> {
  const { port, user, password } = await arena.database('postgres');
  const table = await arena.table('postgres', rows);
  return arena.made(`postgres-${rows}.csv`, async (path) => {
    const client = new pg.Client({ host: '127.0.0.1', port, user, password, database: 'source' });
    await client.connect();
    try {
      await pipeline(client.query(copyTo(`COPY ${table} TO STDOUT WITH (FORMAT csv)`)), createWriteStream(path));
    } finally {
      await client.end();
    }
  });
}
