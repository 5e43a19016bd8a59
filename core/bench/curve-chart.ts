export interface Curve {
  readonly title: string;
  readonly color: string;
  readonly dash?: string;
  /** Of both axes, in their units. */
  readonly points: readonly (readonly [number, number])[];
}

export interface Axis {
  readonly title: string;
  readonly least: number;
  readonly most: number;
  /** Where there are marks, and what stands there. */
  readonly marks: readonly (readonly [number, string])[];
  readonly isLogarithmic?: boolean;
}

/** Of a chart in pixels. */
export const curveChartSize = { width: 900, height: 420, left: 70, right: 190, top: 30, bottom: 50 };

/** Lines over two axes as an SVG. */
export function curveChart(title: string, curves: readonly Curve[], across: Axis, up: Axis): string {
  const { width, height, left, right, top, bottom } = curveChartSize;
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
