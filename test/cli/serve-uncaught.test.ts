import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startServer } from '../support/dray-server.ts';
import { writeJob } from '../support/run-dray.ts';
import { streamJob } from '../support/sample-jobs.ts';
import { tempFolder } from '../support/temp-folder.ts';

const throwing = join(import.meta.dirname, '..', 'support', 'throwing-reader.js');
const endless = () =>
  writeJob(tempFolder(), streamJob({ rows: 10_000_000, setting: { speed: { channel: 1, record: 1000 } } }), 'endless.json');

test.each(['timer', 'promise'])(
  'an exception that nobody catches, in a %s of a plugin, ends the server in order, and names the run',
  async (how) => {
    const secret = 'sEcReT_of_plugin';
    const server = await startServer([], { env: { HIDDEN: secret } });
    const other = await server.submit(endless());
    await server.reaches(other, 'running');
    const { writer } = streamJob().job.content[0]!;
    const reader = { name: throwing, parameter: { how, secret: '${env:HIDDEN}' } };
    const submitted = await server.dray('submit', writeJob(tempFolder(), { job: { content: [{ reader, writer }] } }, 'throwing.json'));
    const run = submitted.stdout.trim();
    const { exitCode, stderr } = await server.running.ended;
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      `error INTERNAL: a plugin of the run ${run} throwing has thrown an exception that nobody catches: nobody waits for this ***`,
    );
    expect(stderr).toContain('1 run can be resumed: `dray serve --resume`');
    expect(stderr).not.toContain(secret);
    const { stdout } = await server.dray('runs', '--json');
    const { runs } = JSON.parse(stdout) as { runs: { run: string; state: string; isResumable: boolean }[] };
    expect(runs.find((one) => one.run === other)).toMatchObject({ state: 'interrupted', isResumable: true });
    expect(runs.find((one) => one.run === run)).toMatchObject({ state: 'failed' });
    expect((await server.dray('log', run)).stdout).toContain('failed, 0 rows written, INTERNAL: a plugin of the run');
    // Nor does it end the next server.
    const next = await startServer(['--resume'], { state: server.state });
    await next.reaches(other, 'running');
    expect((await next.status(run)).state).toBe('failed');
  },
);
