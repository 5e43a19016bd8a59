import mysql, { type Connection, type RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe } from 'vitest';
import type { Cell } from '../../core/sdk/index.ts';
import reader from '../../plugins/mysql/reader.ts';
import writer from '../../plugins/mysql/writer.ts';
import { providedMariadb } from '../support/provided-servers.ts';
import { readerContract } from './reader-contract.ts';
import { writerContract } from './writer-contract.ts';

const server = providedMariadb();
let client: Connection;
let database: string;

beforeAll(async () => {
  database = await server.createDatabase('contract');
  client = await mysql.createConnection({ uri: server.urlFor(database), multipleStatements: true });
  await client.query(
    `CREATE TABLE numbers AS SELECT seq AS id, IF(seq % 7 = 0, NULL, CONCAT('row ', seq)) AS word FROM seq_1_to_50000;
     CREATE TABLE things (id bigint PRIMARY KEY, word varchar(10))`,
  );
});

afterAll(async () => {
  await client.end();
});

const connect = (table: string) => ({
  username: server.user,
  password: server.password,
  connection: [{ jdbcUrl: `jdbc:mysql://${server.host}:${server.port}/${database}`, table: [table] }],
});

describe('the mysql reader', () => {
  readerContract({ plugin: reader, parameter: () => connect('numbers'), rowCount: 50_000 });
});

describe('the mysql writer', () => {
  for (const extra of [{ load: 'local-infile' }, { load: 'insert' }, { writeMode: 'replace' }, { writeMode: 'update' }]) {
    describe(`with ${JSON.stringify(extra)}`, () => {
      writerContract({
        plugin: writer,
        parameter: () => ({ ...connect('things'), ...extra }),
        schema: {
          columns: [
            { name: 'id', type: 'integer', isNullable: false },
            { name: 'word', type: 'string', isNullable: true },
          ],
        },
        rows: [
          ['1', 'tab\t\\ \n'],
          ['2', "it's"],
          ['3', null],
        ],
        badRow: ['4', 'a word of more than ten characters'],
        readBack: async () => {
          const [rows] = await client.query<RowDataPacket[]>('SELECT CAST(id AS CHAR) AS id, word FROM things');
          return rows.map(({ id, word }) => [id as Cell, word as Cell]);
        },
        reset: async () => void (await client.query('TRUNCATE things')),
      });
    });
  }
});
