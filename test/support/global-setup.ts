import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { type MariadbServer, startMariadb } from './mariadb-server.ts';
import { type PostgresServer, startPostgres } from './postgres-server.ts';
import './provided-servers.ts';

const projectFolder = join(import.meta.dirname, '..', '..');

/**
 * Vitest calls this once before the tests of the project "servers": builds dist (workers and the CLI run from there) and
 * starts one server of each kind. Throws if anything of that fails; tests are never skipped for a missing server.
 * Returns the teardown.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // The runs of the tests are none of the user's.
  const state = mkdtempSync(join(tmpdir(), 'dray-test-state-'));
  process.env.DRAY_STATE_DIR = state;
  const started = await Promise.allSettled([startPostgres(), startMariadb(), buildDist()] as const);
  const [postgres, mariadb, build] = started;
  if (postgres.status === 'rejected' || mariadb.status === 'rejected' || build.status === 'rejected') {
    for (const result of [postgres, mariadb]) if (result.status === 'fulfilled') await result.value.stop();
    throw new AggregateError(
      started.flatMap((result) => (result.status === 'rejected' ? [result.reason] : [])),
      started.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : [])).join('\n'),
    );
  }
  project.provide('postgres', postgresFacts(postgres.value));
  project.provide('mariadb', mariadbFacts(mariadb.value));
  return async () => {
    await Promise.all([postgres.value.stop(), mariadb.value.stop()]);
    rmSync(state, { recursive: true, force: true });
  };
}

/** Without the functions: provided values are cloned into the test processes. */
function postgresFacts({ host, port, user, password, url }: PostgresServer) {
  return { host, port, user, password, url };
}

function mariadbFacts({ host, port, user, password, url, databasePrefix }: MariadbServer) {
  return { host, port, user, password, url, databasePrefix };
}

function buildDist(): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ['build.js'], { cwd: projectFolder }, (cause, stdout, stderr) => {
      if (cause === null) resolve();
      else reject(new Error(`Building dist failed:\n${stdout}${stderr}`, { cause }));
    });
  });
}
