import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchDatabase, Digest } from './bench-database.ts';
import { startBenchMysql } from './bench-mysql.ts';
import { startBenchPostgres } from './bench-postgres.ts';
import type { Kind } from './lanes.ts';

const starters: Record<Kind, () => Promise<BenchDatabase>> = { postgres: startBenchPostgres, mysql: startBenchMysql };

/** The servers of a bench and what lies ready on them: tables, files and digests are made when they are first asked for. */
export class Arena {
  /** For job files and ready files. */
  readonly folder: string;
  readonly #signal: AbortSignal;
  readonly #say: (text: string) => void;
  readonly #databases = new Map<Kind, BenchDatabase>();
  readonly #digests = new Map<string, Digest>();
  readonly #readyFiles = new Map<string, string>();

  private constructor(folder: string, signal: AbortSignal, say: (text: string) => void) {
    this.folder = folder;
    this.#signal = signal;
    this.#say = say;
  }

  static async open(signal: AbortSignal, say: (text: string) => void): Promise<Arena> {
    const folder = await mkdtemp(join(tmpdir(), 'dray-bench-'));
    // MariaDB, which runs as another user, writes its ready files there.
    await chmod(folder, 0o777);
    return new Arena(folder, signal, say);
  }

  get versions(): string[] {
    return [...this.#databases.values()].map(({ version }) => version);
  }

  async database(kind: Kind): Promise<BenchDatabase> {
    let database = this.#databases.get(kind);
    if (database === undefined) {
      this.#signal.throwIfAborted();
      database = await starters[kind]();
      this.#databases.set(kind, database);
      this.#say(`${database.version} is running`);
    }
    return database;
  }

  /** Name of the table of the source with so many rows. */
  async table(kind: Kind, rows: number): Promise<string> {
    const name = `orders_${rows}`;
    const key = `${kind} ${rows}`;
    if (this.#digests.has(key)) return name;
    const database = await this.database(kind);
    this.#say(`loading ${rows.toLocaleString('en-US')} rows into ${database.version}`);
    await database.load(name, rows, () => this.#signal.throwIfAborted());
    this.#digests.set(key, await database.digest('source', name));
    return name;
  }

  /** What `target.orders` must hold after a run: every source has the same rows, so the source of the target's own kind tells. */
  async expectedDigest(kind: Kind, rows: number): Promise<Digest> {
    await this.table(kind, rows);
    return this.#digests.get(`${kind} ${rows}`)!;
  }

  async readyFile(kind: Kind, rows: number): Promise<string> {
    const key = `${kind}-${rows}`;
    let path = this.#readyFiles.get(key);
    if (path === undefined) {
      path = join(this.folder, `${key}.tsv`);
      const table = await this.table(kind, rows);
      await (await this.database(kind)).writeReadyFile(table, path);
      this.#readyFiles.set(key, path);
    }
    return path;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#databases.values()].map((database) => database.stop()));
    await rm(this.folder, { recursive: true, force: true });
  }
}
