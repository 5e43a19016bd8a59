import { writeFile } from 'node:fs/promises';
import type { Arena } from '../arena.ts';
import type { BenchDatabase, Kind } from '../bench-database.ts';
import type { Contestant } from '../course.ts';
import { drayCommand, drayContestant, passwordOf, tableReader, tableWriter, writeJob } from '../dray-job.ts';
import { copyText } from '../fixtures/copy-text.ts';
import { tiny, tinyTableRows } from '../fixtures/tiny.ts';
import type { OpenLane } from '../lane.ts';
import { dumpWords, mariadbEnv, mariadbWords, unlessDumpInstalled } from '../rivals/mariadb.ts';
import { unlessInstalled } from '../rivals/programs.ts';
import { psqlEnv, psqlWords } from '../rivals/psql.ts';
import { intoTinyTables, makeTinyTables } from './tiny-tables.ts';

interface TinyHaul {
  readonly arena: Arena;
  readonly source: BenchDatabase;
  readonly target: BenchDatabase;
  readonly names: readonly string[];
}

/** What moves many tables with one script through one client: a process for each of them would be no rival. */
export type TinyRival = (haul: TinyHaul) => Promise<Contestant>;

/** Many tables, each into its own, as a job of as many contents. */
export function tinyToTiny(source: Kind, target: Kind, count: number, rivals: readonly TinyRival[]): OpenLane {
  return async ({ channels, arena }) => {
    const tables = await makeTinyTables(arena, source, count);
    await makeTinyTables(arena, target, count);
    const haul = { arena, source: await arena.database(source), target: await arena.database(target), names: tables.names };
    const contents = tables.names.map((name) => ({
      reader: tableReader(haul.source, 'source', name),
      writer: tableWriter(haul.target, 'target', name),
    }));
    const env = { ...passwordOf(haul.source, 'source'), ...passwordOf(haul.target, 'target') };
    const job = await writeJob(arena, `tiny-${source}-${target}-${count}`, contents, env);
    return {
      rows: tables.freight.rows,
      contestants: [...(await Promise.all(rivals.map((rival) => rival(haul)))), ...channels.map((channel) => drayContestant(job, channel))],
      ...(await intoTinyTables(arena, haul.target, tables)),
    };
  };
}

/** `dray plan` of many tables as one. */
export function tinyPlan(kind: Kind, count: number): OpenLane {
  return async ({ arena }) => {
    const { freight } = await makeTinyTables(arena, kind, count);
    const database = await arena.database(kind);
    const reader = tableReader(database, 'source', '/^tiny_\\d{5}$/');
    const content = { reader, writer: { name: 'streamwriter', parameter: { print: false } } };
    const job = await writeJob(arena, `plan-tiny-${kind}-${count}`, content, passwordOf(database, 'source'));
    return {
      rows: freight.rows,
      contestants: [{ title: 'dray plan', isRival: false, command: drayCommand(['plan', job.file, '--json'], job.env) }],
      prepare: async () => undefined,
      check: async () => undefined,
    };
  };
}

/** A script of \copy statements, each of a ready file. */
export const psqlScript: TinyRival = async ({ arena, target, names }) => {
  const files = await Promise.all(
    names.map((name, index) =>
      arena.made(`${name}.copy`, (path) => writeFile(path, Buffer.concat([...copyText(tiny, index * tinyTableRows + 1, tinyTableRows)]))),
    ),
  );
  const script = await arena.made(`tiny-${names.length}-files.sql`, (path) =>
    writeFile(path, names.map((name, index) => `\\copy ${name} from '${files[index]}'\n`).join('')),
  );
  return {
    title: 'one psql, a \\copy of a ready file for each',
    isRival: true,
    command: { words: [...psqlWords, '-f', script], env: psqlEnv(target, 'target') },
    ...unlessInstalled('psql'),
  };
};

/** PostgreSQL to PostgreSQL: one psql prints a script of COPY statements with their rows, which the other one runs. */
export const psqlScriptPipe: TinyRival = async ({ arena, source, names }) => {
  const lines = names.map((name) => `\\echo 'copy ${name} from stdin;'\ncopy ${name} to stdout;\n\\echo '\\\\.'\n`);
  const script = await arena.made(`tiny-${names.length}-pipe.sql`, (path) => writeFile(path, lines.join('')));
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

/** MariaDB to MariaDB. */
export const dumpAllPipe: TinyRival = async ({ source, target, names }) => ({
  title: 'one mariadb-dump piped into one mariadb',
  isRival: true,
  command: {
    words: ['/bin/sh', '-c', `"$@" | ${mariadbWords(target).join(' ')} target`, 'sh', ...dumpWords(source), 'source', ...names],
    env: mariadbEnv(source),
  },
  ...unlessDumpInstalled(),
});
