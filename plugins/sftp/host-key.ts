import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { DrayError } from 'dray/sdk';
import { judge, type KnownKey, keysOf, keyType, parseKnownHosts, type Verdict } from './known-hosts.ts';

/** How a server proves that it is the one that is meant. Without any of these: by ~/.ssh/known_hosts, as ssh does. */
export interface HostKeyOptions {
  /** Path of a file in the format of ~/.ssh/known_hosts, instead of that and of /etc/ssh/ssh_known_hosts. */
  readonly knownHosts?: string | undefined;
  /** `SHA256:…` as `ssh-keygen -lf` prints it; then no file is read. */
  readonly fingerprint?: string | undefined;
  /** false: anybody who answers gets the password and the files. */
  readonly check?: boolean | undefined;
}

/** Decides about the key that a server shows. */
export interface HostKeyCheck {
  /** Kinds of keys to ask the server for, best first; undefined: any. */
  readonly algorithms: readonly string[] | undefined;
  /** undefined: the key is right. */
  refusalOf(key: Buffer): DrayError | undefined;
}

/** ssh2's own list and order. */
const algorithms = [
  'ssh-ed25519',
  ...['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'],
  ...['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'],
];

export async function hostKeyCheck({ knownHosts, fingerprint, check }: HostKeyOptions, host: string, port: number): Promise<HostKeyCheck> {
  if (check === false) return { algorithms: undefined, refusalOf: () => undefined };
  if (fingerprint !== undefined) return { algorithms: undefined, refusalOf: (key) => fingerprintRefusal(key, fingerprint, host, port) };
  const files = knownHosts === undefined ? [join(homedir(), '.ssh', 'known_hosts'), '/etc/ssh/ssh_known_hosts'] : [knownHosts];
  const known = await Promise.all(files.map((file) => readKnownHosts(file, knownHosts !== undefined)));
  const lines = known.flat();
  const ofHost = [...keysOf(lines, host, port), ...keysOf(lines, host, 22)];
  return {
    algorithms: knownFirst(ofHost),
    refusalOf: (key) => knownHostsRefusal({ key, host, port, verdict: judge(lines, host, port, key), file: files[0]! }),
  };
}

/** As OpenSSH prints it: SHA-256 in base64 without the padding. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** Asked for in the usual order, a server would show a key that we do not know and have one that we do (as order_hostkeyalgs in sshconnect2.c). */
function knownFirst(lines: readonly KnownKey[]): readonly string[] | undefined {
  const types = new Set(lines.filter(({ isRevoked }) => !isRevoked).map(({ type }) => type));
  if (types.size === 0) return undefined;
  const isKnown = (name: string) => types.has(name.startsWith('rsa-') ? 'ssh-rsa' : name);
  return [...algorithms.filter(isKnown), ...algorithms.filter((name) => !isKnown(name))];
}

async function readKnownHosts(file: string, isNamed: boolean): Promise<KnownKey[]> {
  try {
    return parseKnownHosts(await readFile(file, 'utf8'), file);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    if (code === 'ENOENT' && !isNamed) return [];
    throw new DrayError('HOST_KEY_REFUSED', `the file of known hosts, ${file}, cannot be read (${code})`, {
      cause,
      remedy: 'Check the path in "hostKey" and the rights on the file.',
    });
  }
}

function fingerprintRefusal(key: Buffer, wanted: string, host: string, port: number): DrayError | undefined {
  const seen = fingerprintOf(key);
  if (seen === `SHA256:${wanted.replace(/^SHA256:/i, '').replace(/=+$/, '')}`) return undefined;
  return new DrayError('HOST_KEY_REFUSED', `${host}:${port} shows a key (${keyType(key)}) with the fingerprint ${seen}, not ${wanted}`, {
    remedy: `Ask who runs the server for the fingerprint of its ${keyType(key)} key; if it is the one seen, put it into "hostKey". If not, somebody sits in between.`,
  });
}

interface Shown {
  readonly key: Buffer;
  readonly host: string;
  readonly port: number;
  readonly verdict: Verdict;
  /** Where a key would be added. */
  readonly file: string;
}

function knownHostsRefusal({ key, host, port, verdict, file }: Shown): DrayError | undefined {
  const seen = `${fingerprintOf(key)} (${keyType(key)})`;
  switch (verdict.kind) {
    case 'known':
      return undefined;
    case 'unknown':
      return new DrayError('HOST_KEY_REFUSED', `${host}:${port} is not a known host; its key has the fingerprint ${seen}`, {
        remedy: `If who runs the server confirms that fingerprint, add the key to ${file} (\`ssh-keyscan -p ${port} ${host}\` prints the line), or put the fingerprint into "hostKey".`,
      });
    case 'changed': {
      const { file, line } = verdict.line;
      return new DrayError('HOST_KEY_REFUSED', `${host}:${port} shows another key than it has in ${file}, line ${line}: ${seen}`, {
        remedy: 'Ask who runs the server: if the key was changed, replace that line; if not, somebody sits in between.',
      });
    }
    case 'revoked': {
      const { file, line } = verdict.line;
      return new DrayError('HOST_KEY_REFUSED', `${host}:${port} shows a key that is revoked in ${file}, line ${line}: ${seen}`, {
        remedy: 'Do not trust this server before who runs it has given it a new key.',
      });
    }
  }
}
