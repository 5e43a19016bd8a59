import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { type Database, mysqlDatabase, postgresDatabase } from '../types/databases.ts';
import type { ColumnPair } from '../types/trips.ts';
import { createBothWays, differences, moveBothWays } from './both-ways.ts';
import { randomColumns } from './random-values.ts';
import { mysqlColumns, postgresColumns } from './values.ts';

const sources = { mysql: mysqlDatabase, postgres: postgresDatabase };

async function databases(kind: keyof typeof sources): Promise<[source: Database, target: Database]> {
  const [source, target] = await Promise.all([sources[kind](), postgresDatabase()]);
  onTestFinished(async () => void (await Promise.all([source.end(), target.end()])));
  return [source, target];
}

async function expectTheSame(kind: keyof typeof sources, columns: readonly ColumnPair[], isPackable = true): Promise<void> {
  const [source, target] = await databases(kind);
  await createBothWays(source, target, columns);
  const { binary, packed, text } = await moveBothWays(source, target, { isPackable });
  for (const { exitCode, stderr, report } of [binary, packed, text])
    expect({ exitCode, stderr, attempts: report?.tasks.map(({ attempts }) => attempts.length) }).toEqual({
      exitCode: 0,
      stderr: '',
      attempts: [1],
    });
  const [count] = await source.query('SELECT count(*) FROM source');
  expect(await differences(target, columns)).toEqual({ rows: Number(count![0]), differing: [] });
}

/** Of which a text has no binary form that the task knows. */
const onlyOfPostgres = /infinity'|BC'|24:00|'\d{5,}-/;
const isNaNumber = (to: string, value: string) => to.startsWith('numeric') && value === "'NaN'";
const packable = postgresColumns.map((column) => ({
  ...column,
  values: column.values
    .filter((value) => !/^(?:date|time)/.test(column.to) || !onlyOfPostgres.test(value))
    .filter((value) => !isNaNumber(column.to, value)),
}));

test.each([
  ['mysql', mysqlColumns],
  ['postgres', postgresColumns, false],
  ['postgres', packable],
] as const)('extreme values of every type come binary from %s as they come as text', expectTheSame);

test.each(['mysql', 'postgres'] as const)('random values come binary from %s as they come as text', async (kind) => {
  const columns = randomColumns.map(({ mysql, postgres, values }, index) => ({
    from: kind === 'mysql' ? mysql : postgres,
    to: postgres,
    values: fc.sample(fc.option(values, { freq: 9, nil: 'NULL' }), { numRuns: 300, seed: 1000 + index }),
  }));
  await expectTheSame(kind, columns);
});
