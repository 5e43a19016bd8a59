import type { Ratio } from './ratios.ts';

const width = 900;
const left = 430;
const right = 70;
const top = 50;
const lineHeight = 18;
const laneGap = 10;
const colors = ['#0b6e4f', '#30638e', '#d1495b', '#8a5a00'];
const marks = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200];

/** A line for each ratio, from the least to the greatest of all rounds, with a point for the median; lanes one below the other. */
export function ratioChart(ratios: readonly Ratio[]): { readonly svg: string; readonly height: number } {
  const lanes = [...new Set(ratios.map(({ lane }) => lane))].map((lane) => ratios.filter((ratio) => ratio.lane === lane));
  const height = top + lanes.reduce((sum, its) => sum + (its.length + 1) * lineHeight + laneGap, 0) + 30;
  // Wide enough for the ends of all lines, and always with the 1 in it.
  const least = Math.min(0.8, ...ratios.map((ratio) => ratio.least)) / 1.1;
  const most = Math.max(1.25, ...ratios.map((ratio) => ratio.most)) * 1.1;
  const x = (ratio: number) => left + (Math.log(ratio / least) / Math.log(most / least)) * (width - left - right);
  const body: string[] = marks
    .filter((mark) => mark > least && mark < most)
    .map((mark) => {
      const at = x(mark).toFixed(1);
      return `<path class="${mark === 1 ? 'one' : 'mark'}" d="M${at} ${top - 12}V${height - 30}"/><text x="${at}" y="${height - 12}" text-anchor="middle">${mark}</text>`;
    });
  let y = top;
  for (const its of lanes) {
    body.push(`<text class="lane" x="12" y="${y + 4}">${escaped(its[0]!.lane)}</text>`);
    const commands = [...new Set(its.map(({ command }) => command))];
    for (const { command, rival, median, least: from, most: to } of its) {
      y += lineHeight;
      const color = colors[commands.indexOf(command) % colors.length];
      body.push(
        `<text x="${left - 12}" y="${y + 4}" text-anchor="end">${escaped(`${command} ÷ ${rival}`)}</text>`,
        `<path stroke="${color}" d="M${x(from).toFixed(1)} ${y}H${x(to).toFixed(1)}"/><circle fill="${color}" cx="${x(median).toFixed(1)}" cy="${y}" r="4"/>`,
        `<text x="${width - right + 12}" y="${y + 4}">${median.toFixed(2)}</text>`,
      );
    }
    y += lineHeight + laneGap;
  }
  const style =
    'text{font:11px sans-serif;fill:#333}.title{font-size:14px}.lane{font-weight:bold}path{fill:none;stroke-width:2}.mark{stroke:#ddd;stroke-width:1}.one{stroke:#999;stroke-width:1;stroke-dasharray:3 3}';
  const title = 'Seconds ÷ seconds of the rival: median and range; left of 1 dray is faster';
  return {
    height,
    svg: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}"><title>${title}</title><style>${style}</style><rect width="100%" height="100%" fill="#fff"/>\n<text class="title" x="12" y="22">${title}</text>\n${body.join('\n')}\n</svg>\n`,
  };
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
