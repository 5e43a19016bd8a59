import { flag, ignored, integer, refused, secret, z } from 'dray/sdk';
import type { SftpOptions } from './connection.ts';

/** How to reach the server; names as in DataX's ftpreader and ftpwriter where it has them. */
export const connectionShape = {
  protocol: z
    .literal('sftp', { error: 'Expected "sftp": plain FTP is not supported, it sends passwords and files in the clear' })
    .default('sftp')
    .describe('sftp'),
  host: z.string().min(1).describe('Name or address of the server'),
  port: integer({ min: 1, max: 65_535 }).default(22).describe('Port of the server'),
  username: z.string().min(1).describe('User'),
  password: secret().optional().describe('Password; write "${env:NAME}" or "${file:path}"'),
  privateKey: secret()
    .refine((text) => !/^\s*[/~.][^\n]*$/.test(text), {
      error: 'Expected the text of a key, and this is a path: write "${file:…}" around it',
    })
    .optional()
    .describe('Private key, as text: "${file:/home/me/.ssh/id_ed25519}"'),
  passphrase: secret().optional().describe('Of the private key'),
  keyPassword: refused('it is called "passphrase" here'),
  agent: z.union([flag(), z.string()]).optional().describe('true: the SSH agent of SSH_AUTH_SOCK; or the path of its socket'),
  hostKey: z
    .strictObject({
      knownHosts: z.string().optional().describe('File with the keys of known servers; default ~/.ssh/known_hosts'),
      fingerprint: z.string().optional().describe('The key of this server, as ssh-keygen -l prints it: SHA256:…'),
      check: flag().prefault(true).describe('false: any server is trusted, also one that has put itself between'),
    })
    .optional()
    .describe('How the server proves that it is the right one'),
  timeout: integer({ min: 1 }).default(60_000).describe('Milliseconds that the server may keep silent'),
  connectPattern: ignored('it is about plain FTP'),
  maxTraversalLevel: ignored('folders are read to their end'),
};

const shape = z.strictObject(connectionShape);

export function sftpOptions({ agent, timeout, hostKey, ...options }: z.output<typeof shape>): SftpOptions {
  const { host, port, username, password, privateKey, passphrase } = options;
  return {
    host,
    port,
    username,
    password,
    privateKey,
    passphrase,
    agent: agent === false ? undefined : agent,
    hostKey,
    timeoutMs: timeout,
  };
}
