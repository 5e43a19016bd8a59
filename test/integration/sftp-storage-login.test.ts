import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { SftpOptions } from '../../plugins/sftp/connection.ts';
import { openSftpStorage } from '../../plugins/sftp/sftp-storage.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { freePort } from '../support/free-port.ts';
import { type SshdServer, startSshd } from '../support/sshd-server.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';
import { loginTo } from './sftp-login.ts';

const never = new AbortController().signal;
let sshd: SshdServer;

beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd?.stop());

/** Logs in, looks around and out again. */
async function visit(more: Partial<SftpOptions> = {}): Promise<void> {
  const storage = await openSftpStorage({ ...loginTo(sshd), ...more }, never);
  try {
    await storage.filesIn('.');
  } finally {
    await storage.close();
  }
}

/** A file of known hosts with these lines; HOST stands for the server. */
function knownHosts(...lines: string[]): string {
  const file = join(tempFolder(), 'known_hosts');
  writeFileSync(file, lines.map((line) => `${line.replace('HOST', `[${sshd.host}]:${sshd.port}`)}\n`).join(''));
  return file;
}

function read(path: string): string {
  return readFileSync(path, 'utf8');
}

/** An SSH agent with one key, until the test ends. */
async function startAgent(key: string): Promise<string> {
  const socket = join(tempFolder(), 'agent');
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
  onTestFinished(() => void agent.kill());
  await until('the agent is there', 5000, async () => expect(existsSync(socket)).toBe(true));
  execFileSync('ssh-add', ['-q', key], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: 'pipe' });
  return socket;
}

test('a key logs in, also an encrypted one with its passphrase', async () => {
  await visit();
  await visit({ privateKey: read(sshd.encryptedKey), passphrase: sshd.passphrase });
});

test('an encrypted key without its passphrase, or with another one, is LOGIN_REFUSED', async () => {
  const privateKey = read(sshd.encryptedKey);
  await expect(visit({ privateKey })).rejects.toMatchObject({
    code: 'LOGIN_REFUSED',
    message: expect.stringMatching(/private key .* cannot be used: .*passphrase/),
  });
  const refused = visit({ privateKey, passphrase: 'an0ther' });
  await expect(refused).rejects.toMatchObject({ code: 'LOGIN_REFUSED', message: expect.not.stringContaining('an0ther') });
  await expect(visit({ privateKey: 'no key at all' })).rejects.toMatchObject({
    code: 'LOGIN_REFUSED',
    message: expect.not.stringContaining('no key at all'),
  });
});

test('a key that the server does not know is LOGIN_REFUSED', async () => {
  await expect(visit({ privateKey: read(sshd.strangeKey) })).rejects.toMatchObject({
    code: 'LOGIN_REFUSED',
    message: `the SFTP server 127.0.0.1:${sshd.port} refuses the login of ${sshd.user}`,
  });
});

test('a refused password, an unknown user and no way to log in at all are LOGIN_REFUSED', async () => {
  for (const more of [{ password: 's3cret' }, { username: 'nobody-of-that-name', password: 's3cret' }, {}]) {
    const refused = visit({ privateKey: undefined, ...more });
    await expect(refused).rejects.toMatchObject({ code: 'LOGIN_REFUSED', message: expect.not.stringContaining('s3cret') });
  }
});

test('an agent logs in, by its path or by SSH_AUTH_SOCK', async () => {
  const agent = await startAgent(sshd.privateKey);
  await visit({ privateKey: undefined, agent });
  const before = process.env.SSH_AUTH_SOCK;
  onTestFinished(() => {
    if (before === undefined) delete process.env.SSH_AUTH_SOCK;
    else process.env.SSH_AUTH_SOCK = before;
  });
  process.env.SSH_AUTH_SOCK = agent;
  await visit({ privateKey: undefined, agent: true });
  delete process.env.SSH_AUTH_SOCK;
  await expect(visit({ agent: true })).rejects.toMatchObject({ code: 'LOGIN_REFUSED', message: expect.stringContaining('SSH_AUTH_SOCK') });
});

test('an agent that is not there, or has another key, is LOGIN_REFUSED', async () => {
  await expect(visit({ privateKey: undefined, agent: '/none' })).rejects.toMatchObject({ code: 'LOGIN_REFUSED' });
  const agent = await startAgent(sshd.strangeKey);
  await expect(visit({ privateKey: undefined, agent })).rejects.toMatchObject({ code: 'LOGIN_REFUSED' });
});

test('known_hosts makes the server known: plain, hashed, by a wildcard, with only one of its keys', async () => {
  await visit({ hostKey: { knownHosts: sshd.knownHosts } });
  const hashed = knownHosts(...sshd.hostKeys.map(({ line }) => `HOST ${line}`));
  execFileSync('ssh-keygen', ['-H', '-f', hashed], { stdio: 'pipe' });
  expect(read(hashed)).not.toContain('127.0.0.1');
  await visit({ hostKey: { knownHosts: hashed } });
  await visit({ hostKey: { knownHosts: knownHosts(`[127.0.0.*]:${sshd.port} ${sshd.hostKeys[0]!.line} a comment`) } });
  for (const { line } of sshd.hostKeys) await visit({ hostKey: { knownHosts: knownHosts('# comment', '', `HOST ${line}`) } });
});

