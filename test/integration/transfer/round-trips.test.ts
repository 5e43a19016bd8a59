import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Storage } from '../../../plugins/_files/storage/storage.ts';
import { expectFault } from '../../support/faults.ts';
import { type DrayResult, runDray } from '../../support/run-dray.ts';
import { createTable, type Database, insertRows, mysqlDatabase, postgresDatabase, shownRows } from '../types/databases.ts';
import { mysqlTypes } from '../types/mysql-types.ts';
import { postgresSetup, postgresTypes } from '../types/postgres-types.ts';
import { fileReader, tableReader, tableWriter } from '../types/trips.ts';
import { rowsOf, type Shown, type TypeCase } from '../types/type-case.ts';
import { bytesOf, jobFolder, type Place, placeKinds, put, startPlace } from './places.ts';

const jobs = jobFolder();
let postgres: Database;
let mysql: Database;

/** A table with all types of one kind of database, and what it holds. */
interface Source {
  readonly database: Database;
  readonly table: string;
  readonly cases: readonly TypeCase[];
  readonly rows: readonly Shown[];
}
const sources = new Map<string, Source>();

/** Days and times that Parquet has no type for, and integers that are too big for it: such a row is refused. */
function isInParquet({ native }: TypeCase, value: string): boolean {
  if (/^bigint/.test(native)) return BigInt(value.replaceAll("'", '')) < 2n ** 63n;
  return !/^(date|time)/.test(native) || !/24:00|infinity|BC|838:|'-|\d{5}-|294276/.test(value);
}

async function makeSources(database: Database, cases: readonly TypeCase[]): Promise<void> {
  const plain = cases.map((one) => ({ ...one, refused: [], values: one.values.filter((value) => isInParquet(one, value)) }));
  for (const [table, its] of [
    ['source', cases],
    ['plain', plain],
  ] as const) {
    await createTable(database, table, its, 'native');
    await insertRows(database, table, rowsOf(its));
    sources.set(`${database.kind} ${table}`, { database, table, cases: its, rows: await shownRows(database, table, its) });
  }
}

beforeAll(async () => {
  [postgres, mysql] = await Promise.all([postgresDatabase(), mysqlDatabase()]);
  await postgres.execute(postgresSetup);
  await makeSources(postgres, postgresTypes);
  await makeSources(mysql, mysqlTypes);
});

afterAll(async () => {
  jobs.stop();
  await Promise.all([postgres?.end(), mysql?.end()]);
});

async function run(reader: object, writer: object): Promise<DrayResult> {
  return runDray(['run', '--json', jobs.write('job.json', { job: { setting: { speed: { channel: 2 } }, content: [{ reader, writer }] } })]);
}

async function moves(reader: object, writer: object, rows: number): Promise<void> {
  const { exitCode, stderr, report } = await run(reader, writer);
  expect({ exitCode, stderr, rows: report?.rows }).toMatchObject({
    exitCode: 0,
    // Where the machine is slow, progress is told.
    stderr: expect.not.stringMatching(/warning|error/),
    rows: { written: rows, dirty: 0 },
  });
}

