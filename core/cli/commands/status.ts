import type { RunStatus } from '../../serve/run-status.ts';
import { bytes, count } from '../format.ts';
import { Screen } from '../screen.ts';
import { ServerClient } from '../server-client.ts';
import { type StateOptions, stateOf } from '../state.ts';

export interface StatusOptions extends StateOptions {
  readonly json: boolean;
}

/** `dray status`: the runs of the server, or all about one. */
export async function printStatus(run: string | undefined, options: StatusOptions): Promise<void> {
  const client = await ServerClient.find(options);
  const screen = new Screen();
  if (run !== undefined) {
    const status = await client.ask<RunStatus>('GET', `/runs/${encodeURIComponent(run)}`);
    if (options.json) screen.json(status);
    else screen.result(`${detailsOf(status)}\n`);
    return;
  }
  const { runs } = await client.ask<{ runs: RunStatus[] }>('GET', '/runs');
  if (options.json) screen.json({ runs });
  else if (runs.length === 0) screen.line(`nothing was submitted to the server of ${stateOf(options)} since it began`);
  else screen.result(runs.map((status) => `${lineOf(status)}\n`).join(''));
}

/** One line for people about a run. */
export function lineOf({ run, job, state, priority, percent, rows, rowsPerSecond, slots, waitsFor, remark, error }: RunStatus): string {
  const share = percent === undefined || state === 'waiting' ? '' : `${percent} %`;
  const parts = [`${count(rows?.written ?? 0)} rows`];
  if (state === 'running' && rowsPerSecond !== undefined) parts.push(`${count(rowsPerSecond)} rows/s`);
  if (slots !== undefined) parts.push(`tasks: ${slots.running} running, ${slots.waiting} waiting`);
  if (priority !== undefined && slots !== undefined) parts.push(`priority ${priority}`);
  if (waitsFor !== undefined) parts.push(`waits for ${waitsFor}`);
  if (remark !== undefined) parts.push(remark);
  if (error !== undefined) parts.push(error.code);
  return `${run}  ${state.padEnd(11)}  ${share.padStart(4)}  ${job}  ${parts.join(', ')}`;
}

function detailsOf(status: RunStatus): string {
  const { run, job, file, state, priority, percent, rows, bytes: size, rowsPerSecond, slots, channels } = status;
  const { submitted, started, ended, planning, waitsFor, remark, error, isResumable } = status;
  const lines: (readonly [string, string | undefined])[] = [
    ['state', percent === undefined ? state : `${state}, ${percent} %`],
    ['waits for', waitsFor],
    ['remark', remark],
    ['planning', planning],
    ['file', file],
    ['priority', priority === undefined ? undefined : String(priority)],
    ['tasks', slots === undefined ? undefined : `${slots.running} running, ${slots.waiting} waiting`],
    ['channels', channels === undefined ? undefined : String(channels)],
    [
      'rows',
      rows && `${count(rows.read)} read, ${count(rows.written)} written, ${count(rows.dirty)} dirty, ${count(rows.filtered)} filtered`,
    ],
    ['speed', rowsPerSecond === undefined ? undefined : `${count(rowsPerSecond)} rows/s`],
    ['bytes', size && bytes(size.written)],
    ['submitted', timeOf(submitted)],
    ['started', timeOf(started)],
    ['ended', timeOf(ended)],
    ['error', error && `${error.code}: ${error.message}`],
    ['then', isResumable ? `\`dray resume ${run}\` goes on with it` : undefined],
  ];
  const known = lines.filter(([, text]) => text !== undefined).map(([name, text]) => `  ${name.padEnd(9)}  ${text}`);
  return [`${run}  ${job}`, ...known].join('\n');
}

function timeOf(iso: string | undefined): string | undefined {
  return iso?.slice(0, 19).replace('T', ' ');
}