test('an unknown host is HOST_KEY_REFUSED, with the fingerprint seen and what to do', async () => {
  const file = knownHosts(`elsewhere ${sshd.hostKeys[0]!.line}`);
  await expect(visit({ hostKey: { knownHosts: file } })).rejects.toMatchObject({
    code: 'HOST_KEY_REFUSED',
    message: `127.0.0.1:${sshd.port} is not a known host; its key has the fingerprint ${sshd.fingerprint} (ssh-ed25519)`,
    remedy: expect.stringContaining(`ssh-keyscan -p ${sshd.port} 127.0.0.1`),
  });
});

test('another key than the known one is HOST_KEY_REFUSED, with the line of the file', async () => {
  const other = read(`${sshd.strangeKey}.pub`);
  await expect(visit({ hostKey: { knownHosts: knownHosts('# first', `HOST ${other}`) } })).rejects.toMatchObject({
    code: 'HOST_KEY_REFUSED',
    message: expect.stringMatching(
      new RegExp(`another key than it has in .*known_hosts, line 2: ${sshd.fingerprint.replaceAll('+', '\\+')}`),
    ),
  });
});

test('a revoked key is HOST_KEY_REFUSED even if it is known', async () => {
  const { line } = sshd.hostKeys[0]!;
  await expect(visit({ hostKey: { knownHosts: knownHosts(`HOST ${line}`, `@revoked * ${line}`) } })).rejects.toMatchObject({
    code: 'HOST_KEY_REFUSED',
    message: expect.stringContaining('revoked'),
  });
});

test('a file of known hosts that is not there is HOST_KEY_REFUSED, not an empty one', async () => {
  await expect(visit({ hostKey: { knownHosts: '/none' } })).rejects.toMatchObject({
    code: 'HOST_KEY_REFUSED',
    message: expect.stringContaining('/none'),
  });
});

test('without any option the host must be known, and no login is tried before', async () => {
  const login = visit({ hostKey: undefined, privateKey: read(sshd.strangeKey) });
  await expect(login).rejects.toMatchObject({ code: 'HOST_KEY_REFUSED' });
});

test('the fingerprint makes the server known, another one does not', async () => {
  await visit({ hostKey: { fingerprint: sshd.fingerprint } });
  await visit({ hostKey: { fingerprint: `${sshd.fingerprint.slice('SHA256:'.length)}=` } });
  const wrong = `SHA256:${'A'.repeat(43)}`;
  await expect(visit({ hostKey: { fingerprint: wrong } })).rejects.toMatchObject({
    code: 'HOST_KEY_REFUSED',
    message: expect.stringContaining(`${sshd.fingerprint}, not ${wrong}`),
  });
});

test('the check can be switched off, by name', async () => {
  await visit({ hostKey: { check: false, knownHosts: '/none' } });
});

test('a port where nothing listens, and a host without a name, are CONNECT_FAILED', async () => {
  await expect(visit({ port: await freePort() })).rejects.toMatchObject({
    code: 'CONNECT_FAILED',
    message: expect.stringContaining('nothing listens there'),
  });
  await expect(visit({ host: 'no-such-host.invalid' })).rejects.toMatchObject({
    code: 'CONNECT_FAILED',
    message: expect.stringContaining('unknown'),
  });
});

test('a server that says nothing is CONNECT_FAILED after timeoutMs, one that hangs up at once', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void silent.close());
  await until('it listens', 1000, async () => expect(silent.listening).toBe(true));
  const { port } = silent.address() as { port: number };
  await expect(visit({ port, timeoutMs: 300 })).rejects.toMatchObject({
    code: 'CONNECT_FAILED',
    message: expect.stringContaining('no answer within 0.3 s'),
  });
  const proxy = await startFaultProxy(sshd, { refuses: true });
  onTestFinished(() => proxy.stop());
  await expect(visit({ port: proxy.port })).rejects.toMatchObject({ code: 'CONNECT_FAILED' });
  for (const down of [{ cutAfter: 100 }, { endAfter: 10 }, { endAfter: 1500 }, { corruptAt: 1500 }]) {
    proxy.setFaults({ down });
    await expect(visit({ port: proxy.port }), JSON.stringify(down)).rejects.toMatchObject({ code: 'CONNECT_FAILED' });
  }
});

test('a server that speaks another protocol is CONNECT_FAILED', async () => {
  const web = createServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1');
  onTestFinished(() => void web.close());
  await until('it listens', 1000, async () => expect(web.listening).toBe(true));
  await expect(visit({ port: (web.address() as { port: number }).port })).rejects.toMatchObject({ code: 'CONNECT_FAILED' });
});

test.each(['/bin/false', '/bin/echo Welcome!'])('a server that runs %s instead of SFTP is CONNECT_FAILED, and says so', async (command) => {
  const shell = await startSshd({ settings: [`ForceCommand ${command}`] });
  onTestFinished(() => shell.stop());
  await expect(openSftpStorage(loginTo(shell), never)).rejects.toMatchObject({
    code: 'CONNECT_FAILED',
    message: expect.stringContaining(`lets ${shell.user} in, but not use SFTP`),
  });
});

test('a server that may only be read is PERMISSION_DENIED to writers', async () => {
  const readOnly = await startSshd({ sftpArguments: '-R' });
  onTestFinished(() => readOnly.stop());
  const storage = await openSftpStorage(loginTo(readOnly), never);
  onTestFinished(() => storage.close());
  const path = join(readOnly.root, 'a');
  await expect(storage.begin(path)).rejects.toMatchObject({ code: 'PERMISSION_DENIED', place: storage.nameOf(path) });
  await expect(storage.makeFolder(path)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
});
