import { writeFile } from 'node:fs/promises';
import type { Contestant } from '../../core/bench/course.ts';
import { tiny, tinyTableRows } from '../../plugins/fixture/tiny.ts';
import type { Arena } from '../arena.ts';
import type { BenchDatabase } from '../bench-database.ts';
import { copyText } from '../fixtures/copy-text.ts';
import { dumpWords, mariadbEnv, mariadbWords, unlessClientInstalled, unlessDumpInstalled } from '../rivals/mariadb.ts';
import { unlessInstalled } from '../rivals/programs.ts';
import { psqlEnv, psqlWords } from '../rivals/psql.ts';

export interface TinyHaul {
  readonly arena: Arena;
  readonly source: BenchDatabase;
  readonly target: BenchDatabase;
  readonly names: readonly string[];
  /** The table of the target for one of the source. */
  into(name: string): string;
}

/** What moves many tables: with one script through one client, or in a loop, as one that is written in a minute. */
export type TinyRival = (haul: TinyHaul) => Promise<Contestant>;

/** A script of \copy statements, each of a ready file. */
export const psqlScript: TinyRival = async (haul) => {
  const script = await scriptOf(haul, (file, table) => `\\copy ${table} from '${file}'\n`);
  return {
    title: 'one psql, a \\copy of a ready file for each',
    isRival: true,
    command: { words: [...psqlWords, '-f', script], env: psqlEnv(haul.target, 'target') },
    ...unlessInstalled('psql'),
  };
};

/** A script of LOAD DATA statements, each of a ready file. */
export const mariadbScript: TinyRival = async (haul) => {
  // Files of `tiny` have nothing but what LOAD DATA takes as it is.
  const script = await scriptOf(haul, (file, table) => `LOAD DATA LOCAL INFILE '${file}' INTO TABLE ${table} CHARACTER SET utf8mb4;\n`);
  return {
    title: 'one mariadb, a LOAD DATA of a ready file for each',
    isRival: true,
    command: {
      words: [...mariadbWords(haul.target), '--local-infile=1', `--execute=source ${script}`, 'target'],
      env: mariadbEnv(haul.target),
    },
    ...unlessClientInstalled(),
  };
};

/** PostgreSQL to PostgreSQL: one psql prints a script of COPY statements with their rows, which the other one runs. */
export const psqlScriptPipe: TinyRival = async ({ arena, source, names, into }) => {
  const lines = names.map((name) => `\\echo 'copy ${into(name)} from stdin;'\ncopy ${name} to stdout;\n\\echo '\\\\.'\n`);
  const script = await arena.made(`pipe-${source.kind}-${names[0]}-${into(names[0]!)}.sql`, (path) => writeFile(path, lines.join('')));
  return {
    title: 'one psql COPY piped into one psql',
    isRival: true,
    command: {
      words: ['/bin/sh', '-c', `PGDATABASE=source "$@" -f ${script} | "$@"`, 'sh', ...psqlWords],
      env: psqlEnv(source, 'target'),
    },
    ...unlessInstalled('psql'),
  };
};

/** MariaDB to MariaDB, into tables of the same names. */
export const dumpAllPipe: TinyRival = async ({ source, target, names }) => ({
  title: 'one mariadb-dump piped into one mariadb',
  isRival: true,
  command: {
    words: ['/bin/sh', '-c', `"$@" | ${mariadbWords(target).join(' ')} target`, 'sh', ...dumpWords(source), 'source', ...names],
    env: mariadbEnv(source),
  },
  ...unlessDumpInstalled(),
});

/** PostgreSQL to PostgreSQL: for each table two processes. */
export const psqlLoop: TinyRival = async ({ arena, source, names, into }) => {
  const psql = psqlWords.join(' ');
  const lines = names.map((name) => `PGDATABASE=source ${psql} -c 'copy ${name} to stdout' | ${psql} -c 'copy ${into(name)} from stdin'\n`);
  return {
    title: 'a loop: psql piped into psql for each',
    isRival: true,
    command: {
      words: ['/bin/sh', '-e', await loopOf(arena, `loop-${source.kind}-${names[0]}-${into(names[0]!)}`, lines)],
      env: psqlEnv(source, 'target'),
    },
    ...unlessInstalled('psql'),
  };
};

/** The same with a process that prints from MariaDB what psql copies, with backslashes as COPY has them, and NULL as this word. */
export const mariadbPsqlLoop: TinyRival = async ({ arena, source, target, names, into }) => {
  const from = mariadbWords(source).join(' ');
  const lines = names.map(
    (name) =>
      `${from} --batch --skip-column-names source -e 'select * from ${name}' | ${psqlWords.join(' ')} -c "copy ${into(name)} from stdin (null 'NULL')"\n`,
  );
  return {
    title: 'a loop: mariadb piped into psql for each',
    isRival: true,
    command: {
      words: ['/bin/sh', '-e', await loopOf(arena, `loop-${source.kind}-${names[0]}-${into(names[0]!)}`, lines)],
      env: { ...mariadbEnv(source), ...psqlEnv(target, 'target') },
    },
    ...unlessInstalled('psql'),
    ...unlessClientInstalled(),
  };
};

function loopOf(arena: Arena, name: string, lines: readonly string[]): Promise<string> {
  return arena.made(`${name}.sh`, (path) => writeFile(path, lines.join('')));
}

async function scriptOf({ arena, target, names, into }: TinyHaul, line: (file: string, table: string) => string): Promise<string> {
  const files = await Promise.all(
    names.map((name, index) =>
      arena.made(`${name}.copy`, (path) => writeFile(path, Buffer.concat([...copyText(tiny, index * tinyTableRows + 1, tinyTableRows)]))),
    ),
  );
  return arena.made(`files-${target.kind}-${names[0]}-${into(names[0]!)}.sql`, (path) =>
    writeFile(path, names.map((name, index) => line(files[index]!, into(name))).join('')),
  );
}
