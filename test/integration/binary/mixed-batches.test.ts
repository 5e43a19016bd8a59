import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { listenedDatabase } from '../../support/split-statements.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { postgresDatabase } from '../types/databases.ts';
import { runTrip, tableWriter } from '../types/trips.ts';

/** Some twenty batches. */
const rowCount = 40_000;
const ids = Array.from({ length: rowCount }, (_, index) => index + 1);

interface Loaded {
  /** Layouts of its COPYs one after the other. */
  readonly copies: readonly string[];
  readonly attempts: number;
  /** Rows that were put aside. */
  readonly dirty: readonly number[];
  /** Sums over `id`, `n` and the lengths of the texts. */
  readonly sums: readonly string[];
}

/** Loads rows of a CSV file, of which some have another text for `n`. @param also a statement behind CREATE TABLE */
async function load(odd: Readonly<Record<number, string>>, also?: string): Promise<Loaded> {
  const database = await postgresDatabase();
  onTestFinished(() => database.end());
  await database.execute('CREATE TABLE target (id int PRIMARY KEY, n numeric(12,2), word text)');
  if (also !== undefined) await database.execute(also);
  const { database: listened, statements, close } = await listenedDatabase(database);
  onTestFinished(close);
  const folder = tempFolder();
  writeFileSync(join(folder, 'in.csv'), ids.map((id) => `${id},${odd[id] ?? `${id}.25`},${String(id).padEnd(1000, 'é')}\n`).join(''));
  const parameter = { path: join(folder, 'in.csv'), fileFormat: 'csv', column: ['*'] };
  const { exitCode, report } = await runTrip(folder, { name: 'txtfilereader', parameter }, tableWriter(listened, 'target'), 10);
  expect({ exitCode, read: report?.rows.read }).toEqual({ exitCode: 0, read: rowCount });
  const [sums] = await database.query('SELECT count(*), sum(id), sum(n), sum(length(word)), count(DISTINCT word) FROM target');
  const dirty = report!.rows.dirty === 0 ? [] : readFileSync(report!.quarantine!, 'utf8').trimEnd().split('\n');
  return {
    copies: statements.flatMap((sql) => /^(?:RELEASE .*)?COPY .* FROM STDIN(.*)$/.exec(sql)?.slice(1, 2) ?? []),
    attempts: report!.tasks[0]!.attempts.length,
    dirty: dirty.map((line) => (JSON.parse(line) as { row: number }).row),
    sums: sums as string[],
  };
}

const expectedSums = (refused: readonly number[], changed = 0) => {
  const taken = rowCount - refused.length;
  const sum = ids.reduce((all, id) => all + (refused.includes(id) ? 0 : id), 0);
  return [String(taken), String(sum), (sum + 0.25 * taken + changed).toFixed(2), String(taken * 1000), String(taken)];
};

const [binary, text] = [' (FORMAT binary)', ''];

test('a batch with a text that only the server understands goes as text, between binary ones', async () => {
  // 3e4 is 30,000.
  const loaded = await load({ 20000: '3e4', 20001: ' 20001.25' });
  const changed = 30_000 - 20_000.25;
  expect(loaded).toEqual({ copies: [binary, text, binary], attempts: 1, dirty: [], sums: expectedSums([], changed) });
});

test('rows that the target would bend are dirty in their batch, and the others of it are there', async () => {
  const loaded = await load({ 15000: '1.005', 30000: '2.125' });
  const copies = [binary, text, binary, text, binary];
  expect(loaded).toEqual({ copies, attempts: 1, dirty: [15_000, 30_000], sums: expectedSums([15_000, 30_000]) });
});

test('a row that the server refuses in a binary batch is found when the task goes as text', async () => {
  const loaded = await load({ 15000: '12345678901.25' });
  expect(loaded).toMatchObject({ attempts: 2, dirty: [15_000], sums: expectedSums([15_000]) });
  expect([loaded.copies[0], new Set(loaded.copies.slice(1))]).toEqual([binary, new Set([text])]);
});

test('after some batches with such texts all go as text', async () => {
  const loaded = await load(Object.fromEntries([5000, 12_000, 19_000, 26_000].map((id) => [id, `+${id}.25`])));
  const copies = [binary, text, binary, text, binary, text, binary, text];
  expect(loaded).toEqual({ copies, attempts: 1, dirty: [], sums: expectedSums([]) });
});

test.each([
  // Row 1 refers to the last one.
  'ALTER TABLE target ADD boss int GENERATED ALWAYS AS (40001 - id) STORED REFERENCES target (id)',
  `CREATE FUNCTION once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
     IF (SELECT count(*) FROM target) < ${rowCount} THEN RAISE EXCEPTION 'not all of them'; END IF; RETURN NULL; END $$;
   CREATE TRIGGER once AFTER INSERT ON target EXECUTE FUNCTION once()`,
])('a table that sees where a statement ends gets one statement of text: %s', async (also) => {
  const loaded = await load({ 20000: '3e4' }, also);
  expect(loaded).toEqual({ copies: [text], attempts: 1, dirty: [], sums: expectedSums([], 30_000 - 20_000.25) });
});
