import { ratiosOf } from './ratios.ts';
import { type BenchResult, failuresOf, type LaneResult, type Machine, median, type Series } from './results.ts';

/** The result as Markdown tables, padded so that they can also be read as they are. */
export function resultTables({ machine, lanes }: BenchResult): string {
  const parts = [machineLine(machine)];
  const ofType = (type: LaneResult['type']) => lanes.filter((lane) => lane.type === type);
  const throughput = ofType('throughput');
  if (throughput.length > 0) parts.push(table(...withFiles(throughput)));
  const latency = ofType('latency');
  if (latency.length > 0) parts.push(table(latencyHead, latency.flatMap(latencyLines)));
  const memory = ofType('memory');
  if (memory.length > 0) parts.push(table(memoryHead, memory.flatMap(memoryLines)));
  const failures = lanes.flatMap((lane) => failuresOf(lane).map((failure) => `VOID: ${lane.lane}. ${failure}`));
  return [...parts, ...failures].join('\n\n');
}

function machineLine({ date, cpu, cores, memoryBytes, node, servers, loadBefore }: Machine): string {
  const memory = `${Math.round(memoryBytes / 2 ** 30)} GiB`;
  return `${date}; ${cores} cores (${cpu}), ${memory}${servers.length === 0 ? '' : `, shared with ${servers.join(' and ')}`}; Node ${node}; load before: ${loadBefore.toFixed(2)}`;
}

const throughputHead = ['lane', 'command', 'seconds: median (range)', '÷ rivals', 'rows/s', 'rows/CPU s', 'CPU s', 'peak MB'];

function throughputLines(result: LaneResult): string[][] {
  const { lane, rows, series, failure } = result;
  return series.map((one, index) => {
    const name = index === 0 ? `${lane}, ${rows.toLocaleString('en-US')} rows` : '';
    if (!counts(one, failure)) return [name, one.title, one.absent ?? 'void', '', '', '', '', ''];
    const seconds = medianSeconds(one);
    const cpuSeconds = median(one.runs.map((run) => run.cpuSeconds));
    const perSecond = (value: number) => (value === 0 ? '–' : Math.round(rows / value).toLocaleString('en-US'));
    return [
      name,
      one.title,
      `${seconds.toFixed(2)} (${range(one, 2)})`,
      ratios(result, one),
      perSecond(seconds),
      perSecond(cpuSeconds),
      cpuSeconds.toFixed(2),
      peakMegabytes(one),
    ];
  });
}

/** To each rival that took part, in the order of their lines; of a rival nothing. */
function ratios(result: LaneResult, { title }: Series): string {
  return ratiosOf(result)
    .filter(({ command }) => command === title)
    .map((ratio) => ratio.median.toFixed(2))
    .join(' · ');
}

/** With a column for what was left in files, if anything was. */
function withFiles(lanes: readonly LaneResult[]): [head: readonly string[], lines: readonly string[][]] {
  const hasFiles = lanes.some(({ series }) => series.some(({ fileBytes = [] }) => fileBytes.length > 0));
  if (!hasFiles) return [throughputHead, lanes.flatMap(throughputLines)];
  const lines = lanes.flatMap((lane) =>
    throughputLines(lane).map((line, index) => {
      const bytes = lane.series[index]?.fileBytes ?? [];
      return [...line, bytes.length === 0 ? '' : (median(bytes) / 1e6).toFixed(0)];
    }),
  );
  return [[...throughputHead, 'files MB'], lines];
}

const latencyHead = ['lane', 'command', 'seconds: median', 'max', '÷ rivals', 'CPU s', 'peak MB'];

function latencyLines(result: LaneResult): string[][] {
  const { lane, rows, series, failure } = result;
  return series.map((one, index) => {
    const name = index === 0 ? `${lane}, ${rows.toLocaleString('en-US')} rows, ${one.runs.length} runs` : '';
    if (!counts(one, failure)) return [name, one.title, one.absent ?? 'void', '', '', '', ''];
    const cpu = median(one.runs.map(({ cpuSeconds }) => cpuSeconds)).toFixed(2);
    const most = Math.max(...one.runs.map(({ seconds }) => seconds)).toFixed(3);
    return [name, one.title, medianSeconds(one).toFixed(3), most, ratios(result, one), cpu, peakMegabytes(one)];
  });
}

const memoryHead = ['lane', 'rows', 'peak MB', 'MB in each quarter of the time', 'seconds: median (range)'];

function memoryLines({ lane, rows, series, failure }: LaneResult): string[][] {
  return series.map((one) => {
    const name = `${lane}, ${one.title}`;
    const count = rows.toLocaleString('en-US');
    if (!counts(one, failure)) return [name, count, one.absent ?? 'void', '', ''];
    return [name, count, peakMegabytes(one), quarters(one), `${medianSeconds(one).toFixed(2)} (${range(one, 2)})`];
  });
}

/** Means of the curve of the run that took most memory. */
function quarters({ runs }: Series): string {
  const [run] = [...runs].sort((a, b) => (b.peakBytes ?? 0) - (a.peakBytes ?? 0));
  const curve = run?.memoryCurve ?? [];
  if (curve.length < 4) return '–';
  return [0, 1, 2, 3]
    .map((quarter) => curve.slice((curve.length * quarter) >> 2, (curve.length * (quarter + 1)) >> 2))
    .map((part) => (part.reduce((sum, bytes) => sum + bytes, 0) / part.length / 1e6).toFixed(0))
    .join(', ');
}

function counts({ runs, failure }: Series, failureOfLane: string | undefined): boolean {
  return runs.length > 0 && failure === undefined && failureOfLane === undefined;
}

const medianSeconds = ({ runs }: Series) => median(runs.map(({ seconds }) => seconds));

function range({ runs }: Series, digits: number): string {
  const seconds = runs.map((run) => run.seconds);
  return `${Math.min(...seconds).toFixed(digits)}–${Math.max(...seconds).toFixed(digits)}`;
}

/** The largest of all runs. */
function peakMegabytes({ runs }: Series): string {
  const peaks = runs.flatMap(({ peakBytes }) => (peakBytes === null ? [] : [peakBytes]));
  return peaks.length === 0 ? '–' : (Math.max(...peaks) / 1e6).toFixed(0);
}

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)));
  const print = (cells: readonly string[]) => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [print(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...lines.map(print)].join('\n');
}
