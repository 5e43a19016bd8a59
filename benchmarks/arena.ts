import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchDatabase, Digest, Kind } from './bench-database.ts';
import { startBenchMysql } from './bench-mysql.ts';
import { startBenchPostgres } from './bench-postgres.ts';
import { type FolderPlace, openLocalPlace, openSftpPlace, type SftpPlace } from './files/place.ts';
import { openS3Place, type S3Place } from './files/s3-place.ts';
import { cachedCopyFile } from './fixtures/cache.ts';
import { type Freight, tableOf } from './freight.ts';

/** The places of files, by kind. */
interface Places {
  readonly local: FolderPlace;
  readonly sftp: SftpPlace;
  readonly s3: S3Place;
}

export interface ArenaOptions {
  /** Where files of COPY text are kept from one bench to the next. */
  readonly cacheFolder: string;
  /** Fires when the bench is stopped. */
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/** The servers of a bench and what lies ready on them: each is made when it is first asked for. */
export class Arena {
  /** For job files and ready files. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly #options: ArenaOptions;
  readonly #made = new Map<string, Promise<unknown>>();
  readonly #servers: { readonly version: string | undefined; stop(): Promise<void> }[] = [];
  #closed: Promise<void> | undefined;

  private constructor(folder: string, options: ArenaOptions) {
    this.folder = folder;
    this.signal = options.signal;
    this.#options = options;
  }

  static async open(options: ArenaOptions): Promise<Arena> {
    const folder = await mkdtemp(join(tmpdir(), 'dray-bench-'));
    // MariaDB, which runs as another user, writes its ready files there.
    await chmod(folder, 0o777);
    return new Arena(folder, options);
  }

  get versions(): string[] {
    return this.#servers.flatMap(({ version = [] }) => version);
  }

  database(kind: Kind): Promise<BenchDatabase> {
    return this.once(`database ${kind}`, () => this.#started(kind === 'mysql' ? startBenchMysql : startBenchPostgres));
  }

  place<K extends keyof Places>(kind: K): Promise<Places[K]> {
    const starters = { local: () => openLocalPlace(this.folder), sftp: openSftpPlace, s3: openS3Place };
    return this.once(`place ${kind}`, () => this.#started(starters[kind] as () => Promise<Places[K]>));
  }

  /** A freight as COPY text. */
  copyFile({ fixture, rows }: Freight): Promise<string> {
    const { cacheFolder, signal, say } = this.#options;
    return this.once(`copy ${fixture.name} ${rows}`, () => cachedCopyFile(fixture, rows, { folder: cacheFolder, signal, say }));
  }

  /** A full table in the source and an empty one in the target. @returns their name */
  async table(kind: Kind, freight: Freight): Promise<string> {
    await this.expectedDigest(kind, freight);
    return tableOf(freight);
  }

  /** What the table of a target must hold after a run: every source has the same rows, so that of the target's own kind tells. */
  expectedDigest(kind: Kind, freight: Freight): Promise<Digest> {
    const table = tableOf(freight);
    return this.once(`table ${kind} ${table}`, async () => {
      const database = await this.database(kind);
      const file = await this.copyFile(freight);
      this.#options.say(`loading ${freight.rows.toLocaleString('en-US')} rows of ${freight.fixture.name} into ${database.version}`);
      await database.load(freight, file, this.signal);
      return database.digest('source', table, freight);
    });
  }

  /** A freight in the form that the client of a server loads fastest. @returns the path of the file */
  readyFile(kind: Kind, freight: Freight): Promise<string> {
    const path = join(this.folder, `${kind}-${tableOf(freight)}.tsv`);
    return this.once(`ready ${path}`, async () => {
      await this.table(kind, freight);
      return (await this.database(kind)).readyFile(freight, await this.copyFile(freight), path);
    });
  }

  /** Path of a file of this name, which is written when it is first asked for. */
  made(name: string, write: (path: string) => Promise<void>): Promise<string> {
    const path = join(this.folder, name);
    return this.once(`file ${name}`, () => write(path).then(() => path));
  }

  /** Makes something at the first call only. */
  once<T>(key: string, make: () => Promise<T>): Promise<T> {
    const made = (this.#made.get(key) as Promise<T> | undefined) ?? make();
    this.#made.set(key, made);
    return made;
  }

  async #started<T extends { readonly version: string | undefined; stop(): Promise<void> }>(start: () => Promise<T>): Promise<T> {
    this.signal.throwIfAborted();
    const server = await start();
    if (this.signal.aborted) await server.stop();
    this.signal.throwIfAborted();
    this.#servers.push(server);
    if (server.version !== undefined) this.#options.say(`${server.version} is running`);
    return server;
  }

  /** Ends the servers, also under statements that still run, and removes the folder. Called again it does nothing more. */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      await Promise.all(this.#servers.map((server) => server.stop()));
      await rm(this.folder, { recursive: true, force: true });
    })();
    return this.#closed;
  }
}
