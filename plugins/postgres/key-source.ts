import type { KeyPoint, KeyPoints, KeySource, KeyValue, SplitKey } from 'dray/sdk';
import { comparison, type KeyDialect } from '../_sql/key-range.ts';
import type { Table } from './catalog.ts';
import { type Client, quoteName } from './connection.ts';
import { serverFault } from './faults.ts';
import type { SnapshotRef } from './snapshot.ts';
import { namedTable, ofNamed } from './statistics.ts';

/** What a range of a key carries to the task that reads it. */
export interface KeyState {
  /** Type names, one per column. */
  readonly casts: readonly string[];
  /** Set where ranges are exact only within one snapshot: that of the job if there is one, else this. */
  readonly snapshot?: SnapshotRef;
}

/** A histogram of so many buckets per piece cuts evenly; with fewer a sample does better. */
const bucketsPerPiece = 2.5;
/** Blocks that are read for a piece, where a sample says where to cut, and the bounds of their number. */
const sampledBlocksPerPoint = 8;
const sampledBlocks = { min: 300, max: 5000 };
/** Statistics are out of date when the table has grown, or rows have changed, by more than this. */
const staleGrowth = 1.2;
const staleChanges = 0.2;

export interface KeyPlace {
  readonly client: Client;
  readonly key: SplitKey;
  /** What stands behind FROM. */
  readonly from: string;
  /** undefined: a query. */
  readonly table: Table | undefined;
  readonly estimatedRows: number;
  /** The user's condition, in brackets. */
  readonly where: string | undefined;
  /** For messages. */
  readonly name: string;
  /** A snapshot that lives until the end of the run. */
  readonly snapshot: () => Promise<SnapshotRef>;
}

export function stateOf({ state }: Pick<SplitKey, 'state'>): KeyState {
  return state as unknown as KeyState;
}

/** Literals have the base type of their column, so that the collation of the column decides. */
export function keyDialect({ casts }: KeyState): KeyDialect {
  return { column: quoteName, literal: (value, index) => `'${value.replaceAll("'", "''")}'::${casts[index]}`, comparesRows: true };
}

/** What PostgreSQL tells of a key: the histogram of its statistics, a sample of its blocks, or the blocks themselves. */
export function openKeySource(place: KeyPlace): KeySource {
  const { client, key, table, where, name } = place;
  const columns = key.columns.map(quoteName);
  const complain = (error: unknown): never => {
    throw serverFault(error, `look where to cut ${name} by ${key.columns.join(', ')}`);
  };
  const present = `${columns[0]} IS NOT NULL`;
  const filter = where === undefined ? '' : ` AND ${where}`;
  const scan = (count: number) => numbered(place, place.from, `${present}${filter}`, count, 'scan').catch(complain);
  if (key.kind === 'blocks') return { points: (count) => blockPoints(place, count) };
  const findBounds = async () => {
    const texts = columns.map((column) => `${column}::text`).join(', ');
    const seek = (direction: string) => {
      // Qualified: a bare name would be that of the text in the result, and sort as such.
      const order = columns.map((column) => `source.${column} ${direction}`).join(', ');
      // NOT NULL, because a descending index scan would begin with the NULLs.
      return `SELECT ${texts} FROM ${place.from} AS source WHERE ${columns[0]} IS NOT NULL ORDER BY ${order} LIMIT 1`;
    };
    const [min, max] = [await rowsOf(client, seek('ASC')).catch(complain), await rowsOf(client, seek('DESC')).catch(complain)];
    return min[0] === undefined || max[0] === undefined ? undefined : { min: min[0] as string[], max: max[0] as string[] };
  };
  let found: ReturnType<typeof findBounds> | undefined;
  // Once for all: a point behind the largest value would put rows that come later into two ranges. Statistics remember such points.
  const bounds = () => (found ??= findBounds());
  return {
    async points(count) {
      if (table === undefined || !'rpm'.includes(table.kind)) return undefined;
      const max = key.isIndexed ? (await bounds())?.max : undefined;
      if (key.isIndexed && max === undefined) return undefined;
      const outdated = isOutdated(table);
      const notes = outdated ? [`the statistics of ${name} are ${outdated}; ANALYZE ${table.sql} brings them up to date`] : [];
      if (!outdated && !hasChanged(table) && where === undefined && columns.length === 1) {
        const known = await histogram(place, count, max).catch(complain);
        if (known !== undefined) return known;
      }
      const blocks = Math.max(sampledBlocks.min, Math.min(sampledBlocks.max, count * sampledBlocksPerPoint));
      const percent = Math.min(100, (100 * blocks) / Math.max(1, table.blocks));
      const sample = `${table.sql} TABLESAMPLE SYSTEM (${percent}) REPEATABLE (0)`;
      const upToMax = max === undefined ? present : comparison(key.columns, '<=', max, keyDialect(stateOf(key)));
      // Rows without a key count, so that the others are not taken for all.
      const looked = key.isNullable ? `(${upToMax} OR ${columns[0]} IS NULL)` : upToMax;
      const sampled = await numbered(place, sample, `${looked}${filter}`, count, 'sample').catch(complain);
      return sampled === undefined ? undefined : { ...sampled, notes };
    },

    ...(key.isIndexed ? { bounds } : {}),
    scan,
  };
}

async function rowsOf(client: Client, text: string): Promise<(string | null)[][]> {
  const { rows } = await client.query<(string | null)[]>({ text, rowMode: 'array' });
  return rows;
}

