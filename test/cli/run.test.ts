import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type RunningDray, runDray, startDray, writeJob } from '../support/run-dray.ts';
import { streamJob } from '../support/sample-jobs.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

const rowCounts = { read: expect.any(Number), written: expect.any(Number), dirty: expect.any(Number), filtered: expect.any(Number) };
const tally = {
  rows: rowCounts,
  bytes: { read: expect.any(Number), written: expect.any(Number) },
  waits: { reader: expect.any(Number), writer: expect.any(Number) },
};

describe('the report of --json', () => {
  test('is one JSON object of a stable shape', async () => {
    const path = writeJob(tempFolder(), streamJob({ rows: 10 }), 'night.json');
    const { exitCode, stdout, stderr, report } = await runDray(['run', '--json', '--channels', '2', path]);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^\{[^\n]*\}\n$/);
    const end = { ...tally, rows: { read: 10, written: 10, dirty: 0, filtered: 0 }, state: 'done' };
    expect(report).toStrictEqual({
      ...tally,
      run: expect.stringMatching(/^\d{8}-\d{6}-[0-9a-f]{6}$/),
      job: 'night',
      state: 'done',
      rows: { read: 20, written: 20, dirty: 0, filtered: 0 },
      seconds: expect.any(Number),
      rowsPerSecond: expect.any(Number),
      guarantee: 'at-least-once',
      channels: 2,
      contents: [
        {
          ...end,
          rows: { read: 20, written: 20, dirty: 0, filtered: 0 },
          reader: 'stream',
          writer: 'stream',
          tasks: 2,
          channels: 2,
          channelsWhy: 'as the job or the command line says',
          guarantee: 'at-least-once',
        },
      ],
      tasks: [0, 1].map((id) => ({
        ...end,
        ...{ id, content: 0, split: `slice ${id}`, seconds: expect.any(Number) },
        attempts: [
          {
            attempt: 1,
            state: 'done',
            start: expect.stringMatching(/^thread [12]: waited [\d.]+ s, priority 5/),
            seconds: expect.any(Number),
          },
        ],
      })),
    });
  });

  test('has the same keys and an error when the job file is wrong', async () => {
    const path = writeJob(tempFolder(), '{"job": {', 'night.json');
    const { exitCode, report } = await runDray(['run', '--json', path]);
    expect(exitCode).toBe(2);
    expect(report).toStrictEqual({
      ...tally,
      run: expect.any(String),
      job: 'night',
      state: 'failed',
      seconds: 0,
      rowsPerSecond: 0,
      guarantee: 'at-least-once',
      channels: 0,
      contents: [],
      tasks: [],
      error: { code: 'JOB_SYNTAX', message: expect.any(String), place: `${path}:1:10`, remedy: expect.any(String) },
    });
  });

  test('stays alone on stdout when a writer prints its rows', async () => {
    const path = writeJob(tempFolder(), streamJob({ rows: 3, print: true }));
    for (const channels of ['1', '2']) {
      const { stdout, stderr, report } = await runDray(['run', '--json', '--channels', channels, path]);
      expect(JSON.parse(stdout)).toEqual(report);
      expect(report?.state).toBe('done');
      expect(stderr).toContain('3\thello\n');
    }
  });

  test('is a line per job when there are several', async () => {
    const folder = tempFolder();
    const files = ['a.json', 'b.json'].map((name) => writeJob(folder, streamJob(), name));
    const { stdout } = await runDray(['run', '--json', ...files]);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { job: string }).job)
        .sort(),
    ).toEqual(['a', 'b']);
  });
});

test('without --json rows go to stdout, and the summary to stderr', async () => {
  const { stdout, stderr } = await runDray(['run', writeJob(tempFolder(), streamJob({ rows: 3, print: true }))]);
  expect(stdout).toBe('1\thello\n2\thello\n3\thello\n');
  expect(stderr).toContain('job: done in ');
  expect(stderr).toContain('3 read, 3 written, 0 dirty, 0 filtered');
});

test('several jobs run side by side, and none begins where the file of another one is wrong', async () => {
  const folder = tempFolder();
  const [good, bad] = [writeJob(folder, streamJob(), 'good.json'), writeJob(folder, '{}', 'bad.json')];
  expect((await runDray(['run', good, good])).stderr.match(/good: done/g)).toHaveLength(2);
  const { exitCode, stderr } = await runDray(['run', good, bad]);
  expect(exitCode).toBe(2);
  expect(stderr).not.toContain('good: done');
});

