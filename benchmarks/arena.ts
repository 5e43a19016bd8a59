import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchDatabase, Digest } from './bench-database.ts';
import { startBenchMysql } from './bench-mysql.ts';
import { startBenchPostgres } from './bench-postgres.ts';
import { type FolderPlace, openLocalPlace, openSftpPlace, type SftpPlace } from './files/place.ts';
import { openS3Place, type S3Place } from './files/s3-place.ts';
import type { Kind } from './lanes.ts';

const starters: Record<Kind, () => Promise<BenchDatabase>> = { postgres: startBenchPostgres, mysql: startBenchMysql };

/** The places of files, by kind. */
interface Places {
  readonly local: FolderPlace;
  readonly sftp: SftpPlace;
  readonly s3: S3Place;
}

/** The servers of a bench and what lies ready on them: tables, files and digests are made when they are first asked for. */
export class Arena {
  /** For job files and ready files. */
  readonly folder: string;
  /** Fires when the bench is stopped. */
  readonly signal: AbortSignal;
  readonly #say: (text: string) => void;
  readonly #databases = new Map<Kind, BenchDatabase>();
  readonly #places = new Map<keyof Places, Places[keyof Places]>();
  readonly #digests = new Map<string, Digest>();
  readonly #made = new Map<string, Promise<string>>();

  private constructor(folder: string, signal: AbortSignal, say: (text: string) => void) {
    this.folder = folder;
    this.signal = signal;
    this.#say = say;
  }

  static async open(signal: AbortSignal, say: (text: string) => void): Promise<Arena> {
    const folder = await mkdtemp(join(tmpdir(), 'dray-bench-'));
    // MariaDB, which runs as another user, writes its ready files there.
    await chmod(folder, 0o777);
    return new Arena(folder, signal, say);
  }

  get versions(): string[] {
    return [...this.#databases.values(), ...this.#places.values()].flatMap(({ version = [] }) => version);
  }

  async database(kind: Kind): Promise<BenchDatabase> {
    let database = this.#databases.get(kind);
    if (database === undefined) {
      this.signal.throwIfAborted();
      database = await starters[kind]();
      this.#databases.set(kind, database);
      this.#say(`${database.version} is running`);
    }
    return database;
  }

  async place<K extends keyof Places>(kind: K): Promise<Places[K]> {
    let place = this.#places.get(kind);
    if (place === undefined) {
      this.signal.throwIfAborted();
      place = await { local: () => openLocalPlace(this.folder), sftp: openSftpPlace, s3: openS3Place }[kind]();
      this.#places.set(kind, place);
      if (place.version !== undefined) this.#say(`${place.version} is running`);
    }
    return place as Places[K];
  }

  /** Name of the table of the source with so many rows. */
  async table(kind: Kind, rows: number): Promise<string> {
    const name = `orders_${rows}`;
    const key = `${kind} ${rows}`;
    if (this.#digests.has(key)) return name;
    const database = await this.database(kind);
    this.#say(`loading ${rows.toLocaleString('en-US')} rows into ${database.version}`);
    await database.load(name, rows, () => this.signal.throwIfAborted());
    this.#digests.set(key, await database.digest('source', name));
    return name;
  }

  /** What `target.orders` must hold after a run: every source has the same rows, so the source of the target's own kind tells. */
  async expectedDigest(kind: Kind, rows: number): Promise<Digest> {
    await this.table(kind, rows);
    return this.#digests.get(`${kind} ${rows}`)!;
  }

  /** A table in the form that its server's own client loads fastest. */
  readyFile(kind: Kind, rows: number): Promise<string> {
    return this.made(`${kind}-${rows}.tsv`, async (path) => {
      const table = await this.table(kind, rows);
      await (await this.database(kind)).writeReadyFile(table, path);
    });
  }

  /** Path of a file of this name, which is written when it is first asked for. */
  made(name: string, write: (path: string) => Promise<void>): Promise<string> {
    const path = join(this.folder, name);
    const made = this.#made.get(name) ?? write(path).then(() => path);
    this.#made.set(name, made);
    return made;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#databases.values(), ...this.#places.values()].map((one) => one.stop()));
    await rm(this.folder, { recursive: true, force: true });
  }
}
