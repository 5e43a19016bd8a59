import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runDray, startDray, writeJob } from '../support/run-dray.ts';
import { streamJob } from '../support/sample-jobs.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

/** Serves a text; returns its URL. */
async function served(text: string): Promise<string> {
  const server = createServer((_request, response) => response.end(text));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/jobs/nightly.json`;
}

const job = JSON.stringify(streamJob({ print: true })).replace('hello', '${word} $word');

test.each(['path', 'file URL', 'http URL', 'standard input'])('a job comes from a %s, with values as datax.py takes them', async (from) => {
  const path = writeJob(tempFolder(), job);
  const given = { path, 'file URL': `file://${path}`, 'http URL': await served(job), 'standard input': '-' }[from]!;
  const { exitCode, stdout } = await runDray(['run', given, '-p', "-Dx=y -Dword='a b'"], { input: job });
  expect(exitCode).toBe(0);
  expect(stdout.split('\n')[0]).toBe('1\ta b a b');
});

test('a dry run from standard input checks the job that was read', async () => {
  const { exitCode, stdout, stderr } = await runDray(['run', '-'], { input: JSON.stringify(streamJob({ setting: { dryRun: 'true' } })) });
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  expect(stdout).toContain('-: ok, 1 content');
});

test('a run from standard input is resumed with --job, and without it one sentence says so', async () => {
  const folder = tempFolder();
  const [out, state] = [join(folder, 'out'), join(folder, 'state')];
  const writer = { name: 'txtfilewriter', parameter: { path: out, fileName: 'rows', writeMode: 'nonConflict' } };
  const reader = { name: 'streamreader', parameter: { column: [{ value: 'a' }], sliceRecordCount: 300 } };
  const text = JSON.stringify({ job: { setting: { speed: { channel: 1, record: 150 } }, content: [{ reader, writer }] } });
  const { child, ended } = startDray(['run', '-', '--state-dir', state], { input: text });
  await until('the run has begun to write', 20_000, async () => {
    if (readdirSync(out).length === 0) throw new Error('nothing there');
  });
  child.kill('SIGKILL');
  await ended;
  const [run] = readdirSync(join(state, 'runs'));
  const lost = await runDray(['resume', run!, '--state-dir', state]);
  expect([lost.exitCode, lost.stderr]).toEqual([
    2,
    expect.stringMatching(/RUN_NOT_RESUMABLE: .* came from standard input(.|\n)*--job FILE/),
  ]);
  const other = await runDray(['resume', run!, '--state-dir', state, '--job', '-'], { input: text.replace('rows', 'cells') });
  expect([other.exitCode, other.stderr]).toEqual([2, expect.stringContaining('is not what it was when the run began')]);
  expect((await runDray(['resume', run!, '--state-dir', state, '--job', '-'], { input: text })).exitCode).toBe(0);
  expect(readdirSync(out)).toContain('_SUCCESS');
});

test('a job that cannot be fetched is one sentence with exit code 2', async () => {
  const { exitCode, stderr } = await runDray(['run', (await served('')).replace(/:\d+\//, ':1/')]);
  expect([exitCode, stderr]).toEqual([
    2,
    expect.stringMatching(/^error JOB_UNREADABLE: cannot fetch the job file http:\/\/127\.0\.0\.1:1\/jobs\/nightly\.json: .+\n/),
  ]);
});

test.each([
  ['reader', 3],
  ['writer', 4],
])('what a plugin finds wrong with its options has the line of the %s', async (end, line) => {
  const wrong = '"parameter": {"connection": [{"jdbcUrl": "jdbc:mysql://host:port/d", "table": ["t"]}]}';
  const text = [
    '{"job": {"content": [{',
    `"reader": {"name": "mysqlreader", ${wrong}},`,
    `"writer": {"name": "mysqlwriter", ${wrong}}`,
    '}]}}',
  ];
  const stream = '"reader": {"name": "streamreader", "parameter": {"column": [{"value": 1}], "sliceRecordCount": 1}},';
  const path = writeJob(tempFolder(), ['', text[0], end === 'writer' ? stream : text[1], text[2], text[3]].join('\n'));
  const { exitCode, stderr } = await runDray(['check', path]);
  expect([exitCode, stderr]).toEqual([2, expect.stringMatching(new RegExp(`cannot be read\\n *where: +${path}:${line}:1\\n`))]);
});

test('dray docs datax prints the page of the differences, and other pages are refused', async () => {
  const { exitCode, stdout } = await runDray(['docs', 'datax']);
  expect([exitCode, stdout]).toEqual([0, readFileSync(join(import.meta.dirname, '../../docs/datax.md'), 'utf8')]);
  expect(await runDray(['docs', 'oracle'])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('datax and plugins') });
});

describe('dray import datax', () => {
  const datax = {
    setting: {},
    job: {
      setting: { speed: { channel: 1 } },
      content: [
        {
          reader: { name: 'StreamReader', parameter: { column: [{ value: 'x' }], sliceRecordCount: 3 } },
          writer: {
            name: 'mysqlwriter',
            parameter: { username: 'root', password: 'root', batchSize: 9, connection: [{ jdbcUrl: 'jdbc:mysql://h/d', table: ['t'] }] },
          },
        },
      ],
    },
  };

  test('prints a job that dray check accepts, without the password', async () => {
    const { exitCode, stdout, stderr } = await runDray(['import', 'datax', writeJob(tempFolder(), datax)]);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toContain('"username": "root"');
    expect(stdout).not.toContain('"password": "root"');
    const checked = await runDray(['check', '--offline', writeJob(tempFolder(), stdout)]);
    expect(checked).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('ok, 1 content') });
    expect(checked.stderr).not.toContain('has no effect');
  });

  test('writes several into a folder, and never over a file', async () => {
    const [folder, output] = [tempFolder(), tempFolder()];
    const files = [writeJob(folder, datax, 'a.json'), writeJob(folder, datax, 'b.json')];
    expect(await runDray(['import', 'datax', ...files])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--output') });
    expect((await runDray(['import', 'datax', ...files, '-o', output])).exitCode).toBe(0);
    expect(readdirSync(output).sort()).toEqual(['a.json', 'b.json']);
    const again = await runDray(['import', 'datax', files[0]!, '-o', output]);
    expect([again.exitCode, again.stderr]).toEqual([4, expect.stringContaining('FILE_EXISTS')]);
  });

  test('a job that cannot run here is refused with its line in the file that was given', async () => {
    const text = JSON.stringify(datax, null, 2).replace('"mysqlwriter"', '"oraclewriter"');
    const path = writeJob(tempFolder(), text);
    const { exitCode, stdout, stderr } = await runDray(['import', 'datax', path]);
    const line = text.slice(0, text.indexOf('"oraclewriter"')).split('\n').length;
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`"oraclewriter" is a plugin of DataX`);
    expect(stderr).toContain(`${path}:${line}:`);
    expect(existsSync(path)).toBe(true);
  });
});