/** In words, why the statistics cannot be relied on. */
function isOutdated({ estimatedRows, blocks, statedBlocks }: Table): string | undefined {
  if (estimatedRows < 0 || statedBlocks === 0) return 'missing';
  // A table that was empty then, and whose blocks are in use again.
  if (blocks > statedBlocks * staleGrowth + 10 || estimatedRows === 0) return 'out of date';
  return undefined;
}

/** Rows may have come and gone without the table having grown. The server also counts those that were loaded just before it analyzed. */
function hasChanged({ estimatedRows, changedRows }: Table): boolean {
  return changedRows > estimatedRows * staleChanges + 1000;
}

/** Blocks are all the same size; how many rows are in each may differ. Under a snapshot, in which each row has one place. */
async function blockPoints({ table, key, estimatedRows, snapshot, name }: KeyPlace, count: number): Promise<KeyPoints | undefined> {
  const { id, files } = await snapshot();
  const state: KeyState = { ...stateOf(key), snapshot: { id, files } };
  const blocks = table!.blocks;
  const total = Math.min(count, blocks);
  if (total < 2) return undefined;
  const points = Array.from({ length: total }, (_, index): KeyPoint => {
    const [block, next] = [Math.floor((index * blocks) / total), Math.floor(((index + 1) * blocks) / total)];
    return { value: [`(${block},0)`], rows: (estimatedRows * (next - block)) / blocks };
  });
  const missing =
    isOutdated(table!) === 'missing' ? [`${name} has never been analyzed; ANALYZE ${table!.sql} lets it be cut by a key`] : [];
  return { method: 'blocks', points, state: { ...state }, notes: missing };
}

/**
 * histogram_bounds cut what is not among the most common values into parts of equal size. A row of the table (of which there is none here)
 * gives the values the type and the collation of the column, in which the server then sorts them.
 */
async function histogram(
  { client, key, table, estimatedRows }: KeyPlace,
  count: number,
  max: KeyValue | undefined,
): Promise<KeyPoints | undefined> {
  const [column, cast] = [quoteName(key.columns[0]!), stateOf(key).casts[0]];
  const rows = await rowsOf(
    client,
    `WITH ${namedTable(String(table!.oid))}, s AS (
       SELECT null_frac, histogram_bounds::text::text[] AS bounds, most_common_vals::text::text[] AS common, most_common_freqs AS freqs
       FROM pg_stats WHERE ${ofNamed} AND attname = '${key.columns[0]!.replaceAll("'", "''")}'
     ), points AS (
       SELECT ${column} AS v, 0::float8 AS share, 0::int8 AS buckets FROM ${table!.sql} WHERE false
       UNION ALL SELECT u.v::${cast}, u.f, 0 FROM s, unnest(common, freqs) AS u(v, f)
       UNION ALL SELECT u.v::${cast}, CASE WHEN n = cardinality(bounds) THEN 0 ELSE
           (1 - null_frac - coalesce((SELECT sum(f) FROM unnest(freqs) f), 0)) / (cardinality(bounds) - 1) END, 1
         FROM s, unnest(bounds) WITH ORDINALITY AS u(v, n)
     ) SELECT v::text, share::text, buckets::text FROM points
     ${max === undefined ? '' : `WHERE ${comparison(['v'], '<=', max, keyDialect(stateOf(key)))}`} ORDER BY points.v`,
  );
  const buckets = rows.filter(([, , isBucket]) => isBucket === '1').length;
  if (rows.length < 2 || rows.length * 4 < count * bucketsPerPiece || (buckets > 0 && buckets < 3)) return undefined;
  return {
    method: 'histogram',
    points: rows.map(([value, share]) => ({ value: [value!], rows: Math.max(0, Number(share)) * estimatedRows })),
  };
}

/** Every so many-th row in the order of the key. */
async function numbered(
  { client, key, estimatedRows }: KeyPlace,
  from: string,
  condition: string,
  count: number,
  method: 'sample' | 'scan',
): Promise<KeyPoints | undefined> {
  const columns = key.columns.map(quoteName);
  const order = `OVER (ORDER BY ${columns.join(', ')})`;
  // By rank, so that rows of one value count for a single point: nothing can be cut between them.
  const rows = await rowsOf(
    client,
    `SELECT ${columns.map((column) => `${column}::text`).join(', ')}, (dray_rank - 1)::text, dray_rows::text, dray_all::text FROM (
       SELECT ${columns.join(', ')}, row_number() ${order} - 1 AS dray_row, rank() ${order} AS dray_rank,
         count(${columns[0]}) OVER () AS dray_rows, count(*) OVER () AS dray_all
       FROM ${from} WHERE ${condition}
     ) AS numbered WHERE ${columns[0]} IS NOT NULL AND dray_row % greatest(1, dray_rows / ${count}) = 0 ORDER BY dray_row`,
  );
  const [first] = rows;
  if (first === undefined) return undefined;
  const width = columns.length;
  const [total, all] = [Number(first[width + 1]), Number(first[width + 2])];
  const scale = method === 'sample' ? estimatedRows / all : 1;
  const starts = rows.filter((row, index) => row[width] !== rows[index - 1]?.[width]);
  const points = starts.map((row, index) => {
    const next = starts[index + 1];
    const end = next === undefined ? total : Number(next[width]);
    return { value: row.slice(0, width) as string[], rows: (end - Number(row[width])) * scale };
  });
  return { method, points };
}
