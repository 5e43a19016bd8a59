import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { providedMariadb, providedPostgres } from '../support/provided-servers.ts';
import { type DrayOptions, runDray, writeJob } from '../support/run-dray.ts';
import { streamJob } from '../support/sample-jobs.ts';
import { mysqlDatabase, postgresDatabase, readerOf, type TestDatabase, writerOf } from '../support/sql.ts';
import { tempFolder } from '../support/temp-folder.ts';

const databases: TestDatabase[] = [];
const secret = 'S3cret/p@ss "quoted" \\w';

beforeAll(() => {
  databases.push(postgresDatabase(providedPostgres(), 'postgres'), mysqlDatabase(providedMariadb(), 'mysql'));
});

const sink = { name: 'streamwriter', parameter: { print: false } };
const source = { name: 'streamreader', parameter: { column: [{ value: 'a' }], sliceRecordCount: 1 } };

/** Everything that run --json and check say about a job, with stacks. */
async function everythingSaid(reader: object, writer: object, options: DrayOptions & { folder?: string } = {}): Promise<string> {
  const job = { job: { content: [{ reader, writer }] } };
  const path = writeJob(options.folder ?? tempFolder(), job);
  const calls = [['run', '--json'], ['check']].map((args) => runDray([...args, path], { env: { DRAY_DEBUG: '1', ...options.env } }));
  const results = await Promise.all(calls);
  for (const { exitCode } of results) expect(exitCode).toBeGreaterThan(1);
  expect(results[0]!.report?.state).toBe('failed');
  return results.map(({ stdout, stderr }) => stdout + stderr).join('\n');
}

/** In whatever way it could be written. */
function expectNo(text: string, hidden: string): void {
  for (const form of [hidden, encodeURIComponent(hidden), JSON.stringify(hidden).slice(1, -1)]) expect(text).not.toContain(form);
}

describe.each([0, 1])('a password is never printed (server %d)', (index) => {
  const end = (options: object) => [readerOf(databases[index]!, 'x', options), writerOf(databases[index]!, 'x', options)] as const;

  test('wrong, in the job file', async () => {
    const [reader, writer] = end({ password: secret });
    const said = (await everythingSaid(reader, sink)) + (await everythingSaid(source, writer));
    expect(said).toContain('LOGIN_REFUSED');
    expectNo(said, secret);
  });

  test('wrong, from the environment or a file', async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, 'password'), `${secret}\n`);
    const [fromEnv] = end({ password: '${env:THE_SECRET}' });
    const [fromFile] = end({ password: '${file:password}' });
    const said =
      (await everythingSaid(fromEnv, sink, { env: { THE_SECRET: secret } })) + (await everythingSaid(fromFile, sink, { folder }));
    expect(said).toContain('LOGIN_REFUSED');
    expectNo(said, secret);
  });

  test('in the URL, whether the URL can be read or not', async () => {
    const { jdbcUrl, user } = databases[index]!;
    const inUrl = (url: string) => ({ username: undefined, password: undefined, connection: [{ jdbcUrl: [url], table: ['x'] }] });
    const good = jdbcUrl.replace('//', `//${user}:hidden-in-url@`);
    for (const url of [
      good,
      good.replace(/:\d+\//, ':1/'),
      good.replace(/:\d+\//, ':port/'),
      good.replace('jdbc:', 'jdbc:x'),
      `${jdbcUrl}?password=hidden-in-url`,
    ]) {
      const said = await everythingSaid(end(inUrl(url))[0], sink);
      expect(said).not.toContain('hidden-in-url');
    }
  });

  test('in a statement that fails', async () => {
    const said = await everythingSaid(end({ session: ["SET nonsense = '${env:THE_SECRET}' ("] })[0], sink, {
      env: { THE_SECRET: 'in-a-statement' },
    });
    expect(said).toContain('SQL_FAILED');
    expect(said).toContain("SET nonsense = '***' (");
    expectNo(said, 'in-a-statement');
  });
});

test.each(['1000', 'true', 'stream', 'done', 'null', '"}'])('a secret that is %s does not damage the report', async (value) => {
  const job = streamJob({ rows: 1000 });
  const path = writeJob(tempFolder(), JSON.stringify(job).replace('hello', '${env:THE_SECRET}'));
  const { exitCode, stdout, report } = await runDray(['run', '--json', '--channels', '1', path], { env: { THE_SECRET: value } });
  expect(exitCode).toBe(0);
  expect(stdout).not.toContain('***');
  expect(report).toMatchObject({
    state: 'done',
    rows: { written: 1000 },
    contents: [{ reader: 'stream', writer: 'stream', state: 'done' }],
  });
});

test('the options of a job that is refused are not printed', async () => {
  const reader = { name: 'mysqlreader', parameter: { password: secret, connection: [{ jdbcUrl: 5 }] } };
  const said = await everythingSaid(reader, sink);
  expect(said).toContain('JOB_INVALID');
  expectNo(said, secret);
});
