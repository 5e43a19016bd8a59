import { createHash, randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { DrayError, hasEnded, type ProcessIdentity, thisProcess } from '../sdk/index.ts';

/** How a server is found and reached; what stands in `server.json` of its state folder, for its user alone. */
export interface ServerFacts extends ProcessIdentity {
  /** On 127.0.0.1. */
  readonly port: number;
  /** Each request must show it. */
  readonly token: string;
}

const heartbeatMs = 2000;
/** A server that cannot be asked for, because it runs in another container, and was not heard of for so long, is taken for dead. */
const silentMs = 15_000;
const retryMs = 20;

/** The server of a state folder; undefined if none is at work. */
export async function serverOf(state: string): Promise<ServerFacts | undefined> {
  const path = serverFile(state);
  const facts = await readFacts(path);
  return facts === undefined || (await isGone(path, facts)) ? undefined : facts;
}

/** The file by which a server is found. There is one at most in a state folder. */
export class ServerFile {
  readonly #path: string;
  readonly #token: string;
  readonly #timer: NodeJS.Timeout;

  private constructor(path: string, token: string) {
    this.#path = path;
    this.#token = token;
    this.#timer = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), heartbeatMs).unref();
  }

  /** @throws DrayError SERVER_EXISTS if a server is at work on the state folder */
  static async refuseSecond(state: string): Promise<void> {
    const other = await serverOf(state);
    if (other !== undefined) throw exists(state, other);
  }

  /** Replaces the file of a server that is gone. @throws DrayError SERVER_EXISTS */
  static async claim(state: string, { port, token }: Pick<ServerFacts, 'port' | 'token'>): Promise<ServerFile> {
    const path = serverFile(state);
    const own = join(state, `.server-${randomUUID()}`);
    const facts: ServerFacts = { port, token, ...thisProcess() };
    // It appears whole, and only if there is none.
    await writeFile(own, `${JSON.stringify(facts)}\n`, { mode: 0o600, flush: true });
    try {
      while (!(await linked(own, path))) {
        const other = await readFacts(path);
        if (other !== undefined && !(await isGone(path, other))) throw exists(state, other);
        if (await hasReplaced(path, other?.token, own)) break;
        await setTimeout(retryMs);
      }
      return new ServerFile(path, token);
    } finally {
      await rm(own, { force: true });
    }
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    if ((await readFacts(this.#path))?.token === this.#token) await rm(this.#path, { force: true });
  }
}

async function linked(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw cause;
  }
}

/**
 * Puts our file into the place of that of a server that is gone. Who does so holds a lock named for that server, and looks once more: another one may have been
 * faster, and its file must stay.
 * @param token of the server that is gone; undefined: its file is damaged
 */
async function hasReplaced(path: string, token: string | undefined, own: string): Promise<boolean> {
  const name = createHash('sha256')
    .update(token ?? '')
    .digest('hex');
  const lock = join(dirname(path), `.server-after-${name.slice(0, 16)}`);
  if (!(await linked(own, lock))) {
    const held = await stat(lock).catch(() => undefined);
    if (held !== undefined && Date.now() - held.mtimeMs > silentMs) await rm(lock, { force: true });
    return false;
  }
  try {
    if ((await readFacts(path))?.token !== token) return false;
    await rename(own, path);
    return true;
  } finally {
    await rm(lock, { force: true });
  }
}

function exists(state: string, { pid, host, port }: ServerFacts): DrayError {
  return new DrayError('SERVER_EXISTS', `a server is at work on this state folder: process ${pid} on ${host}, port ${port}`, {
    place: state,
  });
}

async function isGone(path: string, facts: ServerFacts): Promise<boolean> {
  const known = hasEnded(facts);
  if (known !== undefined) return known;
  const touched = await stat(path).catch(() => undefined);
  return touched === undefined || Date.now() - touched.mtimeMs > silentMs;
}

/** undefined: there is none, or it is damaged. */
async function readFacts(path: string): Promise<ServerFacts | undefined> {
  try {
    const facts = JSON.parse(await readFile(path, 'utf8')) as Partial<ServerFacts>;
    return typeof facts.port === 'number' && typeof facts.token === 'string' && typeof facts.pid === 'number'
      ? (facts as ServerFacts)
      : undefined;
  } catch {
    return undefined;
  }
}

function serverFile(state: string): string {
  return join(state, 'server.json');
}
