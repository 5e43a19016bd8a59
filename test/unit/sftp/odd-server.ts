import { generateKeyPairSync } from 'node:crypto';
import { type EventEmitter, once } from 'node:events';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** The parts of ssh2's server that are used; it has no types. */
interface Ssh2 {
  readonly Server: new (options: { hostKeys: string[] }, onClient: (client: Client) => void) => { injectSocket(socket: Socket): void };
}
interface Login {
  readonly method: string;
  readonly password?: string;
  accept(): void;
  reject(methods?: string[]): void;
  requestChange(prompt: string, done: () => void): void;
  prompt(prompts: { prompt: string; echo: boolean }[], done: (answers: string[]) => void): void;
}
interface Client extends EventEmitter {
  end(): void;
  on(event: 'authentication', listener: (login: Login) => void): this;
  on(event: 'session', listener: (accept: () => EventEmitter) => void): this;
  on(event: 'error' | 'ready', listener: () => void): this;
}
interface Channel extends EventEmitter {
  status(id: number, code: number): void;
  handle(id: number, handle: Buffer): void;
  data(id: number, bytes: Buffer): void;
  attrs(id: number, attributes: object): void;
  name(id: number, names: object[]): void;
}

const { Server } = createRequire(import.meta.resolve('ssh2-sftp-client'))('ssh2') as Ssh2;

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const hostKeys = [privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()];

export interface OddRequest {
  readonly kind: 'OPEN' | 'CLOSE' | 'READ' | 'WRITE' | 'LSTAT' | 'STAT' | 'FSTAT' | 'RENAME' | 'REMOVE' | 'OPENDIR' | 'READDIR' | 'MKDIR';
  readonly path: string;
  readonly bytes: number;
}

export interface OddSettings {
  readonly password?: string;
  /** The password is only asked for with keyboard-interactive. */
  readonly isAsking?: boolean;
  /** Every login has to change the password first. */
  readonly isExpired?: boolean;
  /** Names that every folder lists. */
  readonly names?: readonly string[];
  /** The longest answer to a READ. */
  readonly mostReadBytes?: number;
  /** RENAME replaces what is there, as some servers do. */
  readonly isReplacing?: boolean;
  /** What to do with a request: `proceed` answers it, `hangUp` ends the connection. */
  readonly treat?: (request: OddRequest, proceed: () => void, hangUp: () => void) => void;
}

export interface OddServer {
  readonly host: string;
  readonly port: number;
  readonly files: Map<string, Buffer>;
}

/** An SFTP server in this process, whose files are in memory; without any extension, and as odd as asked for. Ends with the test. */
export async function startOddServer(settings: OddSettings = {}): Promise<OddServer> {
  const files = new Map<string, Buffer>();
  const clients = new Set<Client>();
  const ssh = new Server({ hostKeys }, (client) => {
    clients.add(client);
    client.on('error', () => undefined);
    client.on('authentication', (login) => authenticate(login, settings));
    client.on('ready', () => undefined);
    client.on('session', (accept) => {
      accept().on('sftp', (open: () => Channel) => serve(open(), files, settings, () => client.end()));
    });
  });
  // Not ssh2's own listener: it leaves Nagle's algorithm on, 40 ms per answer.
  const server = createServer({ noDelay: true }, (socket) => ssh.injectSocket(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const client of clients) client.end();
    server.close();
  });
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port, files };
}

function authenticate(login: Login, { password = 'right', isAsking = false, isExpired = false }: OddSettings): void {
  const methods = [isAsking ? 'keyboard-interactive' : 'password'];
  if (login.method === 'keyboard-interactive' && isAsking) {
    const prompts = [
      { prompt: 'Name of your dog: ', echo: true },
      { prompt: 'Password: ', echo: false },
    ];
    login.prompt(prompts, (answers) => (answers[0] === '' && answers[1] === password ? login.accept() : login.reject(methods)));
  } else if (login.method === 'password' && isExpired) login.requestChange('Change it.', () => undefined);
  else if (login.method === 'password' && !isAsking && login.password === password) login.accept();
  else login.reject(methods);
}

