/** How a server writes the few things that the keys need; `x` and the rest are SQL. */
export interface SqlForms {
  /** Whole number from 0 to 2^32 - 1 that looks random, the same on every server. */
  hash32(x: string): string;
  /** 32 hexadecimal digits in five groups, lower case, that look random. */
  uuid(x: string): string;
  /** Whole numbers, rounded down. */
  quotient(x: string, y: number): string;
  floor(x: string): string;
  double(x: string): string;
}

export interface Distribution {
  readonly name: string;
  readonly kind: 'integer' | 'uuid text';
  /**
   * In which order the rows come into the table: `rising` keys, keys `sorted` beforehand, or `random`, which PostgreSQL then keeps and from
   * which MySQL has half empty pages.
   */
  readonly arrival: 'rising' | 'sorted' | 'random';
  /** SQL of the key of row `seq`, which goes from 1 to `rows`. No two rows have the same one. */
  key(sql: SqlForms, rows: number): string;
}

const day = 86_400_000;
const snowflake = {
  days: 7,
  /** Milliseconds from the epoch of the ids, 2010-11-04, to the first row, 2026-01-05 08:00 UTC. */
  start: Date.UTC(2026, 0, 5, 8) - 1_288_834_974_657,
  /** Rows of one millisecond, made by four machines. */
  burst: 40,
  rowsPerMachine: 10,
  /** Of a day's rows between 08:00 and 20:00. */
  dayShare: 0.9,
};

export const distributions: readonly Distribution[] = [
  { name: 'dense', kind: 'integer', arrival: 'rising', key: () => 'seq' },
  {
    name: 'sparse',
    kind: 'integer',
    arrival: 'sorted',
    // `rows` possible keys for each hash: seq makes them unique.
    key: (sql, rows) => `${sql.hash32('seq')} % ${Math.min(2 ** 32, Math.floor(1e15 / rows))} * ${rows} + seq`,
  },
  {
    name: 'clusters',
    kind: 'integer',
    arrival: 'rising',
    key: (_, rows) => `CASE WHEN seq <= ${Math.floor(rows / 2)} THEN seq ELSE 1000000000000 + seq END`,
  },
  { name: 'snowflake', kind: 'integer', arrival: 'rising', key: snowflakeKey },
  {
    name: 'skewed',
    kind: 'integer',
    arrival: 'rising',
    // Up to 10^12, each power of ten with as many rows as the one before, beside what `seq` adds to make them unique.
    key: (sql, rows) => `seq + ${sql.floor(`EXP(${sql.double('seq')} * ${sql.double(String(Math.log(1e12) / rows))})`)}`,
  },
  { name: 'uuid', kind: 'uuid text', arrival: 'random', key: (sql) => sql.uuid('seq') },
];

/** Milliseconds, machine and number, as 41, 10 and 12 bits. */
function snowflakeKey({ quotient }: SqlForms, rows: number): string {
  const { days, start, burst, rowsPerMachine, dayShare } = snowflake;
  const rowsPerDay = Math.ceil(rows / days);
  const bursts = Math.ceil(rowsPerDay / burst);
  const [byDay, byNight] = [Math.max(1, Math.floor(bursts * dayShare)), Math.max(1, Math.ceil(bursts * (1 - dayShare)))];
  const inDay = `((seq - 1) % ${rowsPerDay})`;
  const inBurst = `(${inDay} % ${burst})`;
  const at = quotient(inDay, burst);
  const ms = `CASE WHEN ${at} < ${byDay} THEN ${quotient(`(${at} * ${day / 2})`, byDay)}
    ELSE ${day / 2} + ${quotient(`((${at} - ${byDay}) * ${day / 2})`, byNight)} END`;
  return `(${start} + ${quotient('(seq - 1)', rowsPerDay)} * ${day} + ${ms}) * ${2 ** 22}
    + ${quotient(inBurst, rowsPerMachine)} * ${2 ** 12} + ${inBurst} % ${rowsPerMachine}`;
}
