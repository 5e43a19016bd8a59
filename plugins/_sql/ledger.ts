import { createHash } from 'node:crypto';
import { DrayError, type EarlierCommit, type Json, type TaskFacts } from 'dray/sdk';
import { startOfRun } from './staging-names.ts';

/** Table of what runs have committed, beside the target: in its schema (PostgreSQL) or database (MySQL). */
export const ledgerTable = 'dray_ledger';

/** Rows older than this are removed; a run that is older cannot be resumed exactly once. */
export const ledgerDays = 90;

/** What the writer's `commit` gives back, so that `publish` knows which tasks it is about. */
export interface TaskCommit {
  readonly task: number;
}

/** What stands in the column `info` of a task that has committed. */
export function committedInfo(commit: TaskCommit, tally: Json): string {
  return JSON.stringify({ commit, tally });
}

/** The same read back. */
export function earlierCommit(info: string): EarlierCommit {
  return JSON.parse(info) as EarlierCommit;
}

/**
 * The number in the column `task` for the publishing of a content: below zero, and another one for each content of a run, of which each task
 * has a number of its own.
 */
export function publishingNumber(commits: readonly Json[], target: { readonly schema: string; readonly table: string }): number {
  const tasks = commits.map((commit) => (commit as unknown as TaskCommit).task);
  if (tasks.length > 0) return -1 - tasks.reduce((least, task) => Math.min(least, task));
  const digest = createHash('sha256').update(`${target.schema}\0${target.table}`).digest();
  return -1_000_000_000 - (digest.readUInt32BE(0) % 1_000_000_000);
}

export function fenced({ id, attempt }: Pick<TaskFacts, 'id' | 'attempt'>): DrayError {
  return new DrayError('FENCED', `attempt ${attempt} of task ${id} has been overtaken by a later one`);
}

/** Throws if the ledger may have forgotten what the run has committed. */
export function checkLedgerRemembers(run: string): void {
  const start = startOfRun(run);
  if (start === undefined || Date.now() - start.getTime() < ledgerDays * 86_400_000) return;
  throw new DrayError('RUN_NOT_RESUMABLE', `the run ${run} began more than ${ledgerDays} days ago, and the ledger keeps no longer`);
}
