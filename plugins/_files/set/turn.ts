import { setTimeout as pause } from 'node:timers/promises';
import { DrayError, z } from 'dray/sdk';
import { nameIn } from '../storage/paths.ts';
import { isOver, makerSchema, thisMaker } from './maker.ts';
import { isJournal, isMark } from './names.ts';
import type { SetFacts } from './publish.ts';
import { parseDocument, type SuccessEntry, successEntry } from './sidecar.ts';
import { putSmall, readSmall } from './small-files.ts';

/** A run on another host that was publishing so long ago is taken for dead. */
export const publishingPatienceMs = 15 * 60_000;
/** One that was writing; what it has left costs room, and nothing else. */
const writingPatienceMs = 48 * 60 * 60_000;
const pauseMs = 100;

const journalSchema = makerSchema.extend({
  files: z.array(z.string()),
  /** As that run was told, whatever the next one is told. */
  keepsEarlier: z.boolean().optional(),
  /** What `_SUCCESS` will say of the set; absent: there will be no manifest. */
  entry: successEntry.optional(),
});

/** What a run is about to make visible. */
export type Journal = z.output<typeof journalSchema>;

export interface Plan {
  readonly files: string[];
  readonly keepsEarlier?: boolean;
  readonly entry?: SuccessEntry;
}

/** The names of the files in the folder, hidden ones too. */
export async function namesIn({ storage, folder }: SetFacts): Promise<string[]> {
  return (await storage.filesIn(folder)).map(({ path }) => nameIn(path));
}

/** undefined: it is gone. */
export async function readJournal({ storage, folder, signal }: SetFacts, name: string): Promise<Journal | undefined> {
  const path = storage.join(folder, name);
  const bytes = await readSmall(storage, path, signal);
  return bytes === undefined ? undefined : parseDocument(journalSchema, bytes, storage.nameOf(path));
}

/** Tells other runs that this one is writing. Before its first file, and again when another process goes on with the run. */
export async function markRun(facts: SetFacts): Promise<void> {
  const { storage, folder, names, run } = facts;
  for (let failures = 0; ; ) {
    try {
      await putSmall(storage, storage.join(folder, names.mark), Buffer.from(JSON.stringify(thisMaker(run))));
      return;
    } catch (error) {
      // Until the mark is there, another run may take its unfinished file for one that a crash has left.
      const isRemoved = error instanceof DrayError && (error.code === 'FILE_FAILED' || error.code === 'PATH_MISSING');
      if (!isRemoved || ++failures === 3) throw error;
    }
  }
}

/**
 * Other runs of this fileName that have not ended.
 * @param present names in the folder, listed after the files that are asked about: a run marks itself before it begins one
 */
export async function runsAtWork(facts: SetFacts, present: readonly string[]): Promise<Set<string>> {
  const { storage, folder, names, run, signal } = facts;
  const alive = new Map<string, boolean>();
  // What a journal says counts more than the mark of the same run.
  for (const name of [...present.filter(isMark), ...present.filter(isJournal)]) {
    const other = names.runOf(name);
    if (other === undefined || other === run) continue;
    const path = storage.join(folder, name);
    const bytes = await readSmall(storage, path, signal);
    if (bytes === undefined) continue;
    const maker = parseDocument(makerSchema, bytes, storage.nameOf(path));
    alive.set(other, !isOver(maker, isMark(name) ? writingPatienceMs : publishingPatienceMs));
  }
  return new Set([...alive].flatMap(([other, isAlive]) => (isAlive ? [other] : [])));
}

/**
 * Waits until no other run makes a set visible in this folder, and leaves the journal there, which keeps others waiting: two that write `_SUCCESS`, or
 * replace each other's files, would undo each other. No storage but a local disk has locks; what all have is that a file which was written is in every
 * list made afterwards. So of two that write their journals at once at least one sees the other, and the later run steps back.
 */
export async function takeTurn(facts: SetFacts, journal: Plan): Promise<void> {
  const { storage, folder, names, run, signal } = facts;
  const path = storage.join(folder, names.journal);
  const begun = performance.now();
  const wait = async (other: Journal) => {
    if (performance.now() - begun > publishingPatienceMs) throw busy(other, storage.nameOf(folder));
    await pause(pauseMs, undefined, { signal });
  };
  for (;;) {
    await putSmall(storage, path, Buffer.from(JSON.stringify({ ...thisMaker(run), ...journal })));
    let others = await othersPublishing(facts);
    // Those that are later step back when they see this one, or have been at work before.
    while (others[0] !== undefined && others.every((other) => other.run > run)) {
      await wait(others[0]);
      others = await othersPublishing(facts);
    }
    if (others[0] === undefined) return;
    await storage.remove(path);
    while (others[0] !== undefined) {
      await wait(others[0]);
      others = await othersPublishing(facts);
    }
  }
}

async function othersPublishing(facts: SetFacts): Promise<Journal[]> {
  const others: Journal[] = [];
  for (const name of await namesIn(facts)) {
    if (!isJournal(name) || name === facts.names.journal) continue;
    // One that is none is a file of somebody else.
    const journal = await readJournal(facts, name).catch((error: unknown) => ifForged(error));
    if (journal !== undefined && journal.run !== facts.run && !isOver(journal, publishingPatienceMs)) others.push(journal);
  }
  return others;
}

function ifForged(error: unknown): undefined {
  if (!(error instanceof DrayError && error.code === 'FILE_FORGED')) throw error;
  return undefined;
}

export function busy({ run, pid, host }: Pick<Journal, 'run' | 'pid' | 'host'>, folder: string): DrayError {
  return new DrayError('FILE_EXISTS', `the run ${run} is making its files visible in ${folder} (process ${pid} on ${host})`, {
    place: folder,
    remedy: 'Wait for it to end, and run the job again.',
  });
}
