import { type Axis, type Curve, curveChart, curveChartSize } from './curve-chart.ts';
import { curveMs } from './measured-run.ts';
import { ratioChart } from './ratio-chart.ts';
import { ratiosOf } from './ratios.ts';
import type { BenchResult, LaneResult } from './results.ts';
import { median } from './results.ts';

const { width } = curveChartSize;
const colors = ['#0b6e4f', '#d1495b', '#30638e', '#8a5a00', '#6b4e9b', '#4f772d'];
const growth = /^grow-rows-/;

interface Panel {
  readonly svg: string;
  readonly height: number;
}

/** What ran, as panels one below the other: ratios, memory over time, and rows per second by rows. */
export function resultChart({ lanes }: BenchResult): string {
  const ratios = lanes.flatMap(ratiosOf);
  const panels = [
    ...(ratios.length > 0 ? [ratioChart(ratios)] : []),
    ...panelOf('Resident memory', memoryCurves(lanes), 'seconds', 'MB'),
    ...panelOf('Rows per second by rows of the table', growthCurves(lanes), 'million rows', 'thousand rows/s'),
  ];
  const height = panels.reduce((sum, panel) => sum + panel.height, 0);
  let y = 0;
  const placed = panels.map((panel) => {
    const at = `<svg y="${y}" width="${width}" height="${panel.height}" `;
    y += panel.height;
    return panel.svg.replace('<svg ', at);
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"><title>dray beside others</title>\n${placed.join('')}</svg>\n`;
}

/** Of the run of each memory lane that took most. */
function memoryCurves(lanes: readonly LaneResult[]): Curve[] {
  return lanes
    .filter(({ type, failure }) => type === 'memory' && failure === undefined)
    .flatMap(({ lane, series }) => series.map(({ runs }) => ({ lane, runs })))
    .map(({ lane, runs }, index) => {
      const [run] = [...runs].sort((a, b) => (b.peakBytes ?? 0) - (a.peakBytes ?? 0));
      const points = (run?.memoryCurve ?? []).map((bytes, at): [number, number] => [(at * curveMs) / 1000, bytes / 1e6]);
      return { title: lane.replace('memory-', ''), color: colors[index % colors.length]!, points };
    });
}

/** Medians, of dray and of rivals. */
function growthCurves(lanes: readonly LaneResult[]): Curve[] {
  const grown = lanes.filter(({ lane, failure }) => growth.test(lane) && failure === undefined);
  const titles = [...new Set(grown.flatMap(({ series }) => series.map(({ title }) => title)))];
  return titles.map((title, index) => ({
    title: title.length > 21 ? `${title.slice(0, 20)}…` : title,
    color: colors[index % colors.length]!,
    points: grown.flatMap(({ rows, series }): [number, number][] => {
      const runs = series.find((one) => one.title === title)?.runs ?? [];
      return runs.length === 0 ? [] : [[rows / 1e6, rows / median(runs.map(({ seconds }) => seconds)) / 1000]];
    }),
  }));
}

function panelOf(title: string, curves: readonly Curve[], across: string, up: string): Panel[] {
  const points = curves.flatMap((curve) => curve.points);
  if (points.length === 0) return [];
  const svg = curveChart(
    `${title}, ${up}`,
    curves,
    axis(
      across,
      points.map(([x]) => x),
    ),
    axis(
      up,
      points.map(([, y]) => y),
    ),
  );
  return [{ svg, height: curveChartSize.height }];
}

/** From 0 to a little more than the greatest, with marks at round numbers, ten at most. */
function axis(title: string, values: readonly number[]): Axis {
  const most = Math.max(...values) * 1.05;
  const power = 10 ** Math.floor(Math.log10(most / 5));
  const step = power * ([1, 2, 5, 10].find((factor) => most / (power * factor) <= 10) ?? 10);
  const marks = Array.from({ length: Math.floor(most / step) + 1 }, (_, index): [number, string] => [
    index * step,
    String(Number((index * step).toPrecision(6))),
  ]);
  return { title, least: 0, most, marks };
}
