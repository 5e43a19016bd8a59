import type { TestDatabase } from '../support/sql.ts';
import { Random } from './random.ts';
import type { Scenario } from './scenario.ts';

/** A row as it is compared: `hash` is over all its cells. */
export interface Row {
  readonly id: number;
  /** 0: it was in the target before; 1: it comes from the source. */
  readonly batch: number;
  readonly hash: string;
}

export const target = 'orders';
export const sourceTables = ({ tables }: Scenario) => Array.from({ length: tables }, (_, index) => `orders_${index}`);

/** The longest word that the target takes. */
const wordLength = 60;
/** Refused by a constraint of the target. */
const refusedAmount = -13.5;

type Made = Pick<TestDatabase, 'kind' | 'sql'>;

function definition({ kind }: Made, { length, constraint }: { length: number; constraint: string }): string {
  const stamp = kind === 'postgres' ? 'timestamp(6)' : 'datetime(6)';
  const end = kind === 'postgres' ? '' : ' CHARACTER SET utf8mb4';
  const columns = [
    ...['id bigint NOT NULL', 'batch int NOT NULL', `word varchar(${length})`, 'amount decimal(20,4) NOT NULL'],
    ...[`stamp ${stamp} NOT NULL`, 'note varchar(200)', 'pad varchar(1000) NOT NULL'],
  ];
  return `(${columns.join(', ')}${constraint})${end}`;
}

/** Rows of consecutive ids (or, with `step`, of every so manieth), with NULLs, empty texts, all that has to be escaped, and four-byte characters. */
function rowsOf(
  { kind }: Made,
  { from, to, step, batch, width }: { from: number; to: number; step: number; batch: number; width: number },
): string {
  const id = `${step} * ${kind === 'postgres' ? 'g' : 'CAST(seq AS SIGNED)'}`;
  const tab = String.raw`tab	backslash \ quote '' " comma , dot \. null \N`;
  const note = kind === 'postgres' ? tab : tab.replaceAll('\\', '\\\\');
  const word = kind === 'postgres' ? `'Wörd ' || (${id}) || ' ☃ 😀'` : `CONCAT('Wörd ', ${id}, ' ☃ 😀')`;
  const amount = kind === 'postgres' ? `round(((${id}) % 100000) / 7.0, 4)` : `ROUND(MOD(${id}, 100000) / 7.0, 4)`;
  const stamp =
    kind === 'postgres'
      ? `timestamp '2026-01-01' + (${id}) * interval '1000001 microseconds'`
      : `TIMESTAMPADD(MICROSECOND, 1000001 * (${id}), '2026-01-01')`;
  const cells = [
    ...[id, String(batch), `CASE WHEN MOD(${id}, 7) = 0 THEN NULL ELSE ${word} END`, amount, stamp],
    `CASE WHEN MOD(${id}, 5) = 0 THEN NULL WHEN MOD(${id}, 5) = 1 THEN '' WHEN MOD(${id}, 5) = 2 THEN '${note}' ELSE 'x' END`,
    kind === 'postgres' ? `repeat(md5((${id})::text), ${width / 32})` : `REPEAT(MD5(${id}), ${width / 32})`,
  ];
  const numbers = kind === 'postgres' ? `generate_series(${from}, ${to}) AS g` : `seq_${from}_to_${to}`;
  return `SELECT ${cells.join(', ')} FROM ${numbers}`;
}

/** Makes and fills the tables of the source. */
export async function fillSource(database: Made, scenario: Scenario): Promise<void> {
  const { rows, tables, width, isAnalyzed } = scenario;
  for (const [index, table] of sourceTables(scenario).entries()) {
    const [from, to] = [Math.floor((index * rows) / tables) + 1, Math.floor(((index + 1) * rows) / tables)];
    const dirty = dirtyIds(scenario).filter((id) => id >= from && id <= to);
    const [long, refused] = [dirty.filter((id) => id % 2 === 0), dirty.filter((id) => id % 2 === 1)];
    await database.sql(
      `CREATE TABLE ${table} ${definition(database, { length: 300, constraint: ', PRIMARY KEY (id)' })}`,
      `INSERT INTO ${table} ${rowsOf(database, { from, to, step: 1, batch: 1, width })}`,
      ...(long.length === 0 ? [] : [`UPDATE ${table} SET word = '${'w'.repeat(2 * wordLength)}' WHERE id IN (${long.join(', ')})`]),
      ...(refused.length === 0 ? [] : [`UPDATE ${table} SET amount = ${refusedAmount} WHERE id IN (${refused.join(', ')})`]),
      ...(isAnalyzed ? [database.kind === 'postgres' ? `ANALYZE ${table}` : `ANALYZE TABLE ${table}`] : []),
    );
  }
}

