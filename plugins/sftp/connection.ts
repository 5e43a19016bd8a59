import { createConnection, type Socket } from 'node:net';
import { DrayError } from 'dray/sdk';
import type { Done, SftpChannel, SshClient } from 'ssh2-sftp-client';
import { connectFault, statusOf } from './faults.ts';
import { type HostKeyOptions, hostKeyCheck } from './host-key.ts';

/** How to reach an SFTP server. */
export interface SftpOptions {
  readonly host: string;
  /** 22 if absent. */
  readonly port?: number | undefined;
  readonly username: string;
  readonly password?: string | undefined;
  /** The text of a private key: OpenSSH, PEM or PuTTY format. */
  readonly privateKey?: string | undefined;
  readonly passphrase?: string | undefined;
  /** Socket of an SSH agent; true: the one of SSH_AUTH_SOCK. */
  readonly agent?: string | true | undefined;
  readonly hostKey?: HostKeyOptions | undefined;
  /** How long the server may keep silent, at the start and later; 60,000 if absent. */
  readonly timeoutMs?: number | undefined;
  /** How often in a row a lost connection is made again without any progress, and the first pause, which doubles up to 8 s; 7 and 250 if absent. */
  readonly reconnect?: { readonly tries: number; readonly firstPauseMs: number } | undefined;
}

/** One SSH connection with its SFTP channel, until it is lost or closed; then every request rejects with the same DrayError. */
export class Connection {
  readonly sftp: SftpChannel;
  readonly #client: SshClient;
  readonly #socket: Socket;
  readonly #where: string;
  readonly #waiting = new Set<(fault: unknown) => void>();
  #fault: unknown;

  constructor(sftp: SftpChannel, client: SshClient, socket: Socket, where: string) {
    this.sftp = sftp;
    this.#client = client;
    this.#socket = socket;
    this.#where = where;
    client.on('error', (error) => this.#lose(error));
    sftp.on('error', (error) => this.#lose(error));
    for (const event of ['close', 'end']) {
      client.on(event, () => this.#lose());
      sftp.on(event, () => this.#lose());
    }
  }

  get isLost(): boolean {
    return this.#fault !== undefined;
  }

  /**
   * Sends a request and waits for its answer. Requests may be under way side by side; the server answers in any order.
   * Rejects with the server's status (an Error with a number as `code`), or with a DrayError if the connection is lost meanwhile.
   */
  request<T = void>(start: (sftp: SftpChannel, done: Done<T>) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#fault !== undefined) return reject(this.#fault);
      this.#waiting.add(reject);
      const done: Done<T> = (error, value) => {
        if (!this.#waiting.has(reject)) return;
        // What has no status comes from ssh2: no answer, or an answer against the protocol.
        if (error && statusOf(error) === undefined) return this.#lose(error);
        this.#waiting.delete(reject);
        if (error) reject(error);
        else resolve(value as T);
      };
      try {
        start(this.sftp, done);
      } catch (error) {
        this.#waiting.delete(reject);
        reject(error);
      }
    });
  }

  /** Ends the connection at once; what waits rejects with `fault`. */
  destroy(fault: unknown): void {
    this.#fault ??= fault;
    for (const reject of this.#waiting) reject(this.#fault);
    this.#waiting.clear();
    this.#socket.destroy();
  }

  /** Takes leave of the server, for at most a second. */
  async close(): Promise<void> {
    this.#fault ??= new DrayError('CONNECTION_LOST', `the connection to ${this.#where} is closed`);
    if (!this.#socket.destroyed) {
      const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()));
      const timer = setTimeout(() => this.#socket.destroy(), 1000);
      this.#client.end();
      await closed;
      clearTimeout(timer);
    }
    this.destroy(this.#fault);
  }

  #lose(cause?: unknown): void {
    if (this.#fault !== undefined) return;
    const reason = cause instanceof Error && cause.message !== '' ? `: ${cause.message}` : '';
    this.destroy(new DrayError('CONNECTION_LOST', `the connection to ${this.#where} was lost${reason}`, { cause }));
  }
}

/**
 * Connects, checks the key of the server, logs in and opens the SFTP channel.
 * @throws DrayError CONNECT_FAILED, HOST_KEY_REFUSED or LOGIN_REFUSED; the signal's reason if that fires first
 */
export async function connect(options: SftpOptions, signal: AbortSignal): Promise<Connection> {
  const { host, port = 22, username, password, privateKey, passphrase, timeoutMs = 60_000 } = options;
  const where = `the SFTP server ${host}:${port}`;
  const agent = agentSocket(options.agent, where);
  const { default: SftpClient } = await import('ssh2-sftp-client');
  const hostKey = await hostKeyCheck(options.hostKey ?? {}, host, port);
  signal.throwIfAborted();
  // ssh2 leaves Nagle's algorithm on, which makes pipelined requests 10 to 100 times slower; hence a socket of our own.
  const socket = createConnection({ host, port, noDelay: true, keepAlive: true });
  const ssh = new SftpClient('dray', { error() {}, end() {}, close() {} });
  const { client } = ssh;
  const stop = () => void socket.destroy();
  signal.addEventListener('abort', stop, { once: true });
  let refusal: DrayError | undefined;
  let fault: unknown;
  let isIn = false;
  client.on('ready', () => {
    isIn = true;
  });
  client.on('error', (error) => {
    fault ??= error;
  });
  // Servers with PAM often offer the password only like this.
  client.on('keyboard-interactive', (_name, _text, _language, prompts: readonly Prompt[], answer: (answers: string[]) => void) =>
    answer(prompts.map(({ echo }) => (echo === true ? '' : (password ?? '')))),
  );
  client.on('change password', () => {
    refusal = new DrayError('LOGIN_REFUSED', `${where} wants a new password from ${username}`, {
      remedy: 'Log in by hand and change the password.',
    });
    socket.destroy();
  });
  try {
    const sftp = await ssh.connect({
      ...{ sock: socket, host, port, username, tryKeyboard: password !== undefined, readyTimeout: timeoutMs },
      // The third unanswered one in a row ends the connection. They also keep firewalls from forgetting it.
      ...{ keepaliveInterval: Math.max(100, Math.round(timeoutMs / 4)), keepaliveCountMax: 3 },
      ...(password === undefined ? {} : { password }),
      ...(privateKey === undefined ? {} : { privateKey }),
      ...(passphrase === undefined ? {} : { passphrase }),
      ...(agent === undefined ? {} : { agent }),
      ...(hostKey.algorithms === undefined ? {} : { algorithms: { serverHostKey: hostKey.algorithms } }),
      hostVerifier: (key) => {
        refusal = hostKey.refusalOf(key);
        return refusal === undefined;
      },
    });
    signal.throwIfAborted();
    return new Connection(sftp, client, socket, where);
  } catch (cause) {
    socket.destroy();
    signal.throwIfAborted();
    throw refusal ?? connectFault(fault ?? cause, { where, username, timeoutMs, isIn });
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** RFC 4256, section 3.2; a prompt whose answer may be seen does not ask for the password. */
interface Prompt {
  readonly echo?: boolean;
}

function agentSocket(agent: string | true | undefined, where: string): string | undefined {
  if (agent !== true) return agent;
  const { SSH_AUTH_SOCK: socket = '' } = process.env;
  if (socket !== '') return socket;
  throw new DrayError('LOGIN_REFUSED', `there is no SSH agent to log in to ${where} with: SSH_AUTH_SOCK is not set`, {
    remedy: 'Start an agent (`eval $(ssh-agent)`, `ssh-add`), or give its socket or a "privateKey".',
  });
}
