import { type BenchResult, type LaneResult, type Machine, median, type Series } from './results.ts';

/** The result as Markdown tables, padded so that they can also be read as they are. */
export function resultTables({ machine, lanes }: BenchResult): string {
  const parts = [machineLine(machine)];
  const ofType = (type: LaneResult['type']) => lanes.filter((lane) => lane.type === type);
  const throughput = ofType('throughput');
  if (throughput.length > 0) parts.push(table(throughputHead, throughput.flatMap(throughputLines)));
  const files = ofType('files');
  if (files.length > 0) parts.push(table([...throughputHead, 'files MB'], files.flatMap(fileLines)));
  const latency = ofType('latency');
  if (latency.length > 0) parts.push(table(latencyHead, latency.flatMap(latencyLines)));
  const memory = ofType('memory');
  if (memory.length > 0) parts.push(table(memoryHead, memory.flatMap(memoryLines)));
  const failures = lanes.flatMap(({ lane, failure }) => (failure === undefined ? [] : [`VOID: ${lane}. ${failure}`]));
  return [...parts, ...failures].join('\n\n');
}

function machineLine({ date, cpu, cores, memoryBytes, node, servers, loadBefore }: Machine): string {
  const memory = `${Math.round(memoryBytes / 2 ** 30)} GiB`;
  return `${date}; ${cores} cores (${cpu}), ${memory}, shared with ${servers.join(' and ')}; Node ${node}; load before: ${loadBefore.toFixed(2)}`;
}

const throughputHead = ['lane', 'command', 'seconds: median (range)', '÷ rival', 'rows/s', 'CPU s', 'peak MB'];

function throughputLines({ lane, rows, series, failure }: LaneResult): string[][] {
  const rival = series.find(({ isRival }) => isRival);
  return series.map((one, index) => {
    const name = index === 0 ? `${lane}, ${rows.toLocaleString('en-US')} rows` : '';
    if (one.runs.length === 0 || failure !== undefined) return [name, one.title, one.absent ?? 'void', '', '', '', ''];
    const seconds = medianSeconds(one);
    const ratio = rival === undefined || rival.runs.length === 0 ? '–' : (seconds / medianSeconds(rival)).toFixed(2);
    return [
      name,
      one.title,
      `${seconds.toFixed(2)} (${range(one, 2)})`,
      ratio,
      Math.round(rows / seconds).toLocaleString('en-US'),
      median(one.runs.map(({ cpuSeconds }) => cpuSeconds)).toFixed(2),
      peakMegabytes(one),
    ];
  });
}

function fileLines(lane: LaneResult): string[][] {
  return throughputLines(lane).map((line, index) => {
    const bytes = lane.series[index]?.fileBytes ?? [];
    return [...line, bytes.length === 0 ? '' : (median(bytes) / 1e6).toFixed(0)];
  });
}

const latencyHead = ['lane', 'seconds: median', 'max', 'CPU s', 'peak MB'];

function latencyLines({ lane, rows, series, failure }: LaneResult): string[][] {
  return series.map((one) => {
    const name = `${lane}, ${rows} rows, ${one.runs.length} runs`;
    if (one.runs.length === 0 || failure !== undefined) return [name, 'void', '', '', ''];
    const cpu = median(one.runs.map(({ cpuSeconds }) => cpuSeconds)).toFixed(2);
    return [name, medianSeconds(one).toFixed(3), Math.max(...one.runs.map(({ seconds }) => seconds)).toFixed(3), cpu, peakMegabytes(one)];
  });
}

const memoryHead = ['lane', 'rows', 'peak MB', 'seconds: median (range)'];

function memoryLines({ lane, rows, series, failure }: LaneResult): string[][] {
  return series.map((one) => {
    const name = `${lane}, ${one.title}`;
    const count = rows.toLocaleString('en-US');
    if (one.runs.length === 0 || failure !== undefined) return [name, count, 'void', ''];
    return [name, count, peakMegabytes(one), `${medianSeconds(one).toFixed(2)} (${range(one, 2)})`];
  });
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
