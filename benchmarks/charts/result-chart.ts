import type { BenchResult } from '../results.ts';

export function resultChart(_result: BenchResult): string {
  return '';
}
