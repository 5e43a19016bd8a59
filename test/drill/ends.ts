import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { readerOf, type TestDatabase, writerOf } from '../support/sql.ts';
import { type Arena, databaseOf, dropDatabase } from './arena.ts';
import { writeSourceFiles } from './files.ts';
import type { Database, Scenario } from './scenario.ts';
import { makeSmallDisk, type SmallDisk } from './small-disk.ts';
import { expectedRows, fillSource, fillTarget, makeCheckTable, markerIds, type Row, rowsIn, sourceTables, target } from './tables.ts';

/** One end of a job, and how it can be broken. */
export interface OpenEnd {
  /** `reader` or `writer` of the job file. */
  readonly plugin: { readonly name: string; readonly parameter: object };
  /** Before a server; undefined for files of this machine. */
  readonly proxy: FaultProxy | undefined;
  /** Ends the server; only of databases. */
  readonly kill: (downSeconds: number) => void;
  readonly close: () => Promise<void>;
}

export interface OpenSource extends OpenEnd {
  readonly rows: readonly Row[];
  /** The database itself, not through the proxy. */
  readonly database: TestDatabase;
}

export interface OpenTarget extends OpenEnd {
  /** The database itself, not through the proxy; of files: undefined. */
  readonly database: TestDatabase | undefined;
  /** Of files: where they appear. */
  readonly folder: string | undefined;
  /** Where files are loaded to be compared. */
  readonly check: TestDatabase | undefined;
  readonly disk: SmallDisk | undefined;
  /** Rows that are there now. */
  readonly old: readonly Row[];
}

const isDatabase = (end: string): end is Database => end === 'postgres' || end === 'mysql';

async function newDatabase(arena: Arena, kind: Database, side: 'source' | 'target', name: string) {
  const server = await arena.server(kind, side);
  await dropDatabase(kind, server, name);
  await server.createDatabase(name);
  const proxy = await startFaultProxy(server);
  return {
    direct: databaseOf(kind, server, name),
    proxied: databaseOf(kind, server, name, proxy),
    proxy,
    kill: (downSeconds: number) => server.kill(downSeconds),
    close: async () => {
      await proxy.stop();
      await dropDatabase(kind, server, name);
    },
  };
}

export async function openSource(arena: Arena, scenario: Scenario, folder: string): Promise<OpenSource> {
  const { source: kind, seed } = scenario;
  const made = await newDatabase(arena, isDatabase(kind) ? kind : 'postgres', 'source', `drill_${seed}`);
  const { direct, proxied, proxy, kill, close } = made;
  await fillSource(direct, scenario);
  const rows = await rowsIn(direct, sourceTables(scenario), markerIds(scenario));
  if (isDatabase(kind)) {
    const { name, parameter } = readerOf(proxied, 'any');
    const connection = [{ jdbcUrl: [proxied.jdbcUrl], table: sourceTables(scenario) }];
    return { plugin: { name, parameter: { ...parameter, connection } }, proxy, kill, close, rows, database: direct };
  }
  await writeSourceFiles(direct, sourceTables(scenario), folder);
  const plugin = { name: 'txtfilereader', parameter: { path: [join(folder, '*.csv')] } };
  return { plugin, proxy: undefined, kill: () => undefined, close, rows, database: direct };
}

export async function openTarget(arena: Arena, scenario: Scenario, folder: string): Promise<OpenTarget> {
  const { target: kind } = scenario;
  return isDatabase(kind) ? openTableTarget(arena, scenario, kind) : openFileTarget(arena, scenario, folder);
}

async function openTableTarget(arena: Arena, scenario: Scenario, kind: Database): Promise<OpenTarget> {
  const { direct, proxied, proxy, kill, close } = await newDatabase(arena, kind, 'target', `drill_${scenario.seed}`);
  await fillTarget(direct, scenario);
  const { publish, writeMode, faults } = scenario;
  const { name, parameter } = writerOf(proxied, target, { publish, writeMode });
  const isMortal = faults.some((fault) => fault.kind === 'thread');
  const plugin = { name: isMortal ? join(import.meta.dirname, `mortal-${kind}-writer.js`) : name, parameter };
  const old = await rowsIn(direct, [target], markerIds(scenario));
  return { plugin, proxy, kill, close, database: direct, check: undefined, folder: undefined, disk: undefined, old };
}

async function openFileTarget(arena: Arena, scenario: Scenario, folder: string): Promise<OpenTarget> {
  const { seed, target: kind, faults } = scenario;
  const { direct: check, proxy: unused, close: drop } = await newDatabase(arena, 'postgres', 'target', `drill_${seed}`);
  await makeCheckTable(check);
  const files = { fileName: target, writeMode: 'truncate' };
  const none = { database: undefined, check, kill: () => undefined, old: [] };
  if (kind === 'textfile') {
    const disk = faults.some((fault) => fault.kind === 'disk full') ? await makeSmallDisk(200) : undefined;
    const path = disk?.folder ?? folder;
    const close = async () => {
      disk?.remove();
      await drop();
    };
    return { ...none, plugin: { name: 'txtfilewriter', parameter: { path, ...files } }, proxy: undefined, folder: path, disk, close };
  }
  const server = await arena.sshd();
  const path = join(server.root, `drill_${seed}`);
  mkdirSync(path, { recursive: true });
  const proxy = await startFaultProxy(server);
  const login = {
    username: server.user,
    privateKey: readFileSync(server.privateKey, 'utf8'),
    hostKey: { fingerprint: server.fingerprint },
  };
  const parameter = { host: proxy.host, port: proxy.port, ...login, path, ...files };
  const close = async () => {
    await Promise.all([proxy.stop(), drop()]);
  };
  await unused.stop().catch(() => undefined);
  return { ...none, plugin: { name: 'sftpwriter', parameter }, proxy, folder: path, disk: undefined, close };
}

/** What must be at the target in the end, dirty rows left out. */
export function wanted(scenario: Scenario, source: OpenSource, { old }: OpenTarget, dirty: ReadonlySet<number>): Row[] {
  return expectedRows(
    scenario,
    old,
    source.rows.filter(({ id }) => !dirty.has(id)),
  );
}
