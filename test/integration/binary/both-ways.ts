import { expect } from 'vitest';
import type { DrayResult } from '../../support/run-dray.ts';
import { listenedDatabase } from '../../support/split-statements.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import type { Database } from '../types/databases.ts';
import { type ColumnPair, looksAtCells, runTrip, tableReader, tableWriter } from '../types/trips.ts';

const targets = ['as_binary', 'as_packed', 'as_text'] as const;

/** Makes `source` at the one database and `as_binary`, `as_packed` and `as_text` at the other, the last with a column that has no binary form; row by row the values of all columns side by side, NULL where a column has no more. */
export async function createBothWays(source: Database, target: Database, columns: readonly ColumnPair[]): Promise<void> {
  await source.execute(
    `CREATE TABLE source (id int PRIMARY KEY, ${columns.map(({ from }, index) => `c${index} ${from} NULL, `).join('')}more varchar(9) NULL)`,
  );
  for (const table of targets) {
    const more = `more ${table === 'as_text' ? 'text[]' : 'text'}`;
    await target.execute(
      `CREATE TABLE ${table} (id int PRIMARY KEY, ${columns.map(({ to }, index) => `c${index} ${to}, `).join('')}${more})`,
    );
  }
  const most = Math.max(...columns.map(({ values }) => values.length));
  for (let row = 0; row <= most; row++)
    await source.execute(
      `INSERT INTO source VALUES (${[row + 1, ...columns.map(({ values }) => values[row] ?? 'NULL'), 'NULL'].join(', ')})`,
    );
}

/** Moves `source` binary from the reader into `as_binary`, packed by the task into `as_packed`, and as text into `as_text`. Throws if it did not go like that. @param isPackable whether the task can pack all of it */
export async function moveBothWays(
  source: Database,
  target: Database,
  { errorLimit = 0, isPackable = true }: { readonly errorLimit?: number; readonly isPackable?: boolean } = {},
): Promise<Record<'binary' | 'packed' | 'text', DrayResult>> {
  const { database, statements, close } = await listenedDatabase(target);
  const move = async (table: (typeof targets)[number], transformer: readonly object[] = []) => {
    const result = await runTrip(tempFolder(), tableReader(source, 'source'), tableWriter(database, table), errorLimit, transformer);
    return { result, copies: statements.splice(0).filter((sql) => /COPY .* FROM STDIN/.test(sql)) };
  };
  try {
    const binary = await move('as_binary');
    // What has no binary form may be found before anything is sent.
    const begun = binary.result.report?.tasks[0]?.attempts[0]?.error?.code === 'NOT_STRAIGHT';
    const binaryCopy = expect.stringMatching(/^COPY .*as_(binary|packed).* \(FORMAT binary\)$/) as string;
    if (!begun) expect([binary.result.stderr, binary.copies[0]]).toEqual([expect.anything(), binaryCopy]);
    const packed = await move('as_packed', [looksAtCells]);
    // A batch with such a value goes as text at once.
    if (isPackable) expect([packed.result.stderr, packed.copies]).toEqual([expect.anything(), [binaryCopy]]);
    const text = await move('as_text', [looksAtCells]);
    expect([text.result.stderr, text.copies.length > 0]).toEqual([expect.anything(), true]);
    expect(text.copies.filter((sql) => sql.includes('binary'))).toEqual([]);
    return { binary: binary.result, packed: packed.result, text: text.result };
  } finally {
    close();
  }
}

/** Cells that are not the same in all three tables, as `row 3, double: "1" not "2"`; and the number of rows. */
export async function differences(target: Database, columns: readonly ColumnPair[]): Promise<{ rows: number; differing: string[] }> {
  const cells = columns.map(({ to }, index) => (to.startsWith('bytea') ? `encode(c${index}, 'hex')` : `c${index}::text`));
  const read = (table: string) => target.query(`SELECT ${['id', ...cells].join(', ')} FROM ${table} ORDER BY id`);
  const [binary, packed, text] = await Promise.all(targets.map(read));
  const differing = [binary!, packed!].flatMap((rows) => {
    expect(rows.map(([id]) => id)).toEqual(text!.map(([id]) => id));
    return rows.flatMap((row, number) =>
      columns.flatMap(({ from, to }, index) => {
        const [is, should] = [row[index + 1], text![number]![index + 1]];
        return is === should
          ? []
          : [`row ${row[0]}, ${from} to ${to}: ${JSON.stringify(is)?.slice(0, 80)} not ${JSON.stringify(should)?.slice(0, 80)}`];
      }),
    );
  });
  return { rows: binary!.length, differing };
}
