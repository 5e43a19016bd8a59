import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Method } from '../../support/split-source.ts';
import { type Database, mysqlDatabase, postgresDatabase } from '../types/databases.ts';
import { type Faults, faultsByColumn } from './cut-by-column.ts';
import { analyze, insertRows } from './key-tables.ts';
import { mysqlText, postgresCollations, postgresText } from './key-types.ts';

/** What collations differ in, and what literals stumble over: case, accents, expansions, spaces, quotes, characters of four bytes. */
const letters = ['a', 'A', 'á', 'a\u0301', 'b', 'B', 'ß', 'ss', 'æ', 'ı', 'İ', 'z', 'Z', 'ch', '漢', '😀', '👩‍🚀', '\u{10FFFF}', '\u200B'];
const signs = [' ', '  ', '\t', '\n', '\\', "'", '"', '`', '%', '_', '$1', '--', ';', '0', '9', '10'];
const keys = fc.array(
  fc.oneof(
    fc.string({ unit: fc.constantFrom(...letters, ...signs), maxLength: 12 }),
    fc
      .tuple(fc.constantFrom('a', 'Á', 'same start '), fc.string({ unit: fc.constantFrom('a', 'A', ' ', '\\'), maxLength: 4 }))
      .map((parts) => parts.join('')),
  ),
  { minLength: 40, maxLength: 160, size: 'max' },
);

interface Server {
  readonly name: string;
  readonly open: () => Promise<Database>;
  readonly setup: readonly string[];
  /** Types of the columns; a text goes into each of them. */
  readonly types: readonly string[];
  readonly literal: (text: string, type: string) => string;
  readonly methods: readonly { readonly method: Method; readonly isAnalyzed: boolean }[];
}

const latin = (text: string) => [...text].filter((character) => character <= '\u00FF').join('');

const servers: Server[] = [
  {
    name: 'MariaDB',
    open: mysqlDatabase,
    setup: [],
    types: [
      ...[
        'general_ci',
        'unicode_ci',
        'unicode_520_nopad_ci',
        'german2_ci',
        'czech_ci',
        'turkish_ci',
        'bin',
        'nopad_bin',
        'uca1400_as_cs',
      ].map((collation) => `varchar(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_${collation}`),
      'char(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci',
      'varchar(60) CHARACTER SET latin1 COLLATE latin1_german2_ci',
      'varchar(60) CHARACTER SET utf16 COLLATE utf16_bin',
      'varbinary(250)',
    ],
    literal: (text, type) => mysqlText(type.includes('latin1') ? latin(text) : text),
    methods: [
      { method: 'index dives', isAnalyzed: true },
      { method: 'keyset walk', isAnalyzed: true },
    ],
  },
  {
    name: 'PostgreSQL',
    open: postgresDatabase,
    setup: [
      ...postgresCollations,
      "CREATE COLLATION counted (provider = icu, locale = 'en-u-kn-true')",
      "CREATE COLLATION no_signs (provider = icu, locale = 'und-u-ka-shifted-ks-level3', deterministic = false)",
    ],
    types: [
      ...['"C"', 'pg_c_utf8', '"en-x-icu"', '"sv-x-icu"', 'no_case', 'no_accents', 'counted', 'no_signs'].map(
        (name) => `text COLLATE ${name}`,
      ),
      'char(60)',
      'char(60) COLLATE no_case',
      'text[] COLLATE "de-x-icu"',
      'bytea',
    ],
    literal: (text, type) => {
      if (type === 'bytea') return `'\\x${Buffer.from(text).toString('hex')}'`;
      return type.startsWith('text[]') ? `ARRAY[${postgresText(text)}, NULL, '']` : postgresText(text);
    },
    methods: [
      { method: 'sample', isAnalyzed: false },
      { method: 'histogram', isAnalyzed: true },
    ],
  },
];

describe.each(servers)('$name', ({ name, open, setup, types, literal, methods }) => {
  let database: Database;

  beforeAll(async () => {
    database = await open();
    for (const statement of setup) await database.execute(statement);
  });

  afterAll(() => database.end());

  test('texts of any kind are read once, cut by any collation', async () => {
    const columns = types.map((_, index) => `k${index}`);
    let run = 0;
    await fc.assert(
      fc.asyncProperty(keys, async (texts) => {
        const table = `texts_${run++}`;
        const storage = name === 'PostgreSQL' ? ' WITH (autovacuum_enabled = false)' : '';
        await database.execute(`CREATE TABLE ${table} (id int, ${types.map((type, index) => `k${index} ${type}`).join(', ')})${storage}`);
        for (const column of columns) await database.execute(`CREATE INDEX i_${table}_${column} ON ${table} (${column})`);
        const rows = texts.map((text, id) => `(${id}, ${types.map((type) => literal(text, type)).join(', ')})`);
        await insertRows(database, table, rows);
        const faults: Faults = {};
        for (const { method, isAnalyzed } of methods) {
          if (isAnalyzed) await analyze(database, table);
          Object.assign(faults, await faultsByColumn(database, table, columns, method));
        }
        await database.execute(`DROP TABLE ${table}`);
        expect(Object.entries(faults).map(([column, fault]) => `${types[columns.indexOf(column)]}: ${fault}`)).toEqual([]);
      }),
      { numRuns: 3, endOnFailure: true, seed: Number(process.env.DRAY_SEED ?? 1) },
    );
  });
});
