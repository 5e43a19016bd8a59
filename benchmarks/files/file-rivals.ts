import { join } from 'node:path';
import type { Contestant } from '../../core/bench/course.ts';
import type { Haul, Rival } from '../rivals/haul.ts';
import { unlessInstalled } from '../rivals/programs.ts';
import { psqlEnv, psqlWords } from '../rivals/psql.ts';
import { csvFile, type Packer, packedCsvFile, packers } from './csv-file.ts';
import { sftpCommand, sftpWords } from './sftp-words.ts';
import { sdkPut } from './transfer-lanes.ts';

const copyOut = (table: string) => `copy ${table} to stdout with (format csv)`;
const copyIn = (table: string) => `copy ${table} from stdin with (format csv)`;

/** PostgreSQL into a CSV file. */
export const psqlToFile: Rival = async (haul) => {
  const file = join((await haul.arena.place('local')).folder, 'rows.csv');
  return piped(haul, 'psql COPY into a file', copyOut(haul.table), `"$@" > ${file}`);
};

/** PostgreSQL into a packed CSV file. */
export function psqlPacked(packer: Packer): Rival {
  return async (haul) => {
    const file = join((await haul.arena.place('local')).folder, `rows.csv${packers[packer]}`);
    return {
      ...piped(haul, `psql COPY piped into ${packer} -1`, copyOut(haul.table), `"$@" | ${packer} -1 > ${file}`),
      ...unlessInstalled('psql', packer),
    };
  };
}

/** PostgreSQL into a CSV file of an SFTP server. */
export const psqlSftp: Rival = async (haul) => {
  const file = join(haul.arena.folder, 'rows.csv');
  const put = `echo put -f ${file} rows.csv | ${sftpWords(await haul.arena.place('sftp')).join(' ')} > /dev/null`;
  return {
    ...piped(haul, 'psql COPY into a file, and sftp', copyOut(haul.table), `"$@" > ${file} && ${put}`),
    ...unlessInstalled('psql', 'sftp'),
  };
};

/** PostgreSQL into a CSV file of an S3 server. */
export const psqlS3: Rival = async (haul) => {
  const file = join(haul.arena.folder, 'rows.csv');
  const { words, env } = await sdkPut(haul.arena, file, 'rows.csv');
  const contestant = piped(haul, 'psql COPY into a file, and Amazon’s SDK', copyOut(haul.table), `"$@" > ${file} && ${words.join(' ')}`);
  return { ...contestant, command: { ...contestant.command, env: { ...contestant.command.env, ...env } } };
};

/** All CSV files of an SFTP server into PostgreSQL, by files of this machine. */
export const sftpPsql: Rival = async (haul) => {
  const folder = join(haul.arena.folder, 'fetched');
  const get = `echo 'get *.csv ${folder}/' | ${sftpWords(await haul.arena.place('sftp')).join(' ')} > /dev/null`;
  const script = `rm -rf ${folder} && mkdir ${folder} && ${get} && cat ${folder}/*.csv | "$@"`;
  return { ...piped(haul, 'sftp into files, and psql COPY', copyIn(haul.table), script), ...unlessInstalled('psql', 'sftp') };
};

/** A CSV file to an S3 server. */
export const s3Put: Rival = async ({ arena, freight }) => ({
  title: 'Amazon’s SDK with the same file',
  isRival: true,
  command: await sdkPut(arena, await csvFile(arena, freight), 'rows.csv'),
});

/** A CSV file into PostgreSQL. */
export const psqlFromFile: Rival = async (haul) =>
  piped(
    haul,
    'psql \\copy of the same file',
    `\\copy ${haul.table} from '${await csvFile(haul.arena, haul.freight)}' with (format csv)`,
    '"$@"',
  );

/** A packed CSV file into PostgreSQL. */
export function psqlUnpacked(packer: Packer): Rival {
  return async (haul) => {
    const file = await packedCsvFile(haul.arena, haul.freight, packer);
    return {
      ...piped(haul, `${packer} -dc of the same file piped into psql`, copyIn(haul.table), `${packer} -dc ${file} | "$@"`),
      ...unlessInstalled('psql', packer),
    };
  };
}

/** A CSV file into a packed one. */
export function repacked(packer: Packer): Rival {
  return async ({ arena, freight }) => {
    const file = join((await arena.place('local')).folder, `rows.csv${packers[packer]}`);
    return {
      title: `${packer} -1 of the same file`,
      isRival: true,
      command: { words: ['/bin/sh', '-c', `${packer} -1 -c ${await csvFile(arena, freight)} > ${file}`], env: {} },
      ...unlessInstalled(packer),
    };
  };
}

/** A CSV file to an SFTP server. */
export const sftpPut: Rival = async ({ arena, freight }) => ({
  title: 'sftp, put -f of the same file',
  isRival: true,
  command: sftpCommand(await arena.place('sftp'), `put -f ${await csvFile(arena, freight)} rows.csv`),
  ...unlessInstalled('sftp'),
});

/** The environment reaches both databases, since there is one server: those who write begin in the source, the others in the target. */
function piped({ source, target }: Pick<Haul, 'source' | 'target'>, title: string, statement: string, script: string): Contestant {
  const env = statement.includes(' to stdout') ? psqlEnv(source, 'source') : psqlEnv(target, 'target');
  return {
    title,
    isRival: true,
    command: { words: ['/bin/sh', '-c', script, 'sh', ...psqlWords, '-c', statement], env },
    ...unlessInstalled('psql'),
  };
}
