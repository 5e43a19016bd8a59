import type { PartPlan } from '../splitter/split-plan.ts';
import { plural } from './format.ts';

/** Databases and schemas that the tables of a content lie in; 0 where its reader does not say. */
export function shardCount(parts: readonly PartPlan[]): number {
  return new Set(parts.flatMap(({ shard }) => shard ?? [])).size;
}

/** `, from 1,000 tables in 16 shards`, where that says anything. */
export function shardWords(parts: readonly PartPlan[]): string {
  const shards = shardCount(parts);
  return shards === 0 ? '' : `, from ${plural(parts.length, 'table')} in ${plural(shards, 'shard')}`;
}
