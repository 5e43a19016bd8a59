import { join } from 'node:path';
import type { BenchDatabase } from '../bench-database.ts';
import type { Rival } from './haul.ts';
import { firstInstalled, unlessInstalled } from './programs.ts';

const client = firstInstalled('mariadb', 'mysql');
const dump = firstInstalled('mariadb-dump', 'mysqldump');

export function mariadbWords({ port, user }: BenchDatabase, program = client): string[] {
  return [program, '--no-defaults', '--host=127.0.0.1', `--port=${port}`, `--user=${user}`];
}

export function mariadbEnv({ password }: BenchDatabase): Record<string, string> {
  return { MYSQL_PWD: password };
}

/** What `mariadb-dump` needs to print rows only, and to print them fast. */
export const dumpWords = (database: BenchDatabase) => [
  ...mariadbWords(database, dump),
  '--no-create-info',
  '--single-transaction',
  '--hex-blob',
];

/** Whether both programs of the servers are there. */
export const unlessDumpInstalled = () => unlessInstalled(client, dump);
export const unlessClientInstalled = () => unlessInstalled(client);

/** The rows lie ready as `mysqldump --tab` writes them; the source is not read at all. */
export const loadData: Rival = async ({ arena, target, freight, table }) => {
  const file = await arena.readyFile('mysql', freight);
  const statement = `SET time_zone = '+00:00'; LOAD DATA LOCAL INFILE '${file}' INTO TABLE ${table} CHARACTER SET binary`;
  return {
    title: 'LOAD DATA LOCAL of a ready file',
    isRival: true,
    command: { words: [...mariadbWords(target), '--local-infile=1', `--execute=${statement}`, 'target'], env: mariadbEnv(target) },
    ...unlessClientInstalled(),
  };
};

/** MariaDB to MariaDB, as INSERT statements. */
export const dumpPipe: Rival = async ({ source, target, table }) => ({
  title: 'mariadb-dump piped into mariadb',
  isRival: true,
  command: {
    words: [...['/bin/sh', '-c', `"$@" source ${table} | ${mariadbWords(target).join(' ')} target`, 'sh'], ...dumpWords(source)],
    env: mariadbEnv(source),
  },
  ...unlessDumpInstalled(),
});

/** MariaDB to MariaDB by files in between, with what both choose by themselves: four threads, of which one table keeps one busy. */
export const mydumper: Rival = async ({ arena, source, target, table }) => {
  const folder = join(arena.folder, `mydumper-${table}`);
  const login = ({ port, user }: BenchDatabase) => `--host=127.0.0.1 --port=${port} --user=${user} --password="$MYSQL_PWD"`;
  const script = [
    `rm -rf ${folder}`,
    `mydumper ${login(source)} --database=source --tables-list=${table} --no-schemas --outputdir=${folder} --verbose=1`,
    `myloader ${login(target)} --database=target --directory=${folder} --verbose=1`,
  ];
  return {
    title: 'mydumper, then myloader',
    isRival: true,
    command: { words: ['/bin/sh', '-c', script.join(' && ')], env: mariadbEnv(source) },
    ...unlessInstalled('mydumper', 'myloader'),
  };
};
