import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, postgresDatabase } from '../types/databases.ts';
import { faultsByColumn } from './cut-by-column.ts';
import { distributions, hardDistributions, randomNumbers } from './distributions.ts';
import { analyze, createKeyTable, insertKeys } from './key-tables.ts';
import { otherPostgresTypes, postgresCollations, postgresTypes } from './key-types.ts';

const seed = Number(process.env.DRAY_SEED ?? 20_260);
let database: Database;

beforeAll(async () => {
  database = await postgresDatabase();
  for (const statement of postgresCollations) await database.execute(statement);
});

afterAll(() => database.end());

describe.each(Object.entries(distributions))('PostgreSQL, a table with %s, cut by a key of any type', (name, numbersOf) => {
  const table = name.replaceAll(' ', '_');
  const isHard = hardDistributions.includes(name);
  const types = isHard ? { ...postgresTypes, ...otherPostgresTypes } : postgresTypes;
  const methods = isHard ? (['sample', 'histogram'] as const) : (['histogram'] as const);
  const columns = Object.keys(types).map((type) => `k_${type}`);

  beforeAll(async () => {
    await createKeyTable(database, table, types);
    await insertKeys(database, table, types, numbersOf(randomNumbers(seed)));
  });

  test.each(methods)(`has every row in one range, found by %s (DRAY_SEED=${seed})`, async (method) => {
    if (method === 'histogram') await analyze(database, table);
    expect(await faultsByColumn(database, table, columns, method)).toEqual({});
  });
});
