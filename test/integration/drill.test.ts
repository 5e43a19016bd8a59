import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Result } from '../drill/run-scenario.ts';

const drill = join(import.meta.dirname, '..', '..', 'dist', 'test', 'drill', 'drill.js');

/** Chosen because together they have a killed process, a killed thread, killed servers and cut connections. */
const seeds = ['4', '12', '15', '16', '35', '39'];

test('jobs that are broken in many ways keep their promises', { timeout: 300_000 }, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [drill, '--json', '--seed', seeds.join()]).catch(
    (failed: { stdout: string }) => failed,
  );
  const { results } = JSON.parse(stdout) as { results: Result[] };
  expect(results.flatMap(({ violations }) => violations)).toEqual([]);
  expect(results).toHaveLength(seeds.length);
  const struck = new Set(results.flatMap((result) => result.struck));
  expect(struck.size).toBeGreaterThanOrEqual(4);
});
