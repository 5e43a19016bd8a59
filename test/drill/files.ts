import { createReadStream, createWriteStream, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import type { TestDatabase } from '../support/sql.ts';
import { target } from './tables.ts';

const csv = `(FORMAT csv, NULL '\\N')`;

async function onDatabase(database: TestDatabase, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const { host, port, user, password, name } = database;
  const client = new pg.Client({ host, port, user, password, database: name });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

/** Writes tables of PostgreSQL as CSV, by the server itself. */
export async function writeSourceFiles(database: TestDatabase, tables: readonly string[], folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await onDatabase(database, async (client) => {
    for (const table of tables)
      await pipeline(client.query(copyTo(`COPY ${table} TO STDOUT ${csv}`)), createWriteStream(join(folder, `${table}.csv`)));
  });
}

/** Names that stand visibly in a folder, or none if there is no such folder. */
export function visibleFiles(folder: string): string[] {
  return namesIn(folder).filter((name) => !name.startsWith('.'));
}

/** What a writer keeps out of sight until a run is published. */
export function hiddenFiles(folder: string): string[] {
  return namesIn(folder).filter((name) => name.startsWith('.'));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Loads the data files of a folder into the table for checks, by the server itself; they must be exactly those of the finished sets. */
export async function loadFiles(database: TestDatabase, folder: string): Promise<string | undefined> {
  const visible = visibleFiles(folder);
  const data = visible.filter((name) => name.endsWith('.csv'));
  const listed = visible
    .filter((name) => name.endsWith('.manifest.json'))
    .flatMap((name) =>
      (JSON.parse(readFileSync(join(folder, name), 'utf8')) as { files: { file: string }[] }).files.map(({ file }) => file),
    );
  if (!visible.includes('_SUCCESS')) return `there is no _SUCCESS among ${visible.length} files`;
  if (data.sort().join() !== listed.sort().join()) return `the manifest lists ${listed.length} files, and there are ${data.length}`;
  await onDatabase(database, async (client) => {
    await client.query(`TRUNCATE ${target}`);
    for (const name of data)
      await pipeline(createReadStream(join(folder, name)), client.query(copyFrom(`COPY ${target} FROM STDIN ${csv}`)));
  });
  return undefined;
}
