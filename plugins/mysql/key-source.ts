import type { KeyKind, KeyPoints, KeySource, KeyValue, SplitKey } from 'dray/sdk';
import { comparison, rangeCondition } from '../_sql/key-range.ts';
import { quoteName, type Session } from './connection.ts';
import { serverFault } from './faults.ts';
import { keyDialect, keySelection, stateOf } from './key-columns.ts';
import { type Alphabet, middleOf } from './key-probe.ts';

/** What is needed to think of a value between two others. Character set and collation: of texts. */
export interface KeyColumnType {
  readonly kind: KeyKind;
  readonly charset: string | undefined;
  readonly collation: string | undefined;
}

export interface KeyPlace {
  readonly session: Session;
  /** What stands behind FROM. */
  readonly from: string;
  /** The user's condition, in brackets. */
  readonly where: string | undefined;
  readonly key: SplitKey;
  /** Of the key's columns. */
  readonly columns: readonly KeyColumnType[];
  /** For messages. */
  readonly name: string;
  /** False before MySQL 8.0 and MariaDB 10.2. */
  readonly hasWindowFunctions: boolean;
}

/** Branches of one statement. */
const maxBranches = 128;

/** What MySQL tells of a key: index dives of its optimizer, and single rows found by the index. */
export function openKeySource(place: KeyPlace): KeySource {
  const { key, session, hasWindowFunctions } = place;
  const state = stateOf(key);
  const dialect = keyDialect(state);
  const selection = keySelection(key.columns, state);
  const order = (direction: 'ASC' | 'DESC') => key.columns.map((name) => `${quoteName(name)} ${direction}`).join(', ');
  const filter = place.where === undefined ? '' : ` AND ${place.where}`;
  const complain = (error: unknown): never => {
    throw serverFault(error, `look where to cut ${place.name} by ${key.columns.join(', ')}`);
  };
  const ask = (sql: string) => session.query(sql).catch(complain);
  const scan = async (count: number): Promise<KeyPoints | undefined> => {
    const over = `OVER (ORDER BY ${order('ASC')}) - 1`;
    // By rank, so that rows of one value count for a single point: nothing can be cut between them.
    const numbered = `SELECT ${key.columns.map(quoteName).join(', ')}, ROW_NUMBER() ${over} AS dray_row, RANK() ${over} AS dray_rank,
      COUNT(*) OVER () AS dray_rows FROM ${place.from} WHERE ${quoteName(key.columns[0]!)} IS NOT NULL${filter}`;
    const rows = await ask(
      `SELECT ${selection}, dray_rank, dray_rows FROM (${numbered}) AS numbered
       WHERE dray_row MOD GREATEST(1, dray_rows DIV ${count}) = 0 ORDER BY dray_row`,
    );
    return pointsOf(rows, key.columns.length);
  };
  const { index } = state;
  if (index === undefined) return hasWindowFunctions ? { scan } : {};

  const indexed = `${place.from} FORCE INDEX (${quoteName(index)})`;
  /** One row by the index; the number of the branch goes before its values. */
  const seek = (branch: number, condition: string, direction: 'ASC' | 'DESC', offset = 0) =>
    `(SELECT ${branch}, ${selection} FROM ${indexed} WHERE ${condition} ORDER BY ${order(direction)} LIMIT 1 OFFSET ${offset})`;
  const compare = (operator: '<' | '<=' | '>' | '>=', value: KeyValue) => comparison(key.columns, operator, value, dialect);
  const alphabets = place.columns.map(({ collation, charset }) => new LearnedAlphabet(ask, charset, collation));

  const findBounds = async () => {
    const present = `${quoteName(key.columns[0]!)} IS NOT NULL`;
    const found = valuesByBranch(await ask(`${seek(0, present, 'ASC')} UNION ALL ${seek(1, present, 'DESC')}`));
    const [min, max] = [found.get(0), found.get(1)];
    return min === undefined || max === undefined ? undefined : { min, max };
  };
  let asked: ReturnType<typeof findBounds> | undefined;
  // Once for all: a point behind the largest value would put rows that come later into two ranges.
  const bounds = () => (asked ??= findBounds());

  return {
    bounds,

    async estimate(ranges) {
      const estimates: number[] = [];
      for (let at = 0; at < ranges.length; at += maxBranches) {
        const branches = ranges.slice(at, at + maxBranches).map((range) => {
          return `SELECT 1 FROM ${indexed} WHERE ${rangeCondition(range, dialect) ?? 'TRUE'}${filter}`;
        });
        // A branch that cannot have a row has no number of rows; the last row, of a UNION, has none either.
        const plan = await session.records(`EXPLAIN ${branches.join(' UNION ALL ')}`).catch(complain);
        estimates.push(...branches.map((_, branch) => Number(plan[branch]?.rows ?? 0)));
      }
      return estimates;
    },

    async between(gaps) {
      await Promise.all(
        alphabets.map((alphabet, column) => alphabet.learn(gaps.flatMap(({ low, high }) => [low[column]!, high[column]!]))),
      );
      const branches = gaps.flatMap(({ low, high }, gap) => {
        const probe = probeOf(place, low, high, alphabets);
        const inside = `${compare('>', low)} AND ${compare('<', high)}`;
        // Whatever lies between lies on one side of the probe: if both find nothing, there is nothing.
        return [
          seek(2 * gap, `${compare('>=', probe)} AND ${inside}`, 'ASC'),
          seek(2 * gap + 1, `${compare('<', probe)} AND ${inside}`, 'DESC'),
        ];
      });
      const found = new Map<number, KeyValue>();
      for (let at = 0; at < branches.length; at += maxBranches) {
        const rows = await ask(branches.slice(at, at + maxBranches).join(' UNION ALL '));
        for (const [branch, value] of valuesByBranch(rows)) found.set(branch, value);
      }
      return gaps.map((_, gap) => found.get(2 * gap) ?? found.get(2 * gap + 1));
    },

    async step(from, rows) {
      const last = await bounds();
      if (last === undefined) return undefined;
      const after = from === null ? `${quoteName(key.columns[0]!)} IS NOT NULL` : compare('>', from);
      return valuesByBranch(await ask(seek(0, `${after} AND ${compare('<=', last.max)}`, 'ASC', rows - 1))).get(0);
    },

    ...(hasWindowFunctions ? { scan } : {}),
  };
}

