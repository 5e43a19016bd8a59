import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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
        await removeStale(path, other, state);
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

/** Takes away the file of a server that is gone; but not the one that another new server may have put in its place since. */
async function removeStale(path: string, stale: ServerFacts | undefined, state: string): Promise<void> {
  const aside = join(state, `.server-${randomUUID()}`);
  try {
    await rename(path, aside);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw cause;
  }
  const taken = await readFacts(aside);
  if (taken !== undefined && taken.token !== stale?.token) await linked(aside, path);
  await rm(aside, { force: true });
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
