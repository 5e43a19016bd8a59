import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { BenchResult } from '../../core/bench/results.ts';
import { runDray, startDray, writeJob } from '../support/run-dray.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

const jobOf = (rows: number | string) => ({
  job: {
    content: [
      {
        reader: { name: 'fixturereader', parameter: { fixture: 'narrow', rows } },
        writer: { name: 'streamwriter', parameter: { print: false } },
      },
    ],
  },
});

test('a job is run with each number of channels, in turn with other commands, and the result is told as JSON, table and chart', async () => {
  const folder = tempFolder();
  const log = join(folder, 'log');
  const args = ['--runs', '2', '--channels', '1,2', '--against', `echo rival >> ${log}`, '--before', `echo before >> ${log}`];
  const files = ['--markdown', join(folder, 'bench.md'), '--svg', join(folder, 'bench.svg')];
  const { exitCode, stdout, stderr } = await runDray(['bench', writeJob(folder, jobOf(500)), '--json', ...args, ...files]);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  const { lanes } = JSON.parse(stdout) as BenchResult;
  expect(lanes).toHaveLength(1);
  expect(lanes[0]).toMatchObject({ rows: 500, type: 'throughput' });
  expect(lanes[0]!.series.map(({ title, runs, isRival }) => [title, runs.length, isRival])).toEqual([
    [`echo rival >> ${log}`, 2, true],
    ['dray, 1 channel', 2, false],
    ['dray, 2 channels', 2, false],
  ]);
  // Before the run that warms up, and before each of the six others.
  const lines = readFileSync(log, 'utf8').trim().split('\n');
  expect(lines).toEqual(['before', ...Array(2).fill(['before', 'rival', 'before', 'before']).flat()]);
  expect(readFileSync(join(folder, 'bench.md'), 'utf8')).toMatch(/\| dray, 2 channels +\| \d+\.\d\d \(/);
  expect(readFileSync(join(folder, 'bench.svg'), 'utf8')).toContain('<circle');
  expect(stderr).toContain('runs once to warm up, then 2 times with each of 1, 2 channels, in turn with 1 other command');
});

test('a job that does not write the same number of rows each time is void', async () => {
  const folder = tempFolder();
  const path = join(folder, 'rows.txt');
  const script = `printf '1\\n%.0s' $(seq $(( $(wc -l < ${path}-runs) + 1 ))) > ${path}; echo >> ${path}-runs`;
  const job = {
    job: {
      content: [
        {
          reader: { name: 'txtfilereader', parameter: { path, column: [{ index: 0, type: 'long' }] } },
          writer: { name: 'streamwriter', parameter: { print: false } },
        },
      ],
    },
  };
  const before = `touch ${path}-runs; ${script}`;
  const { exitCode, stdout } = await runDray(['bench', writeJob(folder, job), '--runs', '2', '--channels', '1', '--before', before]);
  expect([exitCode, stdout]).toEqual([1, expect.stringMatching(/VOID: .*dray, 1 channel wrote 2 rows instead of 1\./)]);
});

test('a job that fails, and a command that fails before it, are told in one sentence', async () => {
  const folder = tempFolder();
  const missing = await runDray(['bench', writeJob(folder, jobOf('many'))]);
  expect([missing.exitCode, missing.stderr]).toEqual([2, expect.stringContaining('error JOB_INVALID')]);
  const input = await runDray(['bench', '-'], { input: JSON.stringify(jobOf(5)) });
  expect([input.exitCode, input.stderr]).toEqual([2, expect.stringContaining('error USAGE: dray bench runs a job again and again')]);
  const before = await runDray(['bench', writeJob(folder, jobOf(5)), '--before', 'echo no >&2; false']);
  expect([before.exitCode, before.stderr]).toEqual([
    1,
    expect.stringContaining('error BENCH_FAILED: the command of --before fails: echo no >&2; false. Exit code 1: no'),
  ]);
  const rival = await runDray(['bench', writeJob(folder, jobOf(5)), '--runs', '1', '--against', 'false']);
  expect([rival.exitCode, rival.stdout]).toEqual([1, expect.stringContaining('VOID')]);
});

test('Ctrl-C ends the bench and the run that it measures', async () => {
  const dray = startDray(['bench', writeJob(tempFolder(), jobOf(5_000_000_000))]);
  await until('the bench has begun', 20_000, async () => expect(dray.stderr()).toContain('runs once to warm up'));
  dray.signal('SIGINT');
  const { exitCode, stderr } = await dray.ended;
  expect([exitCode, stderr]).toEqual([130, expect.stringContaining('CANCELLED')]);
});
