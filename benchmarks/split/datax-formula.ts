import type { KeyRange } from '../../core/sdk/index.ts';

/*
 * How DataX cuts a table by its splitPk: equal parts of the range between the smallest and the largest value, whatever lies in between. Our
 * own wording of what it does, worked out from its behaviour.
 */

const slicesPerChannel = 5;
/** Texts are numbers of this base, a character being a digit. */
const radix = 128n;

/** Slices of each of so many tables of one connection, without the one for NULLs that it adds to each table; 1: not cut. */
export function dataxSlices(tables: number, channels: number): number {
  const each = Math.ceil(channels / tables);
  if (each < 2) return 1;
  return tables === 1 ? each * slicesPerChannel : each;
}

/** Slices between the points: half open, only the last one takes its upper end. */
export function dataxRanges(column: string, points: readonly string[]): KeyRange[] {
  return points.slice(1).map((to, index) => ({
    columns: [column],
    from: [points[index]!],
    to: [to],
    includesNull: false,
    ...(index === points.length - 2 ? { includesTo: true as const } : {}),
  }));
}

/** (1, 100, 5) gives 1, 21, 41, 61, 81, 100; (1, 3, 10) gives 1, 2, 3. */
export function integerPoints(min: bigint, max: bigint, slices: number): bigint[] {
  if (min === max) return [min, max];
  const [low, high] = min < max ? [min, max] : [max, min];
  const gap = high - low;
  const step = gap / BigInt(slices);
  const rest = gap % BigInt(slices);
  const count = step === 0n ? rest : BigInt(slices);
  const points = [low];
  for (let index = 1n; index < count; index++) points.push(points.at(-1)! + step + (rest >= index ? 1n : 0n));
  return [...points, high];
}

/**
 * ('a', 'z', 3) gives a, j, r, z.
 * @throws Error if a text is not ASCII, as DataX does
 */
export function textPoints(min: string, max: string, slices: number): string[] {
  const points = integerPoints(numberOf(min), numberOf(max), slices).map(textOf);
  return [min, ...points.slice(1, -1), max];
}

function numberOf(text: string): bigint {
  let value = 0n;
  for (const character of text) {
    const digit = BigInt(character.codePointAt(0)!);
    if (digit >= radix) throw new Error('DataX cuts texts of ASCII characters only.');
    value = value * radix + digit;
  }
  return value;
}

function textOf(value: bigint): string {
  const codes: number[] = [];
  for (let rest = value; rest > 0n; rest /= radix) codes.unshift(Number(rest % radix));
  return String.fromCharCode(...codes);
}
