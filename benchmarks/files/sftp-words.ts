import type { Command } from '../../core/bench/measured-run.ts';
import type { SftpPlace } from './place.ts';

/** OpenSSH's client with one command. -f flushes to the disk, as dray does. */
export function sftpCommand(place: SftpPlace, order: string): Command {
  return { words: ['/bin/sh', '-c', `echo ${order} | "$@"`, 'sh', ...sftpWords(place)], env: {} };
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
