import { join } from 'node:path';
import type { Arena } from '../arena.ts';
import type { Contestant } from '../course.ts';
import { psqlEnv, psqlOptions, unlessInstalled } from '../rivals.ts';
import type { SftpPlace } from './place.ts';

/** What writes CSV files beside dray: psql, and what packs or sends what it prints. */
export type WritingRival = 'gzip' | 'zstd' | 'sftp';

export async function writingRival(name: WritingRival, arena: Arena, table: string): Promise<Contestant> {
  const env = psqlEnv(await arena.database('postgres'), 'source');
  const copy = `copy ${table} to stdout with (format csv)`;
  const shell = (script: string, ...words: string[]) => ({
    words: ['/bin/sh', '-c', script, 'sh', ...words, 'psql', ...psqlOptions, '-c', copy],
    env,
  });
  if (name === 'sftp') {
    const file = join(arena.folder, 'orders.csv');
    const [program, ...words] = sftpWords(await arena.place('sftp'));
    return {
      title: 'psql COPY into a file, and sftp',
      isRival: true,
      command: shell(`"$@" > ${file} && echo put -f ${file} orders.csv | ${[program, ...words].join(' ')} > /dev/null`),
      ...unlessInstalled('psql', 'sftp'),
    };
  }
  const file = join((await arena.place('local')).folder, name === 'gzip' ? 'orders.csv.gz' : 'orders.csv.zst');
  return {
    title: `psql COPY piped into ${name} -1`,
    isRival: true,
    command: shell(`"$@" | ${name} -1 > ${file}`),
    ...unlessInstalled('psql', name),
  };
}

/** OpenSSH's client, with the commands on its standard input. It begins in the folder of the place. */
export function sftpWords({ folder, port, user, privateKey, knownHosts }: SftpPlace): string[] {
  const settings = ['BatchMode=yes', 'StrictHostKeyChecking=yes', `UserKnownHostsFile=${knownHosts}`, 'Compression=no'];
  return [
    ...['sftp', '-q', '-b', '-', '-F', '/dev/null', '-P', String(port), '-i', privateKey],
    ...settings.flatMap((setting) => ['-o', setting]),
    `${user}@127.0.0.1:${folder}`,
  ];
}
