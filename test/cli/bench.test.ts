import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Baseline } from '../../benchmarks/baseline.ts';
import type { BenchResult } from '../../core/bench/results.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

const program = join(import.meta.dirname, '..', '..', 'dist', 'benchmarks', 'bench.js');

interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

function bench(...args: string[]): Promise<Ended> {
  return new Promise((fulfil) => {
    execFile(process.execPath, [program, ...args], (error, stdout, stderr) => {
      fulfil({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

test('a bench of a few rows runs lanes between real servers, checks what was moved, and tells it in tables, JSON and a chart', async () => {
  const folder = tempFolder();
  const [json, markdown, svg] = ['all.json', 'table.md', 'chart.svg'].map((name) => join(folder, name)) as [string, string, string];
  const lanes = ['mysql-postgres', 'events-postgres-postgres', 'engine-stream'];
  const size = ['--rows', '400', '--runs', '1', '--channels', '1'];
  const outputs = ['--json', json, '--markdown', markdown, '--svg', svg, '--cache', join(folder, 'cache')];
  const { exitCode, stdout, stderr } = await bench('--lanes', lanes.join(), ...size, ...outputs);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.not.stringContaining('VOID') as string });

  const { machine, lanes: results } = JSON.parse(readFileSync(json, 'utf8')) as BenchResult;
  expect(machine.servers).toEqual([expect.stringMatching(/^MariaDB \d/), expect.stringMatching(/^PostgreSQL \d/)]);
  expect(results.map(({ lane, rows }) => [lane, rows])).toEqual([
    ['mysql-postgres', 400],
    ['events-postgres-postgres', 132],
    ['engine-stream', 1600],
  ]);
  for (const { series } of results) {
    const dray = series.find(({ title }) => title === 'dray, 1 channel')!;
    expect(dray.runs).toHaveLength(1);
    for (const { cpuSeconds, peakBytes, memoryCurve } of dray.runs) {
      expect(cpuSeconds).toBeGreaterThan(0.01);
      expect(peakBytes).toBeGreaterThan(20e6);
      expect(memoryCurve.length).toBeGreaterThan(0);
    }
    for (const { runs, absent } of series) expect(runs).toHaveLength(absent === undefined ? 1 : 0);
  }
  expect(stdout).toContain(readFileSync(markdown, 'utf8'));
  expect(stdout).toMatch(/\| mysql-postgres, 400 rows +\| psql \\copy of a ready file +\| \d/);
  expect(readFileSync(svg, 'utf8')).toContain('dray, 1 channel ÷ psql COPY piped into psql COPY');
  expect(readdirSync(join(folder, 'cache')).filter((name) => name.endsWith('.copy'))).toEqual(['events-v1-132.copy', 'orders-v1-400.copy']);
}, 120_000);

test('a lane that is far worse than its baseline fails the check, and one that is better passes', async () => {
  const path = join(tempFolder(), 'baseline.json');
  const written = await bench('--lanes', 'help', '--runs', '1', '--write-baseline', '--baseline', path);
  expect(written).toMatchObject({ exitCode: 0 });
  const baseline = JSON.parse(readFileSync(path, 'utf8')) as Baseline;
  const withRatio = (ratio: number) => {
    const { help } = baseline.lanes;
    writeFileSync(path, JSON.stringify({ lanes: { help: { ...help, ratios: { 'dray --help': { 'node -e 0': ratio } } } } }));
    return bench('--check', '--runs', '1', '--baseline', path);
  };
  expect(baseline.lanes.help!.ratios['dray --help']!['node -e 0']).toBeGreaterThan(0);
  expect(await withRatio(1000)).toMatchObject({
    exitCode: 0,
    stderr: expect.stringContaining('No lane is worse than its baseline.') as string,
  });
  expect(await withRatio(0.001)).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/help: again, with 3 runs[\s\S]*Not as good as their baseline: help\./) as string,
  });
});

test('a lane that does not exist, and a baseline without lanes, end with a sentence', async () => {
  expect(await bench('--lanes', 'nothing')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('There is no lane') as string });
  const path = join(tempFolder(), 'baseline.json');
  writeFileSync(path, '{"lanes":{}}');
  expect(await bench('--check', '--baseline', path)).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('nothing to check') as string,
  });
});

test('Ctrl-C stops the servers and leaves no folder', async () => {
  const temporary = mkdtempSync(join(tmpdir(), 'dray-test-'));
  chmodSync(temporary, 0o1777);
  onTestFinished(() => rmSync(temporary, { recursive: true, force: true }));
  const child = spawn(
    process.execPath,
    [program, '--lanes', 'postgres-postgres', '--rows', '2000000', '--cache', join(temporary, 'cache')],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, TMPDIR: temporary },
    },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await until('rows are made', 30_000, async () => expect(said).toContain('making 2,000,000 rows'));
  child.kill('SIGINT');
  const [code] = (await once(child, 'exit')) as [number | null];
  expect({ code, said }).toEqual({
    code: 130,
    said: expect.stringContaining('The bench was stopped by SIGINT. Nothing is left running.') as string,
  });
  await until('folders are gone', 10_000, async () => expect(readdirSync(temporary)).toEqual(['cache']));
  expect(readdirSync(join(temporary, 'cache'))).toEqual([]);
});