function serve(sftp: Channel, files: Map<string, Buffer>, settings: OddSettings, hangUp: () => void): void {
  const handles: { path: string; isListed: boolean }[] = [];
  const pathOf = (handle: Buffer) => handles[handle[0]!]!.path;
  const treat = (kind: OddRequest['kind'], path: string, bytes: number, proceed: () => void) =>
    (settings.treat ?? ((_request, go) => go()))({ kind, path, bytes }, proceed, hangUp);
  const newHandle = (id: number, path: string) => sftp.handle(id, Buffer.from([handles.push({ path, isListed: false }) - 1]));
  const attributes = (id: number, path: string) => {
    const file = files.get(path);
    if (file !== undefined) sftp.attrs(id, { mode: 0o100644, size: file.length, uid: 0, gid: 0, atime: 1, mtime: 1 });
    else if (path === '/' || path === '/in') sftp.attrs(id, { mode: 0o040755, size: 0, uid: 0, gid: 0, atime: 1, mtime: 1 });
    else sftp.status(id, 2);
  };
  sftp.on('REALPATH', (id: number) => sftp.name(id, [{ filename: '/in', longname: '', attrs: {} }]));
  sftp.on('OPEN', (id: number, path: string, flags: number) =>
    treat('OPEN', path, 0, () => {
      if ((flags & 0x20) !== 0 && files.has(path)) return sftp.status(id, 4);
      if ((flags & 0x08) !== 0 && !files.has(path)) files.set(path, Buffer.alloc(0));
      if (!files.has(path)) return sftp.status(id, 2);
      newHandle(id, path);
    }),
  );
  sftp.on('CLOSE', (id: number, handle: Buffer) => treat('CLOSE', pathOf(handle), 0, () => sftp.status(id, 0)));
  for (const kind of ['STAT', 'LSTAT'] as const) {
    sftp.on(kind, (id: number, path: string) => treat(kind, path, 0, () => attributes(id, path)));
  }
  sftp.on('FSTAT', (id: number, handle: Buffer) => treat('FSTAT', pathOf(handle), 0, () => attributes(id, pathOf(handle))));
  sftp.on('READ', (id: number, handle: Buffer, offset: number, length: number) =>
    treat('READ', pathOf(handle), length, () => {
      const piece = files.get(pathOf(handle))!.subarray(offset, offset + Math.min(length, settings.mostReadBytes ?? length));
      if (piece.length === 0) sftp.status(id, 1);
      else sftp.data(id, piece);
    }),
  );
  sftp.on('WRITE', (id: number, handle: Buffer, offset: number, piece: Buffer) => {
    const copy = Buffer.from(piece);
    treat('WRITE', pathOf(handle), piece.length, () => {
      const before = files.get(pathOf(handle)) ?? Buffer.alloc(0);
      const after = Buffer.alloc(Math.max(before.length, offset + copy.length));
      before.copy(after);
      copy.copy(after, offset);
      files.set(pathOf(handle), after);
      sftp.status(id, 0);
    });
  });
  sftp.on('RENAME', (id: number, from: string, to: string) =>
    treat('RENAME', to, 0, () => {
      if (!files.has(from)) return sftp.status(id, 2);
      if (files.has(to) && settings.isReplacing !== true) return sftp.status(id, 4);
      files.set(to, files.get(from)!);
      files.delete(from);
      sftp.status(id, 0);
    }),
  );
  sftp.on('REMOVE', (id: number, path: string) => treat('REMOVE', path, 0, () => sftp.status(id, files.delete(path) ? 0 : 2)));
  sftp.on('OPENDIR', (id: number, path: string) => treat('OPENDIR', path, 0, () => newHandle(id, path)));
  sftp.on('READDIR', (id: number, handle: Buffer) =>
    treat('READDIR', pathOf(handle), 0, () => {
      const folder = handles[handle[0]!]!;
      if (folder.isListed) return sftp.status(id, 1);
      folder.isListed = true;
      const names = settings.names ?? [...files.keys()].map((path) => path.slice(path.lastIndexOf('/') + 1));
      sftp.name(
        id,
        names.map((filename) => ({ filename, longname: '-rw-r--r--', attrs: { mode: 0o100644, size: 1, atime: 1, mtime: 1 } })),
      );
    }),
  );
}
