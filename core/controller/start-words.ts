import type { StartReason } from '../scheduler/events.ts';

/** Why a task started now, on that lane, as a part of a sentence: `thread 2: waited 3.1 s, priority 7, db1:3306 6/8`. */
export function startWords({ waitedMs, priority, level, budgets, place }: StartReason, lane: number): string {
  const parts = [`waited ${(waitedMs / 1000).toFixed(1)} s`, `priority ${priority}`];
  if (level > priority) parts.push(level > 9 ? 'longest of all' : `risen to ${level}`);
  for (const { resource, running, limit } of budgets) parts.push(`${resource} ${running}/${limit}`);
  if (place === 'one host') parts.push('all tasks on one host');
  return `thread ${lane + 1}: ${parts.join(', ')}`;
}
