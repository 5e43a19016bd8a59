import type { RunReport } from '../report/report.ts';
import { bytes, count, duration, plural } from './format.ts';

/** The end of a run for people: what moved, how fast, and what was waited for. */
export function summary(report: RunReport): string {
  const { run, job, state, rows, bytes: size, seconds, rowsPerSecond, tasks, waits, contents, channels } = report;
  const lines = [
    `${job}: ${state} in ${duration(seconds)}`,
    `  rows     ${count(rows.read)} read, ${count(rows.written)} written, ${count(rows.dirty)} dirty, ${count(rows.filtered)} filtered`,
    `  speed    ${count(rowsPerSecond)} rows/s, ${bytes(size.written / seconds)}/s, ${bytes(size.written)} in all`,
    `  tasks    ${plural(tasks.length, 'task')} on ${plural(channels, 'channel')}; ${bottleneck(waits)}`,
  ];
  if (contents.length > 1) {
    contents.forEach((content, index) => {
      lines.push(
        `  content  ${index + 1}: ${content.reader} → ${content.writer}, ${content.state}, ${plural(content.rows.written, 'row')}`,
      );
    });
  }
  for (const target of contents.flatMap(({ targets = [] }) => targets)) {
    const why = target.error === undefined ? '' : `: ${target.error.message}`;
    lines.push(`  target   ${target.writer}: ${target.state}, ${plural(target.rows.written, 'row')}${why}`);
  }
  const leftOut = contents.reduce((sum, content) => sum + (content.leftOut ?? 0), 0);
  if (leftOut > 0) lines.push(`  left out ${plural(leftOut, 'row')} of the source, as the job has it`);
  for (const { missed } of contents) {
    if (missed !== undefined) lines.push(`  late     ${missed.due} was missed by ${duration(missed.seconds)}`);
  }
  if (report.quarantine !== undefined) lines.push(`  dirty    in ${report.quarantine}; \`dray replay ${run}\` loads what was mended`);
  lines.push(`  run      ${run}, ${report.guarantee}${readAt(contents)}`);
  return lines.join('\n');
}

/** How consistently the source was read, if that can be said. */
function readAt(contents: RunReport['contents']): string {
  const snapshots = contents.flatMap(({ snapshot }) => snapshot ?? []);
  if (snapshots.length === 0) return '';
  const points = Math.max(...snapshots.map((one) => one.points));
  return points === 1 ? ', read at one point in time' : `, read at ${points} points in time`;
}

function bottleneck({ reader, writer }: RunReport['waits']): string {
  const words = `waited ${duration(writer)} for the source and ${duration(reader)} for the target`;
  if (reader > 2 * writer && reader > 1) return `${words}: the target is the slower side`;
  if (writer > 2 * reader && writer > 1) return `${words}: the source is the slower side`;
  return words;
}
