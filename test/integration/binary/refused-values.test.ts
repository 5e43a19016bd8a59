import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { type Database, mysqlDatabase, postgresDatabase } from '../types/databases.ts';
import { createBothWays, differences, moveBothWays } from './both-ways.ts';

/** Each has one value that there is a binary form of, or a text for, and one that the target does not take. */
const columns = [
  { from: 'date', to: 'date', values: ["'2020-01-01'", "'0000-00-00'"] },
  { from: 'datetime(6)', to: 'timestamp', values: ["'2020-01-01'", "'2020-00-00 00:00:00'"] },
  { from: 'time(3)', to: 'time(3)', values: ["'24:00:00'", "'24:00:01'"] },
  { from: 'bigint unsigned', to: 'bigint', values: ['9223372036854775807', '9223372036854775808'] },
  { from: 'int', to: 'smallint', values: ['-32768', '32768'] },
  { from: 'tinyint', to: 'boolean', values: ['1', '2'] },
  { from: 'decimal(12,2)', to: 'numeric(5,2)', values: ['999.99', '1000'] },
  { from: 'text', to: 'text', values: ["''", "'a\\0b'"] },
];

interface Dirty {
  readonly row: number;
  readonly cells: { readonly id: string };
}

/** What is kept of dirty records, without what tells attempts apart. */
function kept(file: string | undefined): Dirty[] {
  const lines = readFileSync(file!, 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const { id: _id, attempt: _attempt, ...record } = JSON.parse(line) as Dirty & { id: string; attempt: number };
    return record;
  });
}

async function databases(): Promise<[source: Database, target: Database]> {
  const [source, target] = await Promise.all([mysqlDatabase(), postgresDatabase()]);
  onTestFinished(async () => void (await Promise.all([source.end(), target.end()])));
  return [source, target];
}

/** By who refuses it: the reader has no binary form, or the target takes none. */
test.each([
  ['the reader', columns],
  ['the target', columns.filter(({ from }) => from === 'text' || from.startsWith('decimal'))],
])(
  'values that %s refuses to take binary are the dirty records that they are in text, and all other rows are there once',
  async (_by, some) => {
    const [source, target] = await databases();
    await createBothWays(source, target, some);
    const good = some.map(({ values }) => values[0]);
    for (const [index, { values }] of some.entries())
      await source.execute(`UPDATE source SET c${index} = NULL WHERE c${index} = ${values[1]}`);
    for (const [index, { values }] of some.entries())
      await source.execute(`INSERT INTO source VALUES (${[10 + index, ...good.with(index, values[1]), 'NULL'].join(', ')})`);
    await source.execute(`INSERT INTO source SELECT ${['seq + 100', ...good, 'NULL'].join(', ')} FROM seq_1_to_3000`);
    const { binary, packed, text } = await moveBothWays(source, target, { errorLimit: some.length, isPackable: false });
    const rows = { read: 3003 + some.length, written: 3003, dirty: some.length };
    for (const { exitCode, report, stderr } of [binary, packed, text])
      expect({ exitCode, rows: report?.rows, stderr }).toMatchObject({ exitCode: 0, rows });
    expect(await differences(target, some)).toEqual({ rows: 3003, differing: [] });
    const records = kept(binary.report!.quarantine);
    expect(records).toEqual(kept(text.report!.quarantine));
    expect(kept(packed.report!.quarantine)).toEqual(records);
    expect(records.map(({ row, cells }) => [row, cells.id])).toEqual(some.map((_, index) => [4 + index, String(10 + index)]));
    expect(binary.report!.tasks[0]!.attempts.map(({ state, error }) => [state, error?.code])).toEqual([
      ['failed', 'NOT_STRAIGHT'],
      ['done', undefined],
    ]);
  },
);

test('with no dirty record allowed a run ends with the code and the sentence that it ends with as text', async () => {
  const [source, target] = await databases();
  await createBothWays(source, target, columns);
  const { binary, packed, text } = await moveBothWays(source, target, { isPackable: false });
  const [told, ofPacked, expected] = [binary, packed, text].map(({ exitCode, report }) => ({
    exitCode,
    ...report?.error,
    place: 'as_text',
  }));
  expect([told, ofPacked]).toEqual([expected, expected]);
  expect(told).toMatchObject({ exitCode: 5, code: 'DIRTY_LIMIT' });
  expect(await differences(target, columns)).toEqual({ rows: 0, differing: [] });
});
