import type { DecisionCost } from './decision-cost.ts';
import type { NightResult } from './simulate.ts';
import { hour, midnight, priorities, type Workload } from './workload.ts';

export function mean(values: readonly number[]): number {
  return values.reduce((sum, one) => sum + one, 0) / Math.max(1, values.length);
}

/** @param part 0.99: the smallest value that 99 of 100 do not exceed */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

/** Rows of a Markdown table, the first of them its head. */
function markdown([head = [], ...rows]: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

export function nightTable(nights: readonly NightResult[], workload: Workload): string {
  const { hosts, slotsPerHost, jobs, tasks } = workload.scale;
  const count = (value: number) => value.toLocaleString('en');
  const rows = nights.map((night) => {
    const dated = night.jobs.filter(({ job }) => job.deadlineAt !== undefined);
    const missed = dated.filter(({ job, tookMs }) => job.arrivesAt + tookMs > job.deadlineAt!);
    const busy = night.samples.filter(({ at, running }) => at >= midnight && running > 0);
    const idle = 1 - mean(busy.map(({ running, slots }) => Math.min(1, running / slots)));
    return [
      night.policy,
      ((night.endsAt - midnight) / hour).toFixed(2),
      `${count(missed.length)} of ${count(dated.length)} (${((missed.length / dated.length) * 100).toFixed(1)} %)`,
      `${(idle * 100).toFixed(0)} %`,
      count(Math.round(night.overloadMinutes)),
      `${night.seconds.toFixed(0)} (${count(Math.round(night.endsAt / 1000 / night.seconds))} ×)`,
    ];
  });
  const head = [
    'policy',
    'last job ends, hours after midnight',
    'deadlines missed',
    'slots idle until then',
    'source overload, minutes',
    'seconds to simulate (÷ night)',
  ];
  const waits = nights.map((night) => [
    night.policy,
    ...priorities.map((priority) => {
      const waited = night.jobs.filter(({ job }) => job.priority === priority).map(({ waitedMs }) => waitedMs / 60_000);
      return `${mean(waited).toFixed(1)} / ${quantile(waited, 0.99).toFixed(1)}`;
    }),
    ...[9, 1].map((priority) =>
      mean(night.jobs.filter(({ job }) => job.priority === priority).map(({ tookMs }) => tookMs / 60_000)).toFixed(0),
    ),
  ]);
  const waitHead = ['policy', ...priorities.map((priority) => `priority ${priority}: wait, mean / p99`), 'whole job, 9', 'whole job, 1'];
  const title = `${count(hosts)} hosts × ${slotsPerHost} slots, ${count(jobs)} jobs, ${count(tasks)} tasks`;
  return `${title}\n\n${markdown([head, ...rows])}\n\nMinutes from the arrival of a job to the start of its first task, and to its end:\n\n${markdown([waitHead, ...waits])}`;
}

export function costTable(costs: readonly DecisionCost[]): string {
  const rows = costs.map(({ jobs, tasks, decisionUs, meanUs, p99Us, slowestUs }) => [
    jobs.toLocaleString('en'),
    tasks.toLocaleString('en'),
    decisionUs.toFixed(1),
    meanUs.toFixed(1),
    p99Us.toFixed(1),
    (slowestUs / 1000).toFixed(1),
  ]);
  return markdown([['jobs', 'queued tasks', 'µs per decision', 'µs per event', '99th percentile', 'slowest, ms'], ...rows]);
}
