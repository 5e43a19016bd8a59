import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Contestant, runCourse } from '../../bench/course.ts';
import { type Command, measuredRun } from '../../bench/measured-run.ts';
import { type BenchResult, failuresOf, type LaneResult } from '../../bench/results.ts';
import { resultTables } from '../../bench/tables.ts';
import { thisMachine } from '../../bench/this-machine.ts';
import { defaultChannels } from '../../controller/limits.ts';
import type { RunReport } from '../../report/report.ts';
import { asDrayError, DrayError } from '../../sdk/index.ts';
import { plural } from '../format.ts';
import { onInterrupt } from '../interrupt.ts';
import { type JobCommandOptions, loadForCommand } from '../job-command.ts';
import { Screen } from '../screen.ts';

export interface BenchCommandOptions extends Omit<JobCommandOptions, 'channels'> {
  /** The numbers of channels to run each job with. */
  readonly channels?: readonly number[];
  readonly runs: number;
  /** Shell commands that do the same, to be measured beside it. */
  readonly against: readonly string[];
  /** Shell command before each run. */
  readonly before?: string;
  /** Files for the results. */
  readonly markdown?: string;
  readonly svg?: string;
}

/** What a bench of jobs works with. */
interface Bench {
  readonly options: BenchCommandOptions;
  readonly screen: Screen;
  readonly signal: AbortSignal;
  /** Ends with the bench: the state of its runs, and their reports. */
  readonly folder: string;
}

/** `dray bench`: runs jobs again and again, with different numbers of channels and beside other commands, in turn. Returns the exit code. */
export async function benchJobs(files: readonly string[], options: BenchCommandOptions): Promise<number> {
  const screen = new Screen();
  const interrupt = onInterrupt((message) => screen.line(message));
  const loadBefore = loadavg()[0] ?? 0;
  const folder = await mkdtemp(join(tmpdir(), 'dray-bench-'));
  try {
    const lanes: LaneResult[] = [];
    for (const file of files) lanes.push(await benchJob(file, { options, screen, signal: interrupt.signal, folder }));
    await tell({ machine: thisMachine([], loadBefore), lanes }, options, screen);
    return lanes.every((lane) => failuresOf(lane).length === 0) ? 0 : 1;
  } catch (thrown) {
    const error = asDrayError(interrupt.signal.aborted ? interrupt.signal.reason : thrown);
    screen.error(error.toWire());
    return interrupt.exitCode() ?? error.exitCode;
  } finally {
    interrupt.release();
    await rm(folder, { recursive: true, force: true });
  }
}

async function benchJob(file: string, bench: Bench): Promise<LaneResult> {
  const { options, screen, signal } = bench;
  const { param, lenient, json } = options;
  if (file === '-')
    throw new DrayError('USAGE', 'dray bench runs a job again and again, and standard input can be read once', {
      remedy: 'Give a file or a URL.',
    });
  const job = await loadForCommand(file, { param, lenient, json }, screen);
  const channels = options.channels ?? [...new Set([1, job.channels ?? defaultChannels()])];
  const runs = channels.map((count) => runOf(file, count, bench));
  screen.line(
    `${job.name}: runs once to warm up, then ${plural(options.runs, 'time')} with ${channels.length === 1 ? plural(channels[0]!, 'channel') : `each of ${channels.join(', ')} channels`}${besides(options)}`,
  );
  // Tells what its rows are, and fills the caches of the servers.
  const warmUp = runs[0]!;
  await before(bench);
  await measuredRun(warmUp.command, signal).catch((error: Error) => {
    signal.throwIfAborted();
    throw new DrayError('BENCH_FAILED', `the job cannot be measured, because a run of it fails. ${firstLine(error)}`, { place: file });
  });
  const rows = await warmUp.rows();
  const rivals = options.against.map(
    (line): Contestant => ({ title: line, isRival: true, command: shell(line), check: async () => undefined }),
  );
  const own = runs.map(
    ({ title, command, rows: written }): Contestant => ({
      title,
      isRival: false,
      command,
      async check() {
        const count = await written();
        if (count !== rows) throw new Error(`wrote ${plural(count, 'row')} instead of ${rows}`);
        return undefined;
      },
    }),
  );
  return runCourse(
    {
      lane: job.name,
      type: 'throughput',
      rows,
      runs: options.runs,
      contestants: [...rivals, ...own],
      prepare: () => before(bench),
      check: async () => undefined,
    },
    { signal, say: (text) => screen.line(text) },
  );
}

function besides({ against }: BenchCommandOptions): string {
  return against.length === 0 ? '' : `, in turn with ${plural(against.length, 'other command')}`;
}

/** The job with so many channels, by a process of its own, as a user would run it. */
function runOf(file: string, channels: number, { options, folder }: Bench) {
  const report = join(folder, `report-${channels}.json`);
  const given = Object.entries(options.param).flatMap(([name, value]) => ['-p', `${name}=${value}`]);
  const how = ['--json', '--state-dir', join(folder, 'state'), '--channels', String(channels), ...(options.lenient ? ['--lenient'] : [])];
  const words = [
    '/bin/sh',
    '-c',
    'exec "$@" > "$DRAY_BENCH_REPORT"',
    'sh',
    process.execPath,
    process.argv[1]!,
    'run',
    file,
    ...how,
    ...given,
  ];
  return {
    title: `dray, ${plural(channels, 'channel')}`,
    command: { words, env: { DRAY_BENCH_REPORT: report } },
    /** Of its latest run. */
    rows: async () => (JSON.parse(await readFile(report, 'utf8')) as RunReport).rows.written,
  };
}

async function before({ options, signal }: Bench): Promise<void> {
  if (options.before === undefined) return;
  await measuredRun(shell(options.before), signal).catch((error: Error) => {
    signal.throwIfAborted();
    throw new DrayError('BENCH_FAILED', `the command of --before fails: ${options.before}. ${firstLine(error)}`);
  });
}

/** What stands below it is for who runs the command by itself. */
function firstLine({ message }: Error): string {
  return message.split('\n')[0]!;
}

function shell(line: string): Command {
  return { words: ['/bin/sh', '-c', line], env: {} };
}

async function tell(result: BenchResult, { json, markdown, svg }: BenchCommandOptions, screen: Screen): Promise<void> {
  const tables = resultTables(result);
  if (json) screen.json(result);
  else screen.result(`${tables}\n`);
  if (markdown !== undefined) await writeFile(markdown, `${tables}\n`);
  if (svg !== undefined) {
    const { resultChart } = await import('../../bench/result-chart.ts');
    await writeFile(svg, resultChart(result));
  }
}
