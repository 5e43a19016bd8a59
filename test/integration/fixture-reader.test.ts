import { beforeAll, expect, test } from 'vitest';
import { copySteps, loadIntoPostgres } from '../../benchmarks/fixtures/load.ts';
import { mysqlDdl, postgresDdl } from '../../plugins/fixture/ddl.ts';
import { fixtures } from '../../plugins/fixture/fixtures.ts';
import { providedMariadb, providedPostgres } from '../support/provided-servers.ts';
import { runDray, writeJob } from '../support/run-dray.ts';
import { mysqlDatabase, postgresDatabase, type TestDatabase, writerOf } from '../support/sql.ts';
import { tempFolder } from '../support/temp-folder.ts';

const rows = 2000;
let url: string;
let postgres: TestDatabase;
let mysql: TestDatabase;

beforeAll(async () => {
  const [server, mariadb] = [providedPostgres(), providedMariadb()];
  await server.createDatabase('fixture_reader');
  url = server.urlFor('fixture_reader');
  postgres = postgresDatabase(server, 'fixture_reader');
  mysql = mysqlDatabase(mariadb, await mariadb.createDatabase('fixture_reader'));
});

const jobInto = (writer: object, fixture: string) => ({
  job: { setting: { speed: { channel: 2 } }, content: [{ reader: { name: 'fixturereader', parameter: { fixture, rows } }, writer }] },
});

test.each(Object.entries(fixtures))('%s of the fixture reader has the rows that benchmarks load', async (name, fixture) => {
  await postgres.sql(postgresDdl(fixture, `${name}_loaded`), postgresDdl(fixture, `${name}_moved`));
  await mysql.sql(mysqlDdl(fixture, name));
  await loadIntoPostgres(url, `${name}_loaded`, copySteps(fixture, rows));
  for (const writer of [writerOf(postgres, `${name}_moved`), writerOf(mysql, name)]) {
    const { exitCode, stderr } = await runDray(['run', writeJob(tempFolder(), jobInto(writer, name))]);
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('2,000 written')]);
  }
  const digest = (table: string) => postgres.sql(`SELECT count(*), md5(string_agg(t::text, E'\\n' ORDER BY id)) FROM ${name}_${table} t`);
  expect(await digest('moved')).toEqual(await digest('loaded'));
  expect(await mysql.sql(`SELECT count(*), max(id) FROM ${name}`)).toEqual(
    await postgres.sql(`SELECT count(*), max(id) FROM ${name}_loaded`),
  );
});

test('a fixture that is not there is an error that names those that are', async () => {
  const { exitCode, stderr } = await runDray(['check', '--offline', writeJob(tempFolder(), jobInto({ name: 'streamwriter' }, 'order'))]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('expected orders, narrow, wide, text, events or tiny');
});
