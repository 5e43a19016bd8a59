import pg from 'pg';
import { afterAll, beforeAll, describe } from 'vitest';
import type { Cell } from '../../core/sdk/index.ts';
import reader from '../../plugins/postgres/reader.ts';
import writer from '../../plugins/postgres/writer.ts';
import { providedPostgres } from '../support/provided-servers.ts';
import { readerContract } from './reader-contract.ts';
import { writerContract } from './writer-contract.ts';

const server = providedPostgres();
let client: pg.Client;

beforeAll(async () => {
  await server.createDatabase('contract');
  client = new pg.Client(server.urlFor('contract'));
  await client.connect();
  await client.query(
    `CREATE TABLE numbers AS SELECT i::bigint AS id, CASE WHEN i % 7 = 0 THEN NULL ELSE 'row ' || i END AS word FROM generate_series(1, 50000) i;
     CREATE TABLE things (id bigint PRIMARY KEY, word varchar(10))`,
  );
});

afterAll(async () => {
  await client.end();
});

const connect = (table: string, jdbcUrl: string | string[]) => ({
  username: server.user,
  password: server.password,
  connection: [{ jdbcUrl, table: [table] }],
});
const jdbcUrl = `jdbc:postgresql://${server.host}:${server.port}/contract`;

describe('the postgres reader', () => {
  readerContract({ plugin: reader, parameter: () => connect('numbers', [jdbcUrl]), rowCount: 50_000 });
});

describe('the postgres writer', () => {
  for (const writeMode of ['insert', 'replace', 'update']) {
    describe(`in write mode ${writeMode}`, () => {
      writerContract({
        plugin: writer,
        parameter: () => ({ ...connect('things', jdbcUrl), writeMode }),
        schema: {
          columns: [
            { name: 'id', type: 'integer', isNullable: false },
            { name: 'word', type: 'string', isNullable: true },
          ],
        },
        rows: [
          ['1', 'tab\t\\ \n'],
          ['2', ''],
          ['3', null],
        ],
        badRow: ['4', 'a word of more than ten characters'],
        readBack: async () =>
          (await client.query<{ id: string; word: Cell }>('SELECT id::text AS id, word FROM things')).rows.map(({ id, word }) => [
            id,
            word,
          ]),
        reset: async () => void (await client.query('TRUNCATE things')),
      });
    });
  }
});