test('a job that fails does not stop the others, and its exit code is that of the command', async () => {
  const folder = tempFolder();
  const failing = streamJob();
  Object.assign(failing.job.content[0]!.reader.parameter, { column: [{ type: 'string', value: 'x' }], sliceRecordCount: 1 });
  Object.assign(failing.job.content[0]!, {
    writer: { name: 'txtfilewriter', parameter: { path: '/dev/null/no', fileName: 'x', writeMode: 'truncate' } },
  });
  const files = [writeJob(folder, failing, 'failing.json'), writeJob(folder, streamJob(), 'good.json')];
  const { exitCode, stderr } = await runDray(['run', ...files]);
  expect(exitCode).toBe(4);
  expect(stderr).toContain('failing: failed');
  expect(stderr).toContain('good: done');
});

test('of many jobs on one slot those of a higher priority go first', async () => {
  const folder = tempFolder();
  const files = [3, 9, 0, 6].map((priority) => writeJob(folder, streamJob({ setting: { priority } }), `p${priority}.json`));
  const { exitCode, stderr } = await runDray(['run', '--slots', '1', ...files]);
  expect(exitCode).toBe(0);
  // Which one is the first to ask for the slot is open; all others then wait for it.
  const ends = stderr.match(/p\d(?=: done)/g)!;
  expect(ends).toHaveLength(4);
  expect(ends.slice(1)).toEqual(ends.slice(1).sort().reverse());
});

test('a job of a pool that has no slots is refused, and --pool gives it some', async () => {
  const path = writeJob(tempFolder(), streamJob({ setting: { pool: 'important' } }));
  const refused = await runDray(['run', path]);
  expect(refused.exitCode).toBe(2);
  expect(refused.stderr).toContain('there is no pool "important"');
  expect((await runDray(['run', '--pool', 'important=1', path])).exitCode).toBe(0);
});

test('a job that will not end in time says so while it runs, gets more threads, and in its report', async () => {
  const job = streamJob({ setting: { finishWithin: '1s', speed: { record: 10 } }, rows: 30 });
  const { stderr, report } = await runDray(['run', '--json', '--verbose', writeJob(tempFolder(), job, 'night.json')]);
  expect(stderr).toMatch(/night stream → stream .*will miss its 1 s by \d+ s/);
  expect(report!.contents[0]!.missed).toMatchObject({ due: 'its 1 s', seconds: expect.any(Number) });
});

test('--verbose tells where and why each task starts', async () => {
  const { stderr } = await runDray(['run', '--verbose', '--priority', '7', writeJob(tempFolder(), streamJob(), 'night.json')]);
  expect(stderr).toMatch(/night: task 0 \(slice 0\) → thread 1: waited [\d.]+ s, priority 7/);
});

test('-p gives variables their values, also more than one, and wins over the environment', async () => {
  const job = JSON.stringify(streamJob({ print: true }))
    .replace('"sliceRecordCount":10', '"sliceRecordCount":${rows}')
    .replace('hello', '${word}=${env:WORD}');
  const path = writeJob(tempFolder(), job);
  const { stdout } = await runDray(['run', path, '-p', 'rows=2', '--param', 'word=a=b'], { env: { rows: '7', WORD: 'c' } });
  expect(stdout).toBe('1\ta=b=c\n2\ta=b=c\n');
  const without = await runDray(['run', path], { env: { WORD: 'c' } });
  expect(without.exitCode).toBe(2);
  expect(without.stderr).toContain('error JOB_VARIABLE: the variable ${rows} has no value');
  const wordless = await runDray(['run', path, '-p', '-Drows=1'], { env: { WORD: 'c' } });
  expect(wordless).toMatchObject({ exitCode: 0, stdout: '1\t${word}=c\n' });
  expect(wordless.stderr).toContain('warning the variable ${word} has no value and stays as it is');
});

test('an unknown key is refused, and with --lenient it is a warning', async () => {
  const path = writeJob(tempFolder(), streamJob({ setting: { spede: {} } }));
  const strict = await runDray(['run', path]);
  expect(strict.exitCode).toBe(2);
  expect(strict.stderr).toMatch(
    /^error JOB_UNKNOWN_KEY: unknown key "spede" in job\.setting; did you mean "speed"\?\n {2}where: +.*job\.json:\d+:\d+\n {2}what to do: .+\n$/,
  );
  const lenient = await runDray(['run', '--lenient', path]);
  expect(lenient.exitCode).toBe(0);
  expect(lenient.stderr).toContain('warning unknown key "spede" in job.setting; did you mean "speed"?');
});

test('comments, trailing commas and keys of DataX without effect are accepted, the latter with a warning each', async () => {
  const job = JSON.stringify({ core: { container: { model: 'job' } }, ...streamJob() }, null, 2).replace(
    '"print": false',
    '"print": "false", "encoding": "UTF-8", // old',
  );
  const { exitCode, stderr } = await runDray(['run', writeJob(tempFolder(), `/* nightly */\n${job}`)]);
  expect(exitCode).toBe(0);
  expect(stderr).toContain('warning core.container.model has no effect: ');
  expect(stderr).toContain('warning job.content[0].writer.parameter.encoding has no effect: ');
});

