import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Rival } from './haul.ts';
import { unlessInstalled } from './programs.ts';

/**
 * MySQL to PostgreSQL, into the table that is there, with its own casts: it takes datetime for timestamptz, which comes out right since both
 * sessions are in UTC, tinyint(1) for boolean, and JSON, which MariaDB calls longtext, for text. It ends with exit code 0 whatever happens: the
 * digest tells.
 */
export const pgloader: Rival = async ({ arena, source, target, table }) => {
  const loadFile = join(arena.folder, `pgloader-${table}.load`);
  await writeFile(
    loadFile,
    `LOAD DATABASE
  FROM mysql://${source.user}:${source.password}@127.0.0.1:${source.port}/source
  INTO postgresql://${target.user}:${target.password}@127.0.0.1:${target.port}/target
WITH data only, no truncate, no foreign keys, disable triggers
SET MySQL PARAMETERS time_zone = '"+00:00"'
SET PostgreSQL PARAMETERS timezone to 'UTC'
INCLUDING ONLY TABLE NAMES MATCHING '${table}'
ALTER SCHEMA 'source' RENAME TO 'public';
`,
    { mode: 0o600 },
  );
  return {
    title: 'pgloader',
    isRival: true,
    command: { words: ['pgloader', '--quiet', '--on-error-stop', `--root-dir=${join(arena.folder, 'pgloader')}`, loadFile], env: {} },
    ...unlessInstalled('pgloader'),
  };
};
