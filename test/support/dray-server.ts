import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { RunReport } from '../../core/report/report.ts';
import type { RunStatus } from '../../core/serve/run-status.ts';
import type { ServerFacts } from '../../core/serve/server-file.ts';
import { type DrayOptions, type DrayResult, type RunningDray, runDray, startDray } from './run-dray.ts';
import { tempFolder } from './temp-folder.ts';
import { until } from './until.ts';

/** A `dray serve` of a test, and those who talk to it. */
export interface DrayServer {
  readonly running: RunningDray;
  readonly facts: ServerFacts;
  readonly state: string;
  /** Runs a command on its state folder. */
  dray(...args: string[]): Promise<DrayResult>;
  /** Submits a job file. @returns the run */
  submit(file: string, ...args: string[]): Promise<string>;
  status(run: string): Promise<RunStatus>;
  /** Waits until the run is in that state. */
  reaches(run: string, state: RunStatus['state']): Promise<RunStatus>;
  report(run: string): Promise<RunReport>;
  /** A request with the token of the server. */
  ask(method: string, path: string, body?: unknown): Promise<Response>;
}

/** Starts the real server, on a free port; it is killed when the test has ended. */
export async function startServer(
  args: readonly string[] = [],
  { env = {}, state = join(tempFolder(), 'state') }: DrayOptions & { readonly state?: string } = {},
): Promise<DrayServer> {
  const where = { env: { ...env, DRAY_STATE_DIR: state } };
  const running = startDray(['serve', '--port', '0', ...args], where);
  onTestFinished(async () => {
    running.signal('SIGKILL');
    await running.ended;
  });
  const path = join(state, 'server.json');
  const facts = await until('the server says where it is', 20_000, async () => {
    if (running.child.exitCode !== null) expect.fail(running.stderr());
    expect(existsSync(path)).toBe(true);
    const found = JSON.parse(readFileSync(path, 'utf8')) as ServerFacts;
    expect(found.pid).toBe(running.child.pid);
    return found;
  });
  const ask = (method: string, path_: string, body?: unknown) =>
    fetch(`http://127.0.0.1:${facts.port}${path_}`, {
      method,
      headers: { authorization: `Bearer ${facts.token}` },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  const status = async (run: string) => (await (await ask('GET', `/runs/${run}`)).json()) as RunStatus;
  return {
    ...{ running, facts, state, ask, status },
    dray: (...more) => runDray(more, where),
    async submit(file, ...more) {
      const { exitCode, stdout, stderr } = await runDray(['submit', file, ...more], where);
      expect([exitCode, stderr]).toEqual([0, '']);
      return stdout.trim();
    },
    reaches: (run, state_) =>
      until(`${run} is ${state_}`, 40_000, async () => {
        const found = await status(run);
        expect(found.state, JSON.stringify(found)).toBe(state_);
        return found;
      }),
    report: async (run) => (await (await ask('GET', `/runs/${run}/report`)).json()) as RunReport,
  };
}