/** Cells that are not what they were, by the type of their column. */
function lost(before: readonly Shown[], after: readonly Shown[], cases: readonly TypeCase[]): string[] {
  expect(after.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
  return before.flatMap(({ id, cells }, row) =>
    cells.flatMap((cell, column) => (cell === after[row]!.cells[column] ? [] : [`row ${id}: ${cases[column]!.native}`])),
  );
}

interface ManifestFacts {
  readonly rows: number;
  readonly rowDigest: string;
  readonly files: readonly { readonly file: string }[];
}

async function manifestIn(storage: Storage, folder: string): Promise<ManifestFacts> {
  const manifests = (await storage.filesIn(folder)).filter(({ path }) => path.endsWith('.manifest.json'));
  expect(manifests).toHaveLength(1);
  return JSON.parse(String(await bytesOf(storage, manifests[0]!.path))) as ManifestFacts;
}

const ed25519 = generateKeyPairSync('ed25519', {
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const encryptionKey = randomBytes(32).toString('base64');
const hmac = randomBytes(20).toString('hex');

/** What the two sides are told; the reader's columns only where a file does not tell types. */
interface Way {
  readonly title: string;
  readonly writes: object;
  readonly reads: object;
  readonly knowsTypes?: true;
}

const ways: readonly Way[] = [
  {
    title: 'csv, zstd, encrypted, signed with an Ed25519 key',
    writes: { compress: 'zstd', encryptionKey, signatureKey: ed25519.privateKey },
    reads: { encryptionKey, signatureKey: ed25519.publicKey },
  },
  {
    title: 'copy, gzip, signed with a secret',
    writes: { fileFormat: 'copy', compress: 'gzip', signatureKey: hmac },
    reads: { fileFormat: 'copy', signatureKey: hmac },
  },
  { title: 'parquet', writes: { fileFormat: 'parquet' }, reads: { fileFormat: 'parquet' }, knowsTypes: true },
];

describe.each(placeKinds)('a table with all types goes over %s and comes back', (kind) => {
  let place: Place;
  let storage: Storage;
  beforeAll(async () => {
    place = await startPlace(kind);
    storage = await place.open();
  });
  afterAll(async () => {
    await storage?.close();
    await place?.stop();
  });

  const requires = { verify: 'require', ready: 'require' };
  const columnsFor = ({ knowsTypes }: Way, cases: readonly TypeCase[]) =>
    knowsTypes ? {} : { column: fileReader('', cases).parameter.column };
  const sourceOf = (database: string, { knowsTypes }: Way) => sources.get(`${database} ${knowsTypes ? 'plain' : 'source'}`)!;

  describe.each(['postgres', 'mysql'])('from %s', (name) => {
    test.each(ways)('as $title', async (way) => {
      const { database, table, cases, rows } = sourceOf(name, way);
      const folder = place.newFolder();
      const back = `back_${kind}_${ways.indexOf(way)}`;
      await createTable(database, back, cases, 'native');
      await moves(tableReader(database, table), place.writer(folder, { writeMode: 'truncate', ...way.writes }), rows.length);
      const reader = place.reader(folder, { ...requires, ...way.reads, ...columnsFor(way, cases) });
      await moves(reader, tableWriter(database, back), rows.length);
      expect(lost(rows, await shownRows(database, back, cases), cases)).toEqual([]);

      // The rows are the same as texts, too: the digest of a set that is made of what came back is that of the first one.
      const again = place.newFolder();
      await moves(tableReader(database, back), place.writer(again, { writeMode: 'truncate' }), rows.length);
      const [first, second] = [await manifestIn(storage, folder), await manifestIn(storage, again)];
      expect([second.rows, second.rowDigest]).toEqual([first.rows, first.rowDigest]);
    });
  });

  test('made rows have the same digest in every format', async () => {
    const first = place.newFolder();
    const column = [
      { name: 'id', type: 'long', sequence: 1 },
      { name: 'word', type: 'string', random: '0, 60' },
    ];
    await moves({ name: 'stream', parameter: { column, sliceRecordCount: 5000 } }, place.writer(first, { writeMode: 'append' }), 10_000);
    const { rowDigest, files } = await manifestIn(storage, first);
    for (const { file } of files) {
      const ids = String(await bytesOf(storage, storage.join(first, file)))
        .split('\n')
        .flatMap((line) => (/^\d+,/.test(line) ? [Number.parseInt(line, 10)] : []));
      const sidecar = JSON.parse(String(await bytesOf(storage, storage.join(first, `${file}.meta.json`)))) as object;
      expect(sidecar).toMatchObject({ key: { column: 'id', min: String(Math.min(...ids)), max: String(Math.max(...ids)) } });
    }
    let from = first;
    let reads: object = {};
    for (const { writes, reads: readsNext } of ways.slice(0, 2)) {
      const to = place.newFolder();
      await moves(place.reader(from, { ...requires, ...reads }), place.writer(to, { writeMode: 'append', ...writes }), 10_000);
      expect(await manifestIn(storage, to)).toMatchObject({ rows: 10_000, rowDigest });
      [from, reads] = [to, readsNext];
    }
    await moves(place.reader(from, { ...requires, ...reads }), { name: 'stream', parameter: { print: false } }, 10_000);
  });

  test.each(ways.slice(0, 2))('but not if one byte of it was changed: $title', async (way) => {
    const { rows } = sourceOf('postgres', way);
    const folder = place.newFolder();
    const name = `kept_${kind}_${ways.indexOf(way)}`;
    await createTable(postgres, name, postgresTypes, 'native');
    await postgres.execute(`INSERT INTO ${name} (id) VALUES (-1), (-2)`);
    await moves(tableReader(postgres, 'source'), place.writer(folder, { writeMode: 'truncate', ...way.writes }), rows.length);
    const { files } = await manifestIn(storage, folder);
    const damaged = files.at(-1)!.file;
    const bytes = await bytesOf(storage, storage.join(folder, damaged));
    bytes[bytes.length >> 1]! ^= 1;
    await put(storage, folder, damaged, bytes);

    const reader = place.reader(folder, { ...requires, ...way.reads, ...columnsFor(way, postgresTypes) });
    const result = await run(reader, tableWriter(postgres, name, { preSql: ['TRUNCATE @table'] }));
    expectFault(result, { exitCode: 6, code: 'FILE_DIGEST', where: damaged });
    expect(result.stderr).not.toContain(encryptionKey);
    expect(result.stderr).not.toContain(hmac);
    expect((await postgres.query(`SELECT id FROM ${name} ORDER BY id`)).flat()).toEqual(['-2', '-1']);
  });
});
