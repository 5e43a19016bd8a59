import { readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DrayError } from '../sdk/index.ts';
import type { RunEvent, StoredEvent } from './events.ts';
import { Journal } from './journal.ts';
import { isOwned, Ownership } from './ownership.ts';
import { Quarantine } from './quarantine.ts';
import { isResumable, type RunState, runState, type StoredState, withoutLate } from './run-state.ts';
import { Speeds } from './speeds.ts';
import { makeStateFolder, unusable } from './state-folder.ts';

/** Runs that ended are forgotten after so long; unfinished ones, too. */
const keptDays = 30;

/** Takes the secrets out of a text. */
export type Mask = (text: string) => string;
const unmasked: Mask = (text) => text;

/** A run that this process is at work on: what it writes down, and what an earlier process of it has written. */
export class RunLedger {
  readonly run: string;
  readonly folder: string;
  /** Number of the process within the run, from 1. */
  readonly epoch: number;
  readonly quarantine: Quarantine;
  /** Of the state folder. */
  readonly speeds: Speeds;
  /** Absent for a run that begins. */
  readonly earlier: RunState | undefined;
  readonly #journal: Journal<StoredEvent>;
  readonly #ownership: Ownership;
  readonly #mask: Mask;

  constructor(run: string, parts: { folder: string; journal: Journal<StoredEvent>; ownership: Ownership; mask: Mask; earlier?: RunState }) {
    this.run = run;
    this.folder = parts.folder;
    this.epoch = parts.ownership.epoch;
    this.quarantine = new Quarantine(parts.folder);
    this.speeds = new Speeds(dirname(dirname(parts.folder)));
    this.earlier = parts.earlier;
    this.#journal = parts.journal;
    this.#ownership = parts.ownership;
    this.#mask = parts.mask;
  }

  /** Resolves when the event would survive a crash of the machine. @throws DrayError STATE_UNUSABLE */
  append(event: RunEvent): Promise<void> {
    return this.#journal.append(this.#stored(event));
  }

  /** Writes the event down with the next one: for what may be lost. */
  note(event: RunEvent): void {
    this.#journal.note(this.#stored(event));
  }

  /** @throws DrayError RUN_TAKEN_OVER */
  async checkOwned(): Promise<void> {
    await this.#ownership.check();
  }

  /** Whether this process still has the run. */
  async isOwned(): Promise<boolean> {
    return this.#ownership.check().then(
      () => true,
      () => false,
    );
  }

  async close(): Promise<void> {
    await this.quarantine.close();
    await this.#journal.close();
    await this.#ownership.release();
  }

  /** What servers say may hold secrets of the job. */
  #stored(event: RunEvent): StoredEvent {
    const at = 'at' in event ? {} : { ms: Date.now() };
    const facts = { epoch: this.epoch, ...at };
    if (event.type === 'failed') return { ...event, message: this.#mask(event.message), ...facts };
    if (event.type === 'ended' && event.error !== undefined) {
      return { ...event, error: { ...event.error, message: this.#mask(event.error.message) }, ...facts };
    }
    return { ...event, ...facts };
  }
}

/** A run as `dray runs` lists it. */
export interface StoredRun extends RunState {
  readonly run: string;
  readonly folder: string;
  readonly state: StoredState;
  readonly isResumable: boolean;
}

/** Begins the journal of a run. @throws DrayError STATE_UNUSABLE */
export async function beginRun(state: string, begun: Extract<RunEvent, { type: 'begun' }>, mask = unmasked): Promise<RunLedger> {
  const folder = folderOf(state, begun.run);
  await makeStateFolder(folder);
  await forgetOld(state, begun.run);
  return opened(folder, begun.run, { mask, first: begun });
}

/** Takes an unfinished run over. @throws DrayError RUN_UNKNOWN, RUN_NOT_RESUMABLE, STATE_UNUSABLE */
export async function takeOverRun(state: string, run: string, mask = unmasked): Promise<RunLedger> {
  const stored = await findRun(state, run);
  if (!stored.isResumable && stored.state !== 'running' && stored.state !== 'waiting') {
    const why = stored.state === 'done' ? 'it is done' : 'what it left at the target has been removed';
    throw new DrayError('RUN_NOT_RESUMABLE', `the run ${run} cannot be resumed: ${why}`);
  }
  return reopenRun(stored, mask);
}

/** Takes over a run that has ended, for what is done with it afterwards (rollback, replay). @throws DrayError RUN_NOT_RESUMABLE while it is at work */
export async function reopenRun({ folder, run }: StoredRun, mask = unmasked): Promise<RunLedger> {
  const ownership = await Ownership.take(folder);
  // Only now: until here another process may have written.
  const earlier = runState(await Journal.read<StoredEvent>(journalIn(folder)));
  return opened(folder, run, { mask, taken: { ownership, earlier: earlier! } });
}

async function opened(
  folder: string,
  run: string,
  { mask, taken, first }: { mask: Mask; taken?: { ownership: Ownership; earlier: RunState }; first?: RunEvent },
): Promise<RunLedger> {
  const ownership = taken?.ownership ?? (await Ownership.take(folder));
  const journal = await Journal.open<StoredEvent>(journalIn(folder));
  const ledger = new RunLedger(run, { folder, journal, ownership, mask, ...(taken === undefined ? {} : { earlier: taken.earlier }) });
  if (first !== undefined) await ledger.append(first);
  return ledger;
}

/** All runs of the state folder, newest first. */
export async function listRuns(state: string): Promise<StoredRun[]> {
  const names = await readdir(join(state, 'runs')).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return [];
    throw unusable(state, cause);
  });
  const runs = await Promise.all(names.sort((a, b) => (a < b ? 1 : -1)).map((run) => readRun(state, run)));
  return runs.filter((one) => one !== undefined);
}

