import { expect } from 'vitest';
import type { DrayResult } from '../../support/run-dray.ts';
import { listenedDatabase } from '../../support/split-statements.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import type { Database } from '../types/databases.ts';
import { runTrip, tableReader, tableWriter } from '../types/trips.ts';

/** A column of the source, of the target, and SQL expressions of values at the source. */
export interface BothWays {
  readonly from: string;
  readonly to: string;
  readonly values: readonly string[];
}

/** Keeps every row; but it looks at a cell, so that rows have to be text. */
const looksAtCells = { name: 'dx_filter', parameter: { columnIndex: 0, paras: ['like', 'never'] } };

/** Makes `source` at the one database and `as_binary` and `as_text` at the other; row by row the values of all columns side by side, NULL where a column has no more. */
export async function createBothWays(source: Database, target: Database, columns: readonly BothWays[]): Promise<void> {
  await source.execute(
    `CREATE TABLE source (id int PRIMARY KEY, ${columns.map(({ from }, index) => `c${index} ${from} NULL`).join(', ')})`,
  );
  for (const table of ['as_binary', 'as_text'])
    await target.execute(`CREATE TABLE ${table} (id int PRIMARY KEY, ${columns.map(({ to }, index) => `c${index} ${to}`).join(', ')})`);
  const most = Math.max(...columns.map(({ values }) => values.length));
  for (let row = 0; row <= most; row++)
    await source.execute(`INSERT INTO source VALUES (${[row + 1, ...columns.map(({ values }) => values[row] ?? 'NULL')].join(', ')})`);
}

/** Moves `source` binary into `as_binary`, and as text into `as_text`. Throws if it did not go like that. */
export async function moveBothWays(source: Database, target: Database, errorLimit = 0): Promise<Record<'binary' | 'text', DrayResult>> {
  const { database, statements, close } = await listenedDatabase(target);
  const copies = () => statements.splice(0).filter((sql) => /COPY .* FROM STDIN/.test(sql));
  try {
    const binary = await runTrip(tempFolder(), tableReader(source, 'source'), tableWriter(database, 'as_binary'), errorLimit);
    // What has no binary form may be found before anything is sent.
    const begun = binary.report?.tasks[0]?.attempts[0]?.error?.code === 'NOT_STRAIGHT';
    const sent = copies()[0];
    if (!begun) expect([binary.stderr, sent]).toEqual([expect.anything(), expect.stringMatching(/^COPY .*as_binary.* \(FORMAT binary\)$/)]);
    const text = await runTrip(tempFolder(), tableReader(source, 'source'), tableWriter(database, 'as_text'), errorLimit, [looksAtCells]);
    const sentAsText = copies();
    expect([text.stderr, sentAsText.length > 0]).toEqual([expect.anything(), true]);
    expect(sentAsText.filter((sql) => sql.includes('binary'))).toEqual([]);
    return { binary, text };
  } finally {
    close();
  }
}

/** Cells of the two tables that are not the same, as `row 3, double: "1" not "2"`; and the number of rows. */
export async function differences(target: Database, columns: readonly BothWays[]): Promise<{ rows: number; differing: string[] }> {
  const cells = columns.map(({ to }, index) => (to.startsWith('bytea') ? `encode(c${index}, 'hex')` : `c${index}::text`));
  const read = (table: string) => target.query(`SELECT ${['id', ...cells].join(', ')} FROM ${table} ORDER BY id`);
  const [binary, text] = await Promise.all([read('as_binary'), read('as_text')]);
  expect(binary.map(([id]) => id)).toEqual(text.map(([id]) => id));
  const differing = binary.flatMap((row, number) =>
    columns.flatMap(({ from, to }, index) => {
      const [is, should] = [row[index + 1], text[number]![index + 1]];
      return is === should
        ? []
        : [`row ${row[0]}, ${from} to ${to}: ${JSON.stringify(is)?.slice(0, 80)} not ${JSON.stringify(should)?.slice(0, 80)}`];
    }),
  );
  return { rows: binary.length, differing };
}
