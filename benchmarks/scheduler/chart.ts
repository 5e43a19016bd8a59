import { quantile } from './night-table.ts';
import type { NightResult } from './simulate.ts';
import { hour } from './workload.ts';

interface Curve {
  readonly title: string;
  readonly color: string;
  readonly dash?: string;
  /** Of both axes, in their units. */
  readonly points: readonly (readonly [number, number])[];
}

interface Axis {
  readonly title: string;
  readonly least: number;
  readonly most: number;
  /** Where there are marks, and what stands there. */
  readonly marks: readonly (readonly [number, string])[];
  readonly isLogarithmic?: boolean;
}

const size = { width: 900, height: 420, left: 70, right: 190, top: 30, bottom: 50 };
const colors = ['#0b6e4f', '#d1495b', '#30638e'];

/** Tasks that run over the night, for each policy, and what the hosts would let run. */
export function runningChart(nights: readonly NightResult[]): string {
  const lastAt = Math.max(...nights.map(({ endsAt }) => endsAt));
  const open = nights.reduce((longest, night) => (night.samples.length > longest.samples.length ? night : longest)).samples;
  const highest = Math.max(...open.map(({ slots }) => slots));
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
  const marks = Array.from({ length: 5 }, (_, index): [number, string] => [
    (highest / 4) * index,
    Math.round((highest / 4) * index).toLocaleString('en'),
  ]);
  const every = Math.ceil(hours.length / 10);
  const across = { title: 'time of night', least: 0, most: lastAt, marks: hours.filter((_, index) => index % every === 0) };
  return chart('Running tasks', curves, across, { title: 'tasks', least: 0, most: highest * 1.05, marks });
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
      return { title: `${policy}, priority ${priority}`, color: colors[index]!, dash, points };
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
  return chart('Jobs that have begun', curves, across, { title: 'of the jobs', least: 0, most: 1, marks: parts });
}

function chart(title: string, curves: readonly Curve[], across: Axis, up: Axis): string {
  const { width, height, left, right, top, bottom } = size;
  const x = (value: number) => left + share(across, value) * (width - left - right);
  const y = (value: number) => height - bottom - share(up, value) * (height - top - bottom);
  const round = (value: number) => value.toFixed(1);
  const text = (at: number, below: number, words: string, anchor = 'middle') =>
    `<text x="${round(at)}" y="${round(below)}" text-anchor="${anchor}">${words}</text>`;
  const lines = [
    ...across.marks.map(
      ([at, words]) => `<path class="mark" d="M${round(x(at))} ${top}V${height - bottom}"/>${text(x(at), height - bottom + 18, words)}`,
    ),
    ...up.marks.map(
      ([at, words]) => `<path class="mark" d="M${left} ${round(y(at))}H${width - right}"/>${text(left - 8, y(at) + 4, words, 'end')}`,
    ),
    ...curves.map(
      ({ color, dash = '', points }) =>
        `<path stroke="${color}" stroke-dasharray="${dash}" d="M${points.map(([a, b]) => `${round(x(a))} ${round(y(b))}`).join('L')}"/>`,
    ),
    ...curves.map(({ title: name, color, dash = '' }, index) => {
      const line = top + 10 + 20 * index;
      return `<path stroke="${color}" stroke-dasharray="${dash}" d="M${width - right + 12} ${line}h24"/>${text(width - right + 42, line + 4, name, 'start')}`;
    }),
  ];
  const style = 'text{font:12px sans-serif;fill:#333}path{fill:none;stroke-width:1.5}.mark{stroke:#ddd;stroke-width:1}';
  const names = `${text(left, 18, title, 'start')}${text((left + width - right) / 2, height - 10, across.title)}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}"><title>${title}</title><style>${style}</style><rect width="100%" height="100%" fill="#fff"/>\n${names}\n${lines.join('\n')}\n</svg>\n`;
}

function share({ least, most, isLogarithmic = false }: Axis, value: number): number {
  return isLogarithmic ? Math.log(value / least) / Math.log(most / least) : (value - least) / (most - least);
}