test('a run that takes longer tells its progress in a line every few seconds, without control characters', async () => {
  const path = writeJob(tempFolder(), streamJob({ rows: 80, setting: { speed: { channel: 1, record: 20 } } }));
  const { exitCode, stderr } = await runDray(['run', path]);
  expect(exitCode).toBe(0);
  expect(stderr).toMatch(/^\d+ % job stream → stream \(1 task\): \d+ rows, \d+ rows\/s, .* left$/m);
  for (const control of ['\r', '\x1b']) expect(stderr).not.toContain(control);
});

test('a short run tells no progress', async () => {
  const { stderr } = await runDray(['run', writeJob(tempFolder(), streamJob())]);
  expect(stderr).not.toContain(' % ');
});

/** A job that prints rows for hours. */
const endlessJob = () => streamJob({ rows: 1e9, print: true, setting: { speed: { channel: 1, record: 1000 } } });

/** Starts a job, and waits until it moves rows. */
async function startEndless(args: readonly string[]): Promise<RunningDray> {
  const running = startDray(['run', ...args]);
  await until('rows are moving', 20_000, async () => expect(running.stdout() + running.stderr()).toContain('hello'));
  return running;
}

describe.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s', (signal, code) => {
  test.each(['1', '2'])(`ends a run on %s channel(s) with exit code ${code} and a report`, async (channels) => {
    const running = await startEndless(['--json', '--channels', channels, writeJob(tempFolder(), endlessJob())]);
    running.signal(signal);
    const { exitCode, report, stderr } = await running.ended;
    expect(exitCode).toBe(code);
    expect(report).toMatchObject({ state: 'cancelled', rows: { read: 0, written: 0 }, error: { code: 'CANCELLED' } });
    expect(stderr).toContain('stopping, and undoing what is not committed');
  });
});

test('Ctrl-C ends all jobs that run side by side, also those that wait', async () => {
  const folder = tempFolder();
  const files = ['endless.json', 'behind.json'].map((name) => writeJob(folder, endlessJob(), name));
  const running = await startEndless(['--slots', '1', ...files]);
  running.signal('SIGINT');
  const { exitCode, stderr } = await running.ended;
  expect(exitCode).toBe(130);
  expect(stderr).toContain('endless: cancelled');
  expect(stderr).toContain('behind: cancelled');
});

test('the echo of a Ctrl-C, which npm passes on to a program that the terminal has told already, is not a second one', async () => {
  const running = await startEndless(['--json', writeJob(tempFolder(), endlessJob())]);
  running.signal('SIGINT');
  await until('the first signal was heard', 10_000, async () => expect(running.stderr()).toContain('stopping'), 1);
  running.signal('SIGINT');
  const { exitCode, report } = await running.ended;
  expect(exitCode).toBe(130);
  expect(report?.state).toBe('cancelled');
});

describe('a writer that hangs and does not heed the cancellation', () => {
  const start = async (folder: string, channels: string): Promise<RunningDray> => {
    const job = streamJob();
    const hanging = { name: join(import.meta.dirname, '..', 'support', 'hanging-writer.js'), parameter: {} };
    const content = [{ ...job.job.content[0], writer: hanging }];
    const running = startDray(['run', '--json', '--channels', channels, writeJob(folder, { job: { content } })]);
    await until('the writer hangs', 20_000, async () => expect(running.stderr()).toContain('the writer hangs now'));
    running.signal('SIGINT');
    await until('the first signal was heard', 10_000, async () => expect(running.stderr()).toContain('stopping'));
    return running;
  };

  test('is left behind at once by a second Ctrl-C', async () => {
    const running = await start(tempFolder(), '1');
    await until('dray has ended', 5000, async () => {
      running.signal('SIGINT');
      expect(running.child.exitCode).toBe(130);
    });
  });

  test.concurrent.each(['1', '2'])('is given up after some seconds, on %s channel(s), and the report still comes', async (channels) => {
    const folder = mkdtempSync(join(tmpdir(), 'dray-test-'));
    const { exitCode, report } = await (await start(folder, channels)).ended;
    rmSync(folder, { recursive: true });
    expect(exitCode).toBe(130);
    expect(report).toMatchObject({ state: 'cancelled', error: { code: 'CANCELLED' } });
  });
});

test('nothing is coloured where there is no terminal, also under CI', async () => {
  const { stderr } = await runDray(['run', '/no/such/job.json'], { env: { CI: 'true' } });
  expect(stderr).toMatch(/^error JOB_UNREADABLE: /);
});
