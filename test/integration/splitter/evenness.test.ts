import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSource, type SplitSource } from '../../support/split-source.ts';
import { type Database, mysqlDatabase, postgresDatabase } from '../types/databases.ts';
import { randomNumbers } from './distributions.ts';
import { measured } from './evenness.ts';
import { analyze, createKeyTable, idsOf, insertRows } from './key-tables.ts';
import { mysqlTypes } from './key-types.ts';

const rowCount = 20_000;
const pieces = 24;

const next = randomNumbers(7);
const share = () => Number(next() % 1_000_000n) / 1_000_000;

/** A number for each row, as large tables have them; those of one table differ. */
const numbersOf: Record<string, (row: number) => bigint> = {
  /** Most of them in the last thousandth of the range. */
  skewed: () => (1n << 62n) - BigInt(Math.floor(2 ** (15 + 45 * share()))),
  sparse: () => next() % 10n ** 12n,
  clusters: (row) => BigInt(row % 3) * 10n ** 15n + BigInt(row) + (row % 3 === 0 ? next() % 10n ** 9n : 0n),
  /** Made by four machines, most of them in a few busy minutes of a year. */
  snowflake: (row) => {
    const minute = row % 10 === 0 ? next() % 525_600n : 300_000n + (next() % 5n);
    return ((250_000_000_000n + minute * 60_000n + (next() % 60_000n)) << 22n) | ((next() % 4n) << 12n) | (next() % 4096n);
  },
};

const mail = (row: number) =>
  `${['info', 'Info', 'sales', 'ännchen'][row % 4]}${row}@${share() < 0.9 ? 'example.com' : `host${row % 97}.example.org`}`;
const path = (row: number) =>
  `https://www.example.com/en/shop/products/${share() < 0.8 ? 'shoes' : String.fromCharCode(97 + (row % 26))}/${(row * 7919) % 100_003}`;
/** Three of four in one hour, to the microsecond. */
const moment = (row: number) => {
  const at = row % 4 === 0 ? Date.UTC(2001, 0, 1) + Math.floor(share() * 7e11) : Date.UTC(2024, 10, 29, 9) + Math.floor(share() * 3.6e6);
  return `${new Date(at).toISOString().replace('T', ' ').slice(0, 23)}${String(row % 1000).padStart(3, '0')}`;
};

/** Each second row is of a customer who has many; the first of them has a twentieth of all. */
const zipf = (row: number) => (row % 2 === 0 ? 1_000_000 + row : Math.floor(Math.exp(share() * 9)));

interface Column {
  readonly type: string;
  readonly value: (row: number) => string;
}

function columnsFor(kind: Database['kind']): Record<string, Column> {
  const [noCase, byCodes, stamp] =
    kind === 'mysql' ? ['utf8mb4_unicode_ci', 'utf8mb4_bin', 'datetime(6)'] : ['"en-x-icu"', '"C"', 'timestamp'];
  const numbers = Object.entries(numbersOf).map(([name, numberOf]): [string, Column] => [
    name,
    { type: 'bigint', value: (row) => String(numberOf(row)) },
  ]);
  const uuids = ['uuid_v4', 'uuid_v7'].map((name): [string, Column] => [
    name,
    { type: 'uuid', value: (row) => mysqlTypes[name]!.literal(numbersOf.snowflake!(row)) },
  ]);
  return {
    ...Object.fromEntries([...numbers, ...uuids]),
    mail: { type: `varchar(120) COLLATE ${noCase}`, value: (row) => `'${mail(row)}'` },
    path: { type: `varchar(120) COLLATE ${byCodes}`, value: (row) => `'${path(row)}'` },
    moment: { type: stamp, value: (row) => `'${moment(row)}'` },
    money: { type: 'decimal(20,4)', value: () => `${Math.floor(Math.exp(share() * 20))}.${String(next() % 10_000n).padStart(4, '0')}` },
    zipf: { type: 'int', value: (row) => String(zipf(row)) },
  };
}

const columnNames = Object.keys(columnsFor('mysql'));

describe.each([
  ['MariaDB', mysqlDatabase, ['index dives']],
  ['PostgreSQL', postgresDatabase, ['sample', 'histogram']],
] as const)('%s, no range has twice as many rows as the mean', (_, open, methods) => {
  let database: Database;
  let source: SplitSource;
  let ids: string[];

  beforeAll(async () => {
    database = await open();
    const columns = columnsFor(database.kind);
    await createKeyTable(database, 't', columns);
    const values = Object.values(columns);
    await insertRows(
      database,
      't',
      Array.from({ length: rowCount }, (_row, row) => `(${row}, ${values.map(({ value }) => value(row)).join(', ')})`),
    );
    ids = await idsOf(database, 't');
  });

  afterAll(() => database.end());

  describe.each(methods)('found by %s', (method) => {
    beforeAll(async () => {
      if (method !== 'sample') await analyze(database, 't');
      source = await openSource(database, 't');
    });

    afterAll(() => source.close());

    test.each(columnNames)('%s', async (name) => {
      // A customer of the Zipf column has more rows than one of twenty-four ranges should have.
      const wanted = name === 'zipf' ? 8 : pieces;
      const plan = await source.cut({ key: `k_${name}`, method, pieces: wanted });
      const { largest, fault } = await measured(source, plan, ids);
      expect(fault).toBeUndefined();
      expect(plan.parts[0]!.method).toBe(method);
      expect(plan.parts[0]!.splits).toBeGreaterThan(wanted / 2);
      expect(largest).toBeLessThan(2);
    });
  });
});
