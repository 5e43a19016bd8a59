import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runDray, writeJob } from '../support/run-dray.ts';
import { streamJob } from '../support/sample-jobs.ts';
import { tempFolder } from '../support/temp-folder.ts';

const files = (path: string, more: object = {}) => ({
  name: 'txtfilewriter',
  parameter: { path, fileName: 'rows', writeMode: 'truncate' },
  ...more,
});

function fanOutJob(writers: readonly object[]) {
  const { job } = streamJob({ rows: 1000, setting: { speed: { channel: 2 } } });
  const [{ reader }] = job.content as [(typeof job.content)[0]];
  return writeJob(tempFolder(), { job: { ...job, content: [{ reader, writers }] } });
}

test('the summary and dray check tell of each target', async () => {
  const file = fanOutJob([
    files(tempFolder()),
    files(tempFolder(), { transformer: [{ name: 'rename', parameter: { columns: { word: 'w' } } }] }),
  ]);
  const { exitCode, stderr } = await runDray(['run', file]);
  expect([exitCode, stderr]).toEqual([0, expect.stringContaining('2,000 read, 4,000 written')]);
  expect(stderr.match(/^ {2}target {3}textfile: done, 2,000 rows$/gm)).toHaveLength(2);
  const { stdout } = await runDray(['check', file]);
  expect(stdout).toContain('content 1, target 2: stream → rename → textfile');
  expect(stdout).toContain('ok, 1 content\n');
});

test('a target that is left out is named in the summary, and decides the exit code', async () => {
  const folder = tempFolder();
  mkdirSync(join(folder, 'bad'));
  writeFileSync(join(folder, 'bad', 'file'), '');
  const bad = files(join(folder, 'bad', 'file'), { onFailure: 'go-on' });
  const { exitCode, stderr } = await runDray(['run', fanOutJob([files(join(folder, 'good')), bad])]);
  expect(exitCode).toBe(4);
  expect(stderr).toMatch(/target 2 is left out, and the others go on: .+/);
  expect(stderr).toMatch(/^ {2}target {3}textfile: done, 2,000 rows$/m);
  expect(stderr).toMatch(/^ {2}target {3}textfile: failed, 0 rows: .+/m);
});

test('the schema of job files knows the options of each of several writers', async () => {
  const { stdout } = await runDray(['schema']);
  const { properties } = JSON.parse(stdout) as {
    properties: { job: { properties: { content: { items: { properties: Record<string, never> } } } } };
  };
  const { writer, writers } = properties.job.properties.content.items.properties as unknown as Record<
    'writer' | 'writers',
    { allOf: unknown; items: { allOf: unknown } }
  >;
  expect(writers.items.allOf).toEqual(writer.allOf);
});