/** @throws DrayError RUN_UNKNOWN */
export async function findRun(state: string, run: string): Promise<StoredRun> {
  const isName = /^[\w-]+$/.test(run);
  const found = isName ? await readRun(state, run) : undefined;
  if (found === undefined) throw new DrayError('RUN_UNKNOWN', `there is no run "${run}" in ${state}`, { place: state });
  return found;
}

async function readRun(state: string, run: string): Promise<StoredRun | undefined> {
  const folder = folderOf(state, run);
  const known = runState(await Journal.read<StoredEvent>(journalIn(folder)));
  if (known === undefined) return undefined;
  const isAtWork = known.ended === undefined && (await isOwned(folder));
  return { ...known, run, folder, state: stateOf(known, isAtWork), isResumable: !isAtWork && isResumable(known) };
}

function stateOf({ begun, ended, isOpened }: RunState, isAtWork: boolean): StoredState {
  if (isAtWork) return begun.submitted === undefined || isOpened ? 'running' : 'waiting';
  return ended === undefined || ended.error?.code === 'SERVER_STOPPED' ? 'interrupted' : ended.state;
}

/** What a run has written down, in its order. @throws DrayError STATE_UNUSABLE */
export async function eventsOf({ folder }: StoredRun): Promise<StoredEvent[]> {
  return withoutLate(await Journal.read<StoredEvent>(journalIn(folder)));
}

async function forgetOld(state: string, own: string): Promise<void> {
  const before = Date.now() - keptDays * 24 * 3600 * 1000;
  const youngest = new Date(before).toISOString().slice(0, 10).replaceAll('-', '');
  for (const run of await readdir(join(state, 'runs'))) {
    // The name of a run begins with its day: most need no look.
    if (run === own || (/^\d{8}-/.test(run) && run.slice(0, 8) > youngest)) continue;
    const folder = folderOf(state, run);
    const facts = await stat(journalIn(folder)).catch(() => undefined);
    if (facts !== undefined && facts.mtimeMs < before && !(await isOwned(folder))) await rm(folder, { recursive: true, force: true });
  }
}

function folderOf(state: string, run: string): string {
  return join(state, 'runs', run);
}

function journalIn(folder: string): string {
  return join(folder, 'journal.jsonl');
}

/** The report of a run that has ended at a server, as JSON. @param folder of the run */
export function reportFile(folder: string): string {
  return join(folder, 'report.json');
}
