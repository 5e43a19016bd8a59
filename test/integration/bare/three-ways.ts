import { expect } from 'vitest';
import type { DrayResult } from '../../support/run-dray.ts';
import { listenedDatabase } from '../../support/split-statements.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import type { Database } from '../types/databases.ts';
import { type ColumnPair, looksAtCells, runTrip, tableReader, tableWriter } from '../types/trips.ts';

export const targets = ['by_reader', 'by_task', 'as_text'] as const;
export type Way = (typeof targets)[number];

/** One row for each value of the longest column, and one of NULLs; the first two columns are `id` and `raw`, which is bytes on both sides. */
export async function createThreeWays(
  source: Database,
  target: Database,
  raw: readonly Buffer[],
  columns: readonly ColumnPair[],
): Promise<void> {
  const bytes = source.kind === 'mysql' ? 'longblob' : 'bytea';
  const literal = (value: Buffer) => (source.kind === 'mysql' ? `x'${value.toString('hex')}'` : `'\\x${value.toString('hex')}'`);
  const sources = columns.map(({ from }, index) => `, c${index} ${from} NULL`);
  await source.execute(`CREATE TABLE source (id int PRIMARY KEY, raw ${bytes} NULL${sources.join('')})`);
  for (const table of targets) {
    const own = columns.map(({ to }, index) => `, c${index} ${to} NULL`);
    await target.execute(
      `CREATE TABLE ${table} (id int PRIMARY KEY, raw longblob NULL${own.join('')}, more datetime NULL) DEFAULT CHARSET utf8mb4`,
    );
  }
  const most = Math.max(raw.length, ...columns.map(({ values }) => values.length));
  const rows = Array.from({ length: most + 1 }, (_, row) => {
    const one = raw[row];
    return `(${[row + 1, one === undefined ? 'NULL' : literal(one), ...columns.map(({ values }) => values[row] ?? 'NULL')].join(', ')})`;
  });
  for (let from = 0; from < rows.length; from += 500)
    await source.execute(`INSERT INTO source VALUES ${rows.slice(from, from + 500).join(', ')}`);
}

/** How the last column, which is always NULL, comes: a whole number has no bare form in a column of times, so that all rows go as text. */
const moreOf = {
  postgres: { datetime: 'NULL::timestamp', number: 'NULL::int' },
  mysql: { datetime: 'CAST(NULL AS datetime)', number: 'CAST(NULL AS signed)' },
};

/** The LOAD DATAs that a way takes, as `bare` or `text`, one after the other. */
export type Loads = Readonly<Record<Way, readonly ('bare' | 'text')[]>>;

/** Moves `source` into the three tables at MySQL: bare from the reader, if it can, made bare by the task, and as text. */
export async function moveThreeWays(
  source: Database,
  target: Database,
  { width, errorLimit = 0 }: { readonly width: number; readonly errorLimit?: number },
): Promise<{ results: Record<Way, DrayResult>; loads: Loads }> {
  const { database, statements, close } = await listenedDatabase(target);
  const names = ['id', 'raw', ...Array.from({ length: width }, (_, index) => `c${index}`)];
  const move = async (table: Way) => {
    const column = [...names, moreOf[source.kind][table === 'as_text' ? 'number' : 'datetime']];
    const transformer = table === 'by_task' ? [looksAtCells] : [];
    const result = await runTrip(
      tempFolder(),
      tableReader(source, 'source', { column }),
      tableWriter(database, table),
      errorLimit,
      transformer,
    );
    const loads = statements.splice(0).flatMap((sql) => /LOAD DATA[^(]*\(`id`, (`raw`|@c1),/.exec(sql)?.slice(1, 2) ?? []);
    return { result, loads: loads.map((raw): 'bare' | 'text' => (raw === '@c1' ? 'text' : 'bare')) };
  };
  try {
    const [reader, task, text] = [await move('by_reader'), await move('by_task'), await move('as_text')];
    expect(new Set(text.loads)).toEqual(new Set(['text']));
    return {
      results: { by_reader: reader.result, by_task: task.result, as_text: text.result },
      loads: { by_reader: reader.loads, by_task: task.loads, as_text: text.loads },
    };
  } finally {
    close();
  }
}

/** Cells that are not the same in all three tables, as `by_task, row 3, double to float: "31" not "32"`; and the number of rows. */
export async function differences(target: Database, columns: readonly ColumnPair[]): Promise<{ rows: number; differing: string[] }> {
  const texts = columns.map(({ to }, index) =>
    /^(?:float|double)/.test(to) ? `CAST(c${index} + 0e0 AS CHAR)` : `HEX(CONCAT(c${index}, ''))`,
  );
  const read = (table: Way) => target.query(`SELECT ${['id', 'HEX(raw)', ...texts].join(', ')} FROM ${table} ORDER BY id`);
  const text = await read('as_text');
  const named = ['id', 'raw', ...columns.map(({ from, to }) => `${from} to ${to}`)];
  const differing: string[] = [];
  for (const way of ['by_reader', 'by_task'] as const) {
    const rows = await read(way);
    expect([way, rows.map(([id]) => id)]).toEqual([way, text.map(([id]) => id)]);
    for (const [number, row] of rows.entries()) {
      for (const [index, is] of row.entries()) {
        const should = text[number]![index];
        if (is !== should) differing.push(`${way}, row ${row[0]}, ${named[index]}: ${is?.slice(0, 80)} not ${should?.slice(0, 80)}`);
      }
    }
  }
  return { rows: text.length, differing };
}