/** Makes the table of the target, with the rows that were there before the run. */
export async function fillTarget(database: Made, { oldRows, hasTargetKey, writeMode, width }: Scenario): Promise<void> {
  const key = hasTargetKey ? ', PRIMARY KEY (id)' : '';
  const constraint = `${key}, CONSTRAINT no_${target} CHECK (amount <> ${refusedAmount})`;
  await database.sql(`CREATE TABLE ${target} ${definition(database, { length: wordLength, constraint })}`);
  if (oldRows === 0) return;
  const old = { from: 1, to: oldRows, batch: 0, width };
  await database.sql(`INSERT INTO ${target} ${rowsOf(database, { ...old, step: -1 })}`);
  // Some that the run updates.
  if (writeMode === 'update') await database.sql(`INSERT INTO ${target} ${rowsOf(database, { ...old, step: 3 })}`);
}

/** A table for what was written to files. */
export async function makeCheckTable(database: Made): Promise<void> {
  await database.sql(`CREATE TABLE ${target} ${definition(database, { length: wordLength, constraint: '' })}`);
}

export function dirtyIds({ seed, rows, dirtyRows }: Scenario): number[] {
  const random = new Random(~seed);
  return [...new Set(Array.from({ length: dirtyRows }, () => random.between(1, rows)))];
}

const markers = 8;

/** Ids of rows, spread over all tables, that are updated while the job runs, always all in one transaction. */
export function markerIds(scenario: Scenario): number[] {
  if (!scenario.isMutated) return [];
  const dirty = new Set(dirtyIds(scenario));
  const ids = Array.from({ length: markers }, (_, index) => 1 + Math.floor((index * scenario.rows) / markers));
  return ids.filter((id) => !dirty.has(id));
}

/** The table of the source that has the row. */
export function tableOf({ rows, tables }: Scenario, id: number): string {
  return `orders_${Math.ceil((id * tables) / rows) - 1}`;
}

/** @param changing ids of rows whose amount is not compared */
export async function rowsIn({ kind, sql }: Made, tables: readonly string[], changing: readonly number[]): Promise<Row[]> {
  const stamp = kind === 'postgres' ? `to_char(stamp, 'YYYY-MM-DD HH24:MI:SS.US')` : `DATE_FORMAT(stamp, '%Y-%m-%d %H:%i:%s.%f')`;
  const amountText = kind === 'postgres' ? 'amount::text' : 'CAST(amount AS CHAR)';
  const amount = changing.length === 0 ? amountText : `CASE WHEN id IN (${changing.join(', ')}) THEN 'any' ELSE ${amountText} END`;
  const cells = `id, batch, COALESCE(word, '<null>'), ${amount}, ${stamp}, COALESCE(note, '<null>'), pad`;
  const rows: Row[] = [];
  for (const table of tables) {
    for (const [id, batch, hash] of await sql(`SELECT id, batch, MD5(CONCAT_WS('|', ${cells})) FROM ${table}`))
      rows.push({ id: Number(id), batch: Number(batch), hash: hash! });
  }
  return rows;
}

/** What must be in the target in the end. */
export function expectedRows({ publish, writeMode }: Scenario, old: readonly Row[], fresh: readonly Row[]): Row[] {
  if (writeMode === 'update') return [...new Map([...old, ...fresh].map((row) => [row.id, row])).values()];
  return publish === 'atomic' ? [...fresh] : [...old, ...fresh];
}

/** Rows that one of two multisets has more often than the other. */
export interface Difference {
  readonly missing: number;
  readonly surplus: number;
  /** Ids of the first of each. */
  readonly missingIds: readonly number[];
  readonly surplusIds: readonly number[];
}

export function compare(expected: readonly Row[], found: readonly Row[]): Difference {
  const counts = new Map<string, { id: number; count: number }>();
  const add = (rows: readonly Row[], by: number) => {
    for (const { id, hash } of rows) {
      const key = `${id} ${hash}`;
      const entry = counts.get(key) ?? { id, count: 0 };
      entry.count += by;
      counts.set(key, entry);
    }
  };
  add(expected, 1);
  add(found, -1);
  const missing = [...counts.values()].filter(({ count }) => count > 0);
  const surplus = [...counts.values()].filter(({ count }) => count < 0);
  const ids = (entries: typeof missing) => entries.slice(0, 5).map(({ id }) => id);
  return {
    missing: missing.reduce((sum, { count }) => sum + count, 0),
    surplus: surplus.reduce((sum, { count }) => sum - count, 0),
    missingIds: ids(missing),
    surplusIds: ids(surplus),
  };
}
