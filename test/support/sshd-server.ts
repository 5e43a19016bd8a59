import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { answering } from './answering.ts';
import { freePort } from './free-port.ts';
import { openPrivateServer } from './private-server.ts';
import { requireSshd, SSHD } from './sshd-install.ts';

/** How to reach an SFTP server; plain data, so that it can go to another process. */
export interface SshdFacts {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Path of a private key that may log in. */
  readonly privateKey: string;
  /** One that may, too, and asks for `passphrase`. */
  readonly encryptedKey: string;
  readonly passphrase: string;
  /** One that may not. */
  readonly strangeKey: string;
  /** `SHA256:…` of the Ed25519 key of the host, which clients are shown first. */
  readonly fingerprint: string;
  /** A line for known_hosts per key of the host, without the name in front: Ed25519, RSA. */
  readonly hostKeys: readonly { readonly type: string; readonly line: string }[];
  /** Path of a known_hosts with this server in it. */
  readonly knownHosts: string;
  /** The folder in which a login begins; empty. The path is the same for us and for the server. */
  readonly root: string;
}

export interface SshdServer extends SshdFacts {
  /** Ends the server and removes its folder. Connections that are open stay so until their clients close them. */
  stop(): Promise<void>;
}

/**
 * Starts a private OpenSSH server for SFTP on a free port of 127.0.0.1; a tenth of a second, and an apt-get install before that if root has
 * none. It runs as the user of this process and lets that user in, by key; password logins are offered, and fail. It ends with this process
 * even without `stop`.
 *
 * @param options.settings lines for sshd_config; the first mention of a setting wins, and these come first
 * @param options.sftpArguments for internal-sftp: `-R` (read only), `-P requests` (refused ones)
 */
export async function startSshd(options: { settings?: readonly string[]; sftpArguments?: string } = {}): Promise<SshdServer> {
  requireSshd();
  const port = await freePort();
  const server = openPrivateServer('dray-sshd-', {}, 'KILL');
  const folder = realpathSync(server.folder);
  const file = (name: string) => join(folder, name);
  const passphrase = 'a phrase';
  makeKey(file('host_ed25519'), 'ed25519', '');
  makeKey(file('host_rsa'), 'rsa', '');
  makeKey(file('user'), 'ed25519', '');
  makeKey(file('encrypted'), 'ed25519', passphrase);
  makeKey(file('strange'), 'ed25519', '');
  const root = file('root');
  mkdirSync(root);
  // sshd's own folder for the child without rights; only root's sshd has one.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  writeFileSync(file('authorized_keys'), [file('user'), file('encrypted')].map((key) => readFileSync(`${key}.pub`, 'utf8')).join(''));
  chmodSync(file('authorized_keys'), 0o600);
  const settings = [
    ...(options.settings ?? []),
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${file('host_ed25519')}`,
    `HostKey ${file('host_rsa')}`,
    'PidFile none',
    `AuthorizedKeysFile ${file('authorized_keys')}`,
    'PermitRootLogin yes',
    'PasswordAuthentication yes',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    'StrictModes no',
    'MaxStartups 100:30:200',
    'Subsystem sftp internal-sftp',
    `ForceCommand internal-sftp -d ${root} ${options.sftpArguments ?? ''}`,
    'LogLevel ERROR',
  ];
  writeFileSync(file('sshd_config'), `${settings.join('\n')}\n`);
  server.begin({ prepare: [SSHD, '-t', '-f', file('sshd_config')], serve: [SSHD, '-D', '-e', '-f', file('sshd_config')] });
  const host = '127.0.0.1';
  const hostKeys = ['host_ed25519', 'host_rsa'].map((name) => {
    const [type = '', key = ''] = readFileSync(file(`${name}.pub`), 'utf8').split(' ');
    return { type, line: `${type} ${key}` };
  });
  const knownHosts = file('known_hosts');
  writeFileSync(knownHosts, hostKeys.map(({ line }) => `[${host}]:${port} ${line}\n`).join(''));
  await answering('OpenSSH server', server, async () => {
    const keys = execFileSync('ssh-keyscan', ['-p', String(port), '-t', 'ed25519', host], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (keys === '') throw new Error('No key.');
  });
  return {
    ...{ host, port, user: userInfo().username, root, knownHosts, hostKeys, passphrase },
    ...{ privateKey: file('user'), encryptedKey: file('encrypted'), strangeKey: file('strange') },
    fingerprint: fingerprint(file('host_ed25519.pub')),
    async stop() {
      await server.stop();
    },
  };
}

function makeKey(path: string, type: string, passphrase: string): void {
  execFileSync('ssh-keygen', ['-q', '-t', type, ...(type === 'rsa' ? ['-b', '2048'] : []), '-N', passphrase, '-C', '', '-f', path]);
}

function fingerprint(publicKey: string): string {
  return execFileSync('ssh-keygen', ['-lf', publicKey], { encoding: 'utf8' }).split(' ')[1]!;
}
