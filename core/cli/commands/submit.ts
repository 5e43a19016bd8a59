import { readFile } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import { findRun, reportFile } from '../../ledger/run-store.ts';
import { type RunReport, reportedError, reportWithoutRun } from '../../report/report.ts';
import { asDrayError, DrayError } from '../../sdk/index.ts';
import type { RunStatus } from '../../serve/run-status.ts';
import { count } from '../format.ts';
import type { JobCommandOptions } from '../job-command.ts';
import { endOf } from '../run-once.ts';
import { Screen } from '../screen.ts';
import { ServerClient } from '../server-client.ts';
import { type StateOptions, stateOf } from '../state.ts';
import { summary } from '../summary.ts';

export interface SubmitOptions extends JobCommandOptions, StateOptions {
  readonly priority?: number;
  readonly wait: boolean;
}

const lineIntervalMs = 3000;

/** `dray submit`: gives jobs to the server; returns the exit code, that of the first file whose job was refused, or failed. */
export async function submitJobs(files: readonly string[], options: SubmitOptions): Promise<number> {
  const client = await ServerClient.find(options);
  const runs: (string | number)[] = [];
  for (const file of files) runs.push(await submit(client, file, options));
  const exitCodes = options.wait ? await awaited(client, runs, options) : runs.map((run) => (typeof run === 'number' ? run : 0));
  return exitCodes.find((code) => code !== 0) ?? 0;
}

/** @returns the run; or the exit code, if the job was refused */
async function submit(client: ServerClient, file: string, options: SubmitOptions): Promise<string | number> {
  const { param, priority, channels, lenient, json, wait } = options;
  const screen = new Screen();
  try {
    const wanted = { ...(priority === undefined ? {} : { priority }), ...(channels === undefined ? {} : { channels }) };
    const body = { file: resolve(file), parameters: param, isLenient: lenient, ...wanted };
    const { warnings, ...status } = await client.ask<RunStatus & { warnings: string[] }>('POST', '/runs', body);
    for (const warning of warnings) screen.warn(warning);
    if (wait) screen.line(`${status.run}  ${status.job}: submitted, priority ${status.priority}`);
    else if (json) screen.json(status);
    else screen.result(`${status.run}\n`);
    return status.run;
  } catch (error) {
    const failure = asDrayError(error);
    // Without a server there is nothing to be said of each file.
    if (failure.code === 'NO_SERVER') throw failure;
    if (json) screen.json(reportWithoutRun({ run: '', job: basename(file, extname(file)), error: reportedError(failure) }));
    screen.error(failure.toWire());
    return failure.exitCode;
  }
}

/** Waits for the runs to end, and prints their reports. Ctrl-C ends the waiting, and nothing else. */
async function awaited(client: ServerClient, runs: readonly (string | number)[], options: SubmitOptions): Promise<number[]> {
  const stop = new AbortController();
  let exitCode = 0;
  const stopWith = (code: number) => () => {
    exitCode = code;
    stop.abort();
  };
  const [onInt, onTerm] = [stopWith(130), stopWith(143)];
  process.once('SIGINT', onInt).once('SIGTERM', onTerm);
  try {
    return await Promise.all(runs.map(async (run) => (typeof run === 'number' ? run : followed(client, run, stop.signal, options))));
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    new Screen().line('the runs go on at the server; `dray status` shows them');
    return [exitCode];
  } finally {
    process.off('SIGINT', onInt).off('SIGTERM', onTerm);
  }
}

async function followed(client: ServerClient, run: string, signal: AbortSignal, options: SubmitOptions): Promise<number> {
  const screen = new Screen();
  let told = performance.now();
  let isEnded = false;
  for await (const event of client.events(run, signal)) {
    switch (event.type) {
      case 'warning':
        screen.warn(`${event.job}: ${event.message}`);
        break;
      case 'dirty':
        screen.warn(`${event.job}: dirty record: ${event.message}`);
        break;
      case 'note':
      case 'changed':
        screen.note(`${event.job}: ${event.message}`);
        break;
      case 'progress': {
        if (performance.now() - told < lineIntervalMs) break;
        told = performance.now();
        const share = event.percent === undefined ? '' : `${event.percent} % `;
        const remark = event.remark === undefined ? '' : `, ${event.remark}`;
        screen.line(`${share}${event.job}: ${count(event.rows.written)} rows, ${count(event.rowsPerSecond)} rows/s${remark}`);
        break;
      }
      case 'ended':
        isEnded = true;
        break;
      case 'submitted':
      case 'resumed':
      case 'planning':
      case 'decision':
      case 'content':
        break;
    }
  }
  if (!isEnded) throw new DrayError('NO_SERVER', `the server has ended before the run ${run} had`);
  // From the folder, not from the server: it may be the server's end that has ended the run.
  const { folder } = await findRun(stateOf(options), run);
  const report = JSON.parse(await readFile(reportFile(folder), 'utf8')) as RunReport;
  if (options.json) screen.json(report);
  else screen.line(summary(report));
  return endOf(report, screen, undefined);
}
