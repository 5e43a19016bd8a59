import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DrayResult } from '../../support/run-dray.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { type Direction, directions, type Rule } from './bent-values.ts';
import { type Database, mysqlDatabase, postgresDatabase } from './databases.ts';
import { postgresSetup } from './postgres-types.ts';
import { runTrip, tableReader, tableWriter } from './trips.ts';
import { columnOf } from './type-case.ts';

const databases: Partial<Record<Database['kind'], Database>> = {};

beforeAll(async () => {
  [databases.postgres, databases.mysql] = await Promise.all([postgresDatabase(), mysqlDatabase()]);
  await databases.postgres.execute(postgresSetup);
});

afterAll(async () => {
  await Promise.all(Object.values(databases).map((database) => database.end()));
});

interface Row {
  readonly id: number;
  readonly cells: readonly string[];
  /** Set where a cell must make the row dirty. */
  readonly bad?: string;
}

/** Good rows and bad ones by turns: a bad row has one bad cell among good ones. */
function rowsOf(rules: readonly Rule[]): Row[] {
  const good = rules.map((rule) => Object.keys(rule.good));
  const rows: Omit<Row, 'id'>[] = [];
  for (const [column, { from, to, bad }] of rules.entries()) {
    for (const [index, value] of bad.entries()) {
      const cells = good.map((values) => values[index % values.length]!);
      rows.push({ cells }, { cells: cells.with(column, value), bad: `${value}: ${from} → ${to}` });
    }
  }
  return rows.map((row, index) => ({ id: index + 1, ...row }));
}

interface Outcome {
  readonly result: DrayResult;
  readonly rows: readonly Row[];
  readonly shown: ReadonlyMap<number, readonly (string | null)[]>;
}

async function runDirection({ source, target, rules, writer }: Direction, name: string): Promise<Outcome> {
  const [from, to] = [databases[source]!, databases[target]!];
  const rows = rowsOf(rules);
  await from.execute(
    `CREATE TABLE ${name}_source (id int PRIMARY KEY, ${rules.map((rule, index) => `${columnOf(index)} ${rule.from} NULL`).join(', ')})`,
  );
  await to.execute(
    `CREATE TABLE ${name}_target (id int PRIMARY KEY, ${rules.map((rule, index) => `${columnOf(index)} ${rule.to}`).join(', ')})`,
  );
  for (const { id, cells } of rows) await from.execute(`INSERT INTO ${name}_source VALUES (${id}, ${cells.join(', ')})`);
  const result = await runTrip(tempFolder(), tableReader(from, `${name}_source`), tableWriter(to, `${name}_target`, writer), 10_000);
  const columns = rules.map((_, index) =>
    target === 'postgres' ? `${columnOf(index)}::text` : `CONVERT(${columnOf(index)} USING utf8mb4)`,
  );
  const found = await to.query(`SELECT id, ${columns.join(', ')} FROM ${name}_target`);
  return { result, rows, shown: new Map(found.map(([id, ...cells]) => [Number(id), cells])) };
}

describe.each(directions.map((direction, index) => ({ ...direction, name: `d${index}`, options: JSON.stringify(direction.writer) })))(
  'from $source to $target $options',
  (direction) => {
    let running: Promise<Outcome> | undefined;
    /** One job for all tests of the direction, run by whichever comes first. */
    const outcome = () => (running ??= runDirection(direction, direction.name));

    test('the job ends well and counts exactly the bad rows as dirty', async () => {
      const { result, rows } = await outcome();
      const dirty = rows.filter(({ bad }) => bad !== undefined).length;
      expect(result).toMatchObject({ exitCode: 0, report: { rows: { read: rows.length, written: rows.length - dirty, dirty } } });
    });

    test.each(direction.rules.map((rule, column) => ({ ...rule, column })))('$from to $to', async ({ from, to, good, column }) => {
      const { rows, shown } = await outcome();
      const bent = rows.filter(({ id, bad }) => bad?.endsWith(`: ${from} → ${to}`) === true && shown.has(id));
      expect(bent.map(({ id, bad }) => `${bad} became ${shown.get(id)?.[column]}`)).toEqual([]);
      for (const { id, cells, bad } of rows) {
        if (bad !== undefined) continue;
        const text = good[cells[column]!];
        expect({ id, text: shown.get(id)?.[column] }).toEqual({ id, text: text === 'NULL' ? null : text });
      }
    });

    test('no refused value is ever printed', async () => {
      const { report, stderr } = (await outcome()).result;
      // Its numbers are counts and times, and the run's name holds the hour: digits inside other words are the same by chance.
      const told = (JSON.stringify(report, (_, value) => (typeof value === 'number' ? null : value)) + stderr).replaceAll(report!.run, '');
      const words = ` ${told.replaceAll(/\\[nrt]/g, ' ')} `;
      const stands = (text: string) =>
        words.split(text).some((after, index, parts) => index > 0 && !/^\w/.test(after) && !/\w$/.test(parts[index - 1]!));
      const texts = direction.rules.flatMap(({ bad }) => bad).flatMap((value) => /^'?([^']{4,})'?$/.exec(value)?.[1] ?? []);
      expect(texts.filter(stands)).toEqual([]);
    });
  },
);
