import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, mysqlDatabase } from '../types/databases.ts';
import { faultsByColumn } from './cut-by-column.ts';
import { distributions, hardDistributions, randomNumbers } from './distributions.ts';
import { analyze, createKeyTable, insertKeys } from './key-tables.ts';
import { mysqlTypes } from './key-types.ts';

const seed = Number(process.env.DRAY_SEED ?? 20_260);
const columns = Object.keys(mysqlTypes).map((name) => `k_${name}`);
let database: Database;

beforeAll(async () => {
  database = await mysqlDatabase();
});

afterAll(() => database.end());

describe.each(Object.entries(distributions))('MariaDB, a table with %s, cut by a key of any type', (name, numbersOf) => {
  const table = name.replaceAll(' ', '_');
  const methods = hardDistributions.includes(name) ? (['index dives', 'keyset walk'] as const) : (['index dives'] as const);

  beforeAll(async () => {
    await createKeyTable(database, table, mysqlTypes);
    await insertKeys(database, table, mysqlTypes, numbersOf(randomNumbers(seed)));
    await analyze(database, table);
  });

  test.each(methods)(`has every row in one range, found by %s (DRAY_SEED=${seed})`, async (method) => {
    expect(await faultsByColumn(database, table, columns, method)).toEqual({});
  });
});
