import { type Curve, curveChart } from '../../core/bench/curve-chart.ts';
import { quantile } from './night-table.ts';
import type { NightResult } from './simulate.ts';
import { hour } from './workload.ts';

const colors = ['#0b6e4f', '#d1495b', '#30638e'];

/** Tasks that run over the night, for each policy, and what the hosts would let run. */
export function runningChart(nights: readonly NightResult[]): string {
  const lastAt = Math.max(...nights.map(({ endsAt }) => endsAt));
  const open = nights.reduce((longest, night) => (night.samples.length > longest.samples.length ? night : longest)).samples;
  // A policy that does not look at its hosts runs more tasks than they have slots open.
  const highest = [...open.map(({ slots }) => slots), ...nights.flatMap(({ samples }) => samples.map(({ running }) => running))].reduce(
    (most, one) => Math.max(most, one),
  );
  const curves: Curve[] = [
    { title: 'open slots', color: '#999999', dash: '2 3', points: open.map(({ at, slots }) => [at, slots]) },
    ...nights.map(({ policy, samples }, index) => ({
      title: policy,
      color: colors[index]!,
      points: samples.map(({ at, running }): [number, number] => [at, running]),
    })),
  ];
  const hours = Array.from({ length: Math.floor(lastAt / hour) + 1 }, (_, index): [number, string] => [
    index * hour,
    `${(index + 22) % 24}:00`,
  ]);
  const step = roundStep(highest / 4);
  const marks = Array.from({ length: Math.floor(highest / step) + 1 }, (_, index): [number, string] => [
    step * index,
    (step * index).toLocaleString('en'),
  ]);
  const every = Math.ceil(hours.length / 10);
  const across = { title: 'time of night', least: 0, most: lastAt, marks: hours.filter((_, index) => index % every === 0) };
  return curveChart('Running tasks', curves, across, { title: 'tasks', least: 0, most: highest * 1.05, marks });
}

/** 1, 2 or 5 with zeros behind it: the least that is no less. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((times) => times * power).find((step) => step >= least)!;
}

/** How many of the jobs of a priority have started within a time. */
export function waitChart(nights: readonly NightResult[]): string {
  const dashes = [
    [9, ''],
    [5, '6 3'],
    [1, '2 3'],
  ] as const;
  const curves = nights.flatMap(({ policy, jobs }, index) =>
    dashes.map(([priority, dash]): Curve => {
      const waits = jobs.filter(({ job }) => job.priority === priority).map(({ waitedMs }) => Math.max(1, waitedMs / 1000));
      const points = Array.from({ length: 101 }, (_, part): [number, number] => [quantile(waits, part / 100), part / 100]);
      return { title: `${policy.split(',')[0]}, priority ${priority}`, color: colors[index]!, dash, points };
    }),
  );
  const marks: [number, string][] = [
    [1, '≤ 1 s'],
    [10, '10 s'],
    [60, '1 min'],
    [600, '10 min'],
    [3600, '1 h'],
    [36_000, '10 h'],
  ];
  const longest = Math.max(3600, ...curves.flatMap(({ points }) => points.map(([wait]) => wait)));
  const across = {
    title: 'wait for the first task',
    least: 1,
    most: longest,
    marks: marks.filter(([at]) => at <= longest),
    isLogarithmic: true,
  };
  const parts = [0, 0.25, 0.5, 0.75, 1].map((part): [number, string] => [part, `${part * 100} %`]);
  return curveChart('Jobs that have begun', curves, across, { title: 'of the jobs', least: 0, most: 1, marks: parts });
}
