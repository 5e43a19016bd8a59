import type { KeyPoint, KeySource, KeyValue } from '../sdk/index.ts';

/** Points per piece at most; then every other is dropped, and steps become twice as long. */
const pointsPerPiece = 8;

export interface Walk {
  readonly points: readonly KeyPoint[];
  readonly seeks: number;
  /** False if the time was over before the end; the last point then holds all that is left. */
  readonly isComplete: boolean;
}

/** Goes through the key from its start, and notes the value after every so many rows: exact, and reads the whole index. */
export async function walk(
  step: NonNullable<KeySource['step']>,
  { min, pieces, rowsPerStep, maxSeconds }: { min: KeyValue; pieces: number; rowsPerStep: number; maxSeconds: number },
  progress: (rows: number) => void,
): Promise<Walk> {
  const endsAt = performance.now() + maxSeconds * 1000;
  let rows = Math.max(1, Math.ceil(rowsPerStep));
  let values: KeyValue[] = [min];
  let seeks = 0;
  let walked = 0;
  let isComplete = false;
  while (performance.now() < endsAt) {
    seeks++;
    const next = await step(values.at(-1)!, rows);
    if (next === undefined) {
      isComplete = true;
      break;
    }
    values.push(next);
    walked += rows;
    progress(walked);
    if (values.length <= pieces * pointsPerPiece) continue;
    values = values.filter((_, index) => index % 2 === 0);
    rows *= 2;
  }
  return { points: values.map((value) => ({ value, rows })), seeks, isComplete };
}
