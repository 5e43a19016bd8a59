import type { BenchDatabase, DatabaseName } from '../bench-database.ts';
import type { Rival } from './haul.ts';
import { unlessInstalled } from './programs.ts';

export const psqlWords = ['psql', '--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1'];

export function psqlEnv({ port, user, password }: BenchDatabase, database: DatabaseName): Record<string, string> {
  return { PGHOST: '127.0.0.1', PGPORT: String(port), PGUSER: user, PGPASSWORD: password, PGDATABASE: database, PGSSLMODE: 'disable' };
}

/** The rows lie ready as COPY text; the source is not read at all. */
export const psqlFile: Rival = async ({ arena, target, freight, table }) => ({
  title: 'psql \\copy of a ready file',
  isRival: true,
  command: {
    words: [...psqlWords, '-c', `\\copy ${table} from '${await arena.readyFile('postgres', freight)}'`],
    env: psqlEnv(target, 'target'),
  },
  ...unlessInstalled('psql'),
});

/** PostgreSQL to PostgreSQL. One server and one password: the environment of both ends differs in the database only. */
export const psqlPipe: Rival = async ({ source, table }) => ({
  title: 'psql COPY piped into psql COPY',
  isRival: true,
  command: {
    words: [
      '/bin/sh',
      '-c',
      `PGDATABASE=source "$@" -c 'copy ${table} to stdout' | "$@" -c 'copy ${table} from stdin'`,
      'sh',
      ...psqlWords,
    ],
    env: psqlEnv(source, 'target'),
  },
  ...unlessInstalled('psql'),
});
