import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { providedPostgres } from '../../support/provided-servers.ts';
import { runDray, writeJob } from '../../support/run-dray.ts';
import { postgresDatabase, readerOf, type TestDatabase, writerOf } from '../../support/sql.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const rowCount = 180_000;
const encryptionKey = 'ab'.repeat(32);

let database: TestDatabase;

/** Of all rows, whatever their order. */
const digestOf = async (table: string) =>
  database.sql(
    `SELECT count(*)::text, sum(hashtextextended(${table}::text, 0))::text, sum(hashtextextended(${table}::text, 1))::text FROM ${table}`,
  );

beforeAll(async () => {
  const server = providedPostgres();
  await server.createDatabase('file_parts');
  database = postgresDatabase(server, 'file_parts');
  await database.sql(
    `CREATE TABLE source (id bigint, word text, amount numeric(12, 3), at timestamptz, raw bytea, note text)`,
    // Quotes, delimiters, line ends of both kinds, escapes, NULL and '' where a cut may fall.
    `INSERT INTO source SELECT i, md5(i::text) || chr(64 + i % 500), i * 0.001, timestamptz '2026-01-01 00:00:00.123456+00' + i * interval '1 second',
       decode(md5(i::text), 'hex'),
       CASE i % 7 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN E'two\nlines, "quoted"' WHEN 3 THEN E'\r\n' WHEN 4 THEN E'back\\slash\\\n' WHEN 5 THEN '"' ELSE repeat('漢字 ', i % 150) END
     FROM generate_series(1, ${rowCount}) AS i`,
    'VACUUM ANALYZE source',
  );
});

/** Types, for formats that carry none. */
function columnsOf(fileFormat: string): object {
  const columns = Object.entries({ id: 'long', word: 'string', amount: 'decimal', at: 'string', raw: 'bytes', note: 'string' });
  if (fileFormat === 'parquet') return {};
  return { column: columns.map(([name, type], index) => (fileFormat === 'jsonl' ? { name, type } : { index, type })) };
}

const job = (reader: object, writer: object, channel: number, setting: object = {}) =>
  writeJob(tempFolder(), { job: { setting: { speed: { channel }, ...setting }, content: [{ reader, writer }] } });

/** Writes the table into one file. */
async function written(parameter: object): Promise<string> {
  const path = tempFolder();
  const writer = { name: 'txtfilewriter', parameter: { path, fileName: 'orders', writeMode: 'truncate', nullFormat: '\\N', ...parameter } };
  const { exitCode, report } = await runDray(['run', '--json', job(readerOf(database, 'source'), writer, 1)]);
  expect({ exitCode, error: report?.error }).toEqual({ exitCode: 0, error: undefined });
  expect(readdirSync(path).filter((name) => name.endsWith('.meta.json'))).toHaveLength(1);
  return path;
}

describe('one big file is read by four tasks', () => {
  test.each([
    ['csv', { header: true, lineDelimiter: '\r\n' }, { skipHeader: true }, 5],
    ['csv', { compress: 'zstd' }, {}, 5],
    ['csv', { compress: 'zstd', encryptionKey }, { encryptionKey }, 5],
    ['csv', { encryptionKey, fieldDelimiter: '||' }, { encryptionKey, fieldDelimiter: '||' }, 5],
    ['copy', {}, {}, 5],
    ['jsonl', { compress: 'zstd' }, {}, 5],
    ['parquet', {}, {}, 2],
  ])(
    '%s %j, and all its rows arrive once',
    async (fileFormat, writing, reading, tasks) => {
      const path = await written({ fileFormat, ...writing });
      const table = `into_${fileFormat}_${Buffer.from(JSON.stringify(writing)).toString('hex').slice(-40)}`;
      await database.sql(`CREATE TABLE ${table} (LIKE source)`);
      const reader = {
        name: 'txtfilereader',
        parameter: { path, fileFormat, nullFormat: '\\N', verify: 'require', ...columnsOf(fileFormat), ...reading },
      };
      const file = job(reader, writerOf(database, table), 4);

      const planned = await runDray(['plan', '--json', file]);
      const [content] = (JSON.parse(planned.stdout) as { contents: { splits: { name: string }[]; estimatedRows: number }[] }).contents;
      expect(content!.estimatedRows).toBe(rowCount);
      expect(content!.splits.length).toBeGreaterThanOrEqual(tasks);
      if (tasks > 1)
        expect(content!.splits.at(-1)!.name).toMatch(new RegExp(`\\(${content!.splits.length} of ${content!.splits.length}\\)$`));

      const { exitCode, report } = await runDray(['run', '--json', file]);
      expect({ exitCode, error: report?.error }).toEqual({ exitCode: 0, error: undefined });
      expect(report!.tasks).toHaveLength(content!.splits.length);
      expect(report!.tasks.filter(({ rows }) => rows.read > 0).length).toBeGreaterThanOrEqual(tasks);
      expect(await digestOf(table)).toEqual(await digestOf('source'));
    },
    180_000,
  );
});

describe('a file that is cut', () => {
  const lines = 400_000;
  const plain = (name: string, line: (index: number) => string): string => {
    const path = join(tempFolder(), name);
    writeFileSync(path, Array.from({ length: lines }, (_, index) => line(index)).join(''));
    return path;
  };
  const toNothing = { name: 'streamwriter', parameter: { print: false } };
  const good = (index: number) => `${index},"a word, and ""another""\n"\n`;

  test('tells of a wrong row with its line in the file', async () => {
    // Every row but the wrong one, which has one, holds a line end: the row behind 300,000 others starts in line 600,001.
    const path = plain('wrong.csv', (index) => (index === 300_000 ? 'one,two,three\n' : good(index)));
    const reader = { name: 'txtfilereader', parameter: { path } };
    const { stderr, report } = await runDray(['run', '--json', job(reader, toNothing, 2, { errorLimit: { record: 1 } })]);
    expect(report!.rows).toMatchObject({ read: lines, dirty: 1 });
    expect(report!.tasks.length).toBeGreaterThan(2);
    expect(stderr).toContain('(line 600001)');
    expect(stderr).toContain(`${path} (`);
  });

  test('is refused before the target is touched if it has another number of rows than stands beside it', async () => {
    const path = plain('short.csv', good);
    writeFileSync(`${path}.count`, `${lines + 1} ${readFileSync(path).length}\n`);
    const target = join(tempFolder(), 'target');
    const writer = { name: 'txtfilewriter', parameter: { path: target, fileName: 'x', writeMode: 'truncate' } };
    const { exitCode, report } = await runDray(['run', '--json', job({ name: 'txtfilereader', parameter: { path } }, writer, 2)]);
    expect(exitCode).toBe(6);
    expect(report!.error).toMatchObject({ code: 'ROWS_DIFFER', message: `${path} has ${lines} rows where its sidecar says ${lines + 1}` });
    expect(() => readdirSync(target)).toThrow('ENOENT');
  });

  test('is read as a whole by one channel, and where only reading tells where a row begins', async () => {
    const path = plain('whole.csv', good);
    const splits = async (parameter: object, channel: number) => {
      const planned = await runDray(['plan', job({ name: 'txtfilereader', parameter: { path, ...parameter } }, toNothing, channel)]);
      expect(planned.exitCode).toBe(0);
      return planned.stdout;
    };
    expect(await splits({}, 1)).toContain('in 1 task\n');
    expect(await splits({ csvReaderConfig: { escapeMode: 2 } }, 2)).toContain(
      'with its encoding, escapes or columns only reading tells where a row begins',
    );
    expect(await splits({}, 2)).toContain(`${path} (2 of `);
  });
});
