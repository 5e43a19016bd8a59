import type { KeyRange } from 'dray/sdk';

/** The rows of a range, as a condition. Bounds are digits (checked by the Splitter), so nothing needs quoting. */
export function rangeCondition({ from, to, includesNull }: KeyRange, column: string): string | undefined {
  const parts: string[] = [];
  if (from !== null) parts.push(`${column} >= ${from}`);
  if (to !== null) parts.push(`${column} < ${to}`);
  if (parts.length === 0) return undefined;
  const inside = parts.join(' AND ');
  return includesNull ? `((${inside}) OR ${column} IS NULL)` : `(${inside})`;
}
