import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { Arena } from '../arena.ts';
import { type Freight, tableOf } from '../freight.ts';

/** Programs that pack files, none of them of dray, and the endings of what they make. */
export const packers = { gzip: '.gz', zstd: '.zst' } as const;
export type Packer = keyof typeof packers;

/** One CSV file as PostgreSQL writes it, beside which nothing stands. */
export async function csvFile(arena: Arena, freight: Freight): Promise<string> {
  const { port, user, password } = await arena.database('postgres');
  const table = await arena.table('postgres', freight);
  return arena.made(`${tableOf(freight)}.csv`, async (path) => {
    const client = new pg.Client({ host: '127.0.0.1', port, user, password, database: 'source' });
    client.on('error', () => undefined);
    await client.connect();
    try {
      await pipeline(client.query(copyTo(`COPY ${table} TO STDOUT WITH (FORMAT csv)`)), createWriteStream(path));
    } finally {
      await client.end();
    }
  });
}

/** The same, packed by a program. */
export async function packedCsvFile(arena: Arena, freight: Freight, packer: Packer): Promise<string> {
  const plain = await csvFile(arena, freight);
  return arena.made(`${tableOf(freight)}.csv${packers[packer]}`, async (path) => {
    await promisify(execFile)('/bin/sh', ['-c', `${packer} -1 -c "$1" > "$2"`, 'sh', plain, path]);
  });
}