/** Where to look between two values: in the first column in which they differ, near the middle, else at the upper one. */
function probeOf({ columns }: KeyPlace, low: KeyValue, high: KeyValue, alphabets: readonly LearnedAlphabet[]): KeyValue {
  const at = low.findIndex((value, column) => value !== high[column]);
  if (at === -1) return high;
  const middle = middleOf(columns[at]!.kind, low[at]!, high[at]!, alphabets[at]!);
  return [...low.slice(0, at), middle ?? high[at]!];
}

function valuesByBranch(rows: readonly (readonly string[])[]): Map<number, KeyValue> {
  return new Map(rows.map(([branch, ...value]) => [Number(branch), value]));
}

function pointsOf(rows: readonly (readonly string[])[], width: number): KeyPoints | undefined {
  const [first] = rows;
  if (first === undefined) return undefined;
  const total = Number(first[width + 1]);
  const starts = rows.filter((row, index) => row[width] !== rows[index - 1]?.[width]);
  const points = starts.map((row, index) => {
    const next = starts[index + 1];
    return { value: row.slice(0, width), rows: (next === undefined ? total : Number(next[width])) - Number(row[width]) };
  });
  return { method: 'scan', points };
}

/** The characters seen so far in the values of a column, in the order that the server gives them. */
class LearnedAlphabet implements Alphabet {
  rankOf: Map<string, number> = new Map();
  characters: string[] = [''];
  readonly #ask: (sql: string) => Promise<string[][]>;
  readonly #weightSql: string | undefined;
  readonly #weights = new Map<string, string>();

  constructor(ask: (sql: string) => Promise<string[][]>, charset: string | undefined, collation: string | undefined) {
    this.#ask = ask;
    this.#weightSql = charset === undefined || collation === undefined ? undefined : `CONVERT(c USING ${charset}) COLLATE ${collation}`;
  }

  /** Asks the server for the weights of characters that are new. */
  async learn(values: readonly string[]): Promise<void> {
    if (this.#weightSql === undefined) return;
    const unknown = [...new Set(values.flatMap((value) => [...value]))].filter((character) => !this.#weights.has(character));
    if (unknown.length === 0) return;
    const list = unknown.map((character, index) => `SELECT ${index} AS n, _utf8mb4 X'${Buffer.from(character).toString('hex')}' AS c`);
    const rows = await this.#ask(`SELECT n, HEX(WEIGHT_STRING(${this.#weightSql})) FROM (${list.join(' UNION ALL ')}) AS characters`);
    for (const [index, weight] of rows) this.#weights.set(unknown[Number(index)]!, weight!);
    const ordered = [...new Set(this.#weights.values())].sort();
    const rankOfWeight = new Map(ordered.map((weight, index) => [weight, index + 1]));
    this.rankOf = new Map([...this.#weights].map(([character, weight]) => [character, rankOfWeight.get(weight)!]));
    this.characters = [''];
    for (const [character, rank] of this.rankOf) this.characters[rank] ??= character;
  }
}
