import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { writeJob } from '../support/run-dray.ts';
import { streamJob } from '../support/sample-jobs.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

const projectFolder = join(import.meta.dirname, '..', '..');
const cli = join(projectFolder, 'dist', 'bundle', 'core', 'cli', 'main.js');

/** Runs a command on a terminal of its own (`script` of bsdutils or util-linux). */
function onTerminal(command: string): {
  child: ChildProcess;
  output: () => string;
  ended: Promise<number | null>;
  type: (keys: string) => void;
} {
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: projectFolder,
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, TERM: 'xterm', COLUMNS: '160', NO_COLOR: undefined, FORCE_COLOR: undefined, CI: undefined },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { child, output: () => output, ended, type: (keys) => void child.stdin!.write(keys) };
}

const slow = () => writeJob(tempFolder(), streamJob({ rows: 2000, setting: { speed: { channel: 1, record: 1000 } } }));
const endless = () => writeJob(tempFolder(), streamJob({ rows: 1e9, setting: { speed: { channel: 1, record: 1000 } } }));

test('on a terminal a bar with percent, speed and time left is drawn in place, and cleared before the summary', async () => {
  const { output, ended } = onTerminal(`node ${cli} run ${slow()}`);
  expect(await ended).toBe(0);
  expect(output()).toMatch(/[█░]{20} \d+ % job stream → stream \(1 task\): [\d,]+ rows, [\d,]+ rows\/s, [^\r\n]* left/);
  const [bar, summary] = output().split('job: done in') as [string, string];
  expect(bar.split('\x1b[2K').at(-1)).not.toMatch(/[█░]/);
  expect(bar).not.toContain('\n');
  expect(summary).toContain('2,000 read, 2,000 written');
});

test('the output of a command that is not a terminal keeps the bar out of it', async () => {
  const { output, ended } = onTerminal(`node ${cli} run ${slow()} 2>&1 >/dev/null | cat`);
  expect(await ended).toBe(0);
  for (const drawn of ['█', '░', '\x1b']) expect(output()).not.toContain(drawn);
  expect(output()).toContain('job: done in');
});

test('an error is coloured on a terminal only', async () => {
  const { output, ended } = onTerminal(`node ${cli} run /no/such/job.json`);
  expect(await ended).toBe(2);
  expect(output()).toContain('\x1b[31merror');
});

/** The cache of npx keeps a link to the command of each clone: one made by an earlier build of this folder may point elsewhere. */
function withNewNpmCache() {
  vi.stubEnv('npm_config_cache', tempFolder());
  onTestFinished(() => void vi.unstubAllEnvs());
}

test('npx dray works in the clone, and leaves what is built to the runs that use it', async () => {
  const built = statSync(cli).mtimeMs;
  withNewNpmCache();
  const { output, ended } = onTerminal('npx dray --version');
  expect(await ended).toBe(0);
  expect(output()).toMatch(/(^|[^\d.])\d+\.\d+\.\d+\r\n/);
  expect(statSync(cli).mtimeMs).toBe(built);
});

test.each(['node dist/bundle/core/cli/main.js', 'npx dray'])(
  'one Ctrl-C at the terminal stops `%s run` cleanly, with its report',
  async (program) => {
    withNewNpmCache();
    const { output, ended, type } = onTerminal(`${program} run ${endless()}; echo "ended with $?"`);
    await until('the bar shows rows', 30_000, async () => expect(output()).toContain(' rows/s'));
    type('\x03');
    await ended;
    expect(output()).toContain('Ctrl-C: stopping');
    expect(output()).toContain('job: cancelled in');
    expect(output()).toContain('error');
    expect(output()).toContain('CANCELLED');
  },
);
