import { DrayError } from 'dray/sdk';
import type { SftpChannel } from 'ssh2-sftp-client';

/** Status codes of the protocol: draft-ietf-secsh-filexfer-02, section 7. */
export const status = { endOfFile: 1, noSuchFile: 2, permissionDenied: 3, failure: 4, connectionLost: 7, unsupported: 8 } as const;

/** pflags of OPEN: section 6.3. */
export const openFlags = { read: 0x01, write: 0x02, create: 0x08, exclusive: 0x20 } as const;

/** What every server takes in one READ or WRITE: 34,000 bytes with the packet's own fields, says section 3. */
export const leastRequestBytes = 32_000;

/** What a request was about, for people: "read sftp://host/a.csv". */
export interface Doing {
  readonly verb: string;
  /** As of Storage.nameOf. */
  readonly name: string;
}

export function statusOf(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}

/** True where the same call may succeed over a new connection. */
export function isLost(error: unknown): error is DrayError {
  return error instanceof DrayError && (error.code === 'CONNECTION_LOST' || error.code === 'CONNECT_FAILED');
}

/** What the server answers to a request that it does not fulfil, as an error of ours; a lost connection gets the file as its place. */
export function requestFault(cause: unknown, { verb, name }: Doing): unknown {
  if (isLost(cause)) return cause.at({ place: name });
  const code = statusOf(cause);
  if (code === undefined) return cause;
  const facts = { cause, place: name };
  const said = (cause as Error).message;
  if (code === status.noSuchFile) return new DrayError('PATH_MISSING', `cannot ${verb} ${name}: it is not there`, facts);
  if (code === status.permissionDenied) return new DrayError('PERMISSION_DENIED', `may not ${verb} ${name}`, facts);
  return new DrayError('FILE_FAILED', `cannot ${verb} ${name}: the server says "${said}"`, facts);
}

export function offers(sftp: SftpChannel, extension: string): boolean {
  return sftp._extensions?.[extension] !== undefined;
}

interface SshError extends Error {
  /** Which part of ssh2 failed. */
  readonly level?: string;
  readonly code?: unknown;
}

interface Attempt {
  /** The server for people. */
  readonly where: string;
  readonly username: string;
  readonly timeoutMs: number;
  /** Whether the server let the user in before the error. */
  readonly isIn: boolean;
}

/** An error while connecting, logging in or opening the SFTP channel. */
export function connectFault(cause: unknown, { where, username, timeoutMs, isIn }: Attempt): DrayError {
  const { message, level = '', code } = cause as SshError;
  if (isIn) {
    return new DrayError('CONNECT_FAILED', `${where} lets ${username} in, but not use SFTP: ${message}`, {
      cause,
      remedy: 'Enable the SFTP subsystem at the server, for this user; its login scripts must not print anything.',
    });
  }
  if (level === 'client-authentication' || /authentication fail/i.test(message)) {
    return new DrayError('LOGIN_REFUSED', `${where} refuses the login of ${username}`, {
      cause,
      remedy: 'Check the user name and the password or key, and that the server lets this user log in that way.',
    });
  }
  if (level === 'agent' || /agent/i.test(message)) {
    return new DrayError('LOGIN_REFUSED', `no key for ${where} from the SSH agent: ${message}`, {
      cause,
      remedy: 'Check that the agent runs and has the key (`ssh-add -l`).',
    });
  }
  if (/privateKey|passphrase/i.test(message)) {
    return new DrayError('LOGIN_REFUSED', `the private key for ${where} cannot be used: ${message.replace(/^.*privateKey:? /, '')}`, {
      cause,
      remedy: 'Check "privateKey", which is the text of a private key in OpenSSH, PEM or PuTTY format, and its "passphrase".',
    });
  }
  return new DrayError('CONNECT_FAILED', `cannot connect to ${where}: ${reasonOf(code, message, timeoutMs)}`, { cause });
}

function reasonOf(code: unknown, message: string, timeoutMs: number): string {
  if (code === 'ECONNREFUSED') return 'nothing listens there';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the host name is unknown';
  if (code === 'ETIMEDOUT' || /timed out/i.test(message)) return `no answer within ${timeoutMs / 1000} s`;
  if (code === 'ECONNRESET' || /before handshake|unexpected (close|end)/i.test(message)) return 'it ends the connection before the login';
  return message || String(code);
}
