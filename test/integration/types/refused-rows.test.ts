import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tempFolder } from '../../support/temp-folder.ts';
import { type Database, mysqlDatabase, postgresDatabase } from './databases.ts';
import { runTrip, tableReader, tableWriter } from './trips.ts';

const databases: Partial<Record<Database['kind'], Database>> = {};

beforeAll(async () => {
  [databases.postgres, databases.mysql] = await Promise.all([postgresDatabase(), mysqlDatabase()]);
});

afterAll(async () => {
  await Promise.all(Object.values(databases).map((database) => database.end()));
});

const rowCount = 200;

const targets = [
  { target: 'postgres', options: {}, engine: '' },
  { target: 'mysql', options: { load: 'local-infile' }, engine: 'ENGINE=InnoDB' },
  { target: 'mysql', options: { load: 'insert' }, engine: 'ENGINE=InnoDB' },
  { target: 'mysql', options: {}, engine: 'ENGINE=Aria' },
] as const;

describe.each(targets.map((one, index) => ({ ...one, name: `t${index}`, how: `${JSON.stringify(one.options)} ${one.engine}` })))(
  'into $target $how',
  ({ target, options, engine, name }) => {
    /** Moves rows of (id, n) made by an SQL expression of their number i, in order; what the target then holds, and the counts. */
    async function moved(kind: string, { id = 'i', n = 'i' }, targetColumns: string) {
      const from = databases.postgres!;
      const to = databases[target]!;
      await from.execute(
        `CREATE TABLE ${name}_${kind} AS SELECT (${id})::int AS id, (${n})::text AS n FROM generate_series(1, ${rowCount}) i ORDER BY i`,
      );
      await to.execute(`CREATE TABLE ${name}_${kind}_target (${targetColumns}) ${engine}`);
      const result = await runTrip(
        tempFolder(),
        tableReader(from, `${name}_${kind}`),
        tableWriter(to, `${name}_${kind}_target`, options),
        rowCount,
      );
      const held = await to.query(`SELECT id, n FROM ${name}_${kind}_target ORDER BY id`);
      return {
        exitCode: result.exitCode,
        errors: /^error.*/m.exec(result.stderr)?.[0],
        rows: result.report?.rows,
        held: held.map((row) => row.map(Number)),
      };
    }

    const numbers = Array.from({ length: rowCount }, (_, index) => index + 1);
    const pairs = (ids: readonly number[]) => ids.map((id) => [id, id]);
    const counts = (dirty: number) => ({ read: rowCount, written: rowCount - dirty, dirty, filtered: 0 });

    test('of rows with one key the first is taken, and each other one is a dirty record', async () => {
      const result = await moved('keys', { id: 'CASE WHEN i % 20 = 0 THEN i - 1 ELSE i END' }, 'id int PRIMARY KEY, n int');
      expect(result).toEqual({ exitCode: 0, errors: undefined, rows: counts(10), held: pairs(numbers.filter((i) => i % 20 !== 0)) });
    });

    test('every second row can be refused, and all others are taken', async () => {
      const result = await moved('halves', { n: "CASE WHEN i % 2 = 0 THEN 'word' ELSE i::text END" }, 'id int PRIMARY KEY, n int');
      expect(result).toEqual({
        exitCode: 0,
        errors: undefined,
        rows: counts(rowCount / 2),
        held: pairs(numbers.filter((i) => i % 2 === 1)),
      });
    });

    test('a job without a single good row writes nothing', async () => {
      const result = await moved('none', { n: "'word'" }, 'id int PRIMARY KEY, n int');
      expect(result).toEqual({ exitCode: 0, errors: undefined, rows: counts(rowCount), held: [] });
    });

    if (engine === 'ENGINE=Aria') {
      test('a row that such a table takes with a warning ends the job', async () => {
        const result = await moved('warning', { n: "CASE WHEN i = 7 THEN '7 ' ELSE i::text END" }, 'id int PRIMARY KEY, n int');
        expect(result).toMatchObject({ exitCode: 4, errors: expect.stringContaining('SQL_FAILED') as string });
      });
    }

    if (target === 'mysql') {
      test('a counter of the server never replaces a NULL or a 0', async () => {
        const result = await moved(
          'counter',
          { id: 'CASE WHEN i % 100 = 0 THEN NULL ELSE i - 1 END' },
          'id int AUTO_INCREMENT PRIMARY KEY, n int',
        );
        expect(result).toEqual({
          exitCode: 0,
          errors: undefined,
          rows: counts(2),
          held: numbers.filter((i) => i % 100 !== 0).map((i) => [i - 1, i]),
        });
      });
    }
  },
);
