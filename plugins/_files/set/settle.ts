import { isOver } from './maker.ts';
import { isJournal, isMark, manifestName, sidecarSuffix } from './names.ts';
import { entryOf, markSuccess, nameIn, readSuccess, removeEarlier, type SetFacts, sha256Of } from './publish.ts';
import type { SuccessEntry } from './sidecar.ts';
import { isSigned } from './signature.ts';
import { readSmall } from './small-files.ts';
import { busy, type Journal, namesIn, publishingPatienceMs, readJournal, runsAtWork, takeTurn } from './turn.ts';

/**
 * Settles what runs of this fileName that have died left behind: half visible sets are finished or taken back, unfinished files removed. Those of runs
 * that are at work stay. Before a run begins to write.
 * @throws DrayError FILE_EXISTS while another run publishes what this one would replace
 */
export async function settleCrashed(facts: SetFacts): Promise<void> {
  const { storage, folder, names, run, keepsEarlier } = facts;
  const unfinished = await storage.unfinishedIn(folder);
  const present = await namesIn(facts);
  const atWork = await runsAtWork(facts, present);
  const ofOthers = (name: string) => ![run, undefined].includes(names.runOf(name));
  const journals = present.filter((name) => isJournal(name) && ofOthers(name));
  if (!keepsEarlier) await refuseBusy(facts, journals);
  if (journals.some((name) => !atWork.has(names.runOf(name)!))) await settleJournals(facts);
  for (const receipt of unfinished) {
    const other = names.runOf(nameIn(receipt.path));
    if (other !== undefined && other !== run && !atWork.has(other)) await storage.discard(receipt);
  }
  for (const name of present)
    if (isMark(name) && ofOthers(name) && !atWork.has(names.runOf(name)!)) await storage.remove(storage.join(folder, name));
}

async function refuseBusy(facts: SetFacts, journals: readonly string[]): Promise<void> {
  for (const name of journals) {
    const journal = await readJournal(facts, name);
    if (journal !== undefined && !isOver(journal, publishingPatienceMs)) throw busy(journal, facts.storage.nameOf(facts.folder));
  }
}

async function settleJournals(facts: SetFacts): Promise<void> {
  const { storage, folder, names, run } = facts;
  await takeTurn(facts, { files: [] });
  // Another run may have settled some of them while this one waited.
  for (const name of await namesIn(facts)) {
    const other = names.runOf(name);
    if (!isJournal(name) || other === undefined || other === run) continue;
    const journal = await readJournal(facts, name);
    if (journal === undefined || !isOver(journal, publishingPatienceMs)) continue;
    const entry = await entryToFinish(facts, journal, other);
    if (entry === undefined) await takeBack(facts, journal, other);
    else {
      const ofThat = { ...facts, run: other, keepsEarlier: journal.keepsEarlier ?? true };
      await markSuccess(ofThat, entry);
      if (!ofThat.keepsEarlier) await removeEarlierThan(facts, ofThat);
    }
    await storage.remove(storage.join(folder, name));
  }
  await storage.remove(storage.join(folder, names.journal));
}

/** What that run replaces; but this run's own journal, mark and files stay. */
async function removeEarlierThan({ names, run }: SetFacts, ofThat: SetFacts): Promise<void> {
  const runOf = (name: string) => (names.runOf(name) === run ? undefined : names.runOf(name));
  await removeEarlier({ ...ofThat, names: { ...names, runOf } });
}

/**
 * What `_SUCCESS` shall say of the set; undefined: it does not come to be. A manifest that the journal does not know belongs to an earlier content of that
 * run; and one that lies there without a signature of ours must not get one: anybody may have put it there.
 */
async function entryToFinish(facts: SetFacts, { entry }: Journal, run: string): Promise<SuccessEntry | undefined> {
  const { storage, folder, fileName, signatureKey, signal } = facts;
  const manifest = await readSmall(storage, storage.join(folder, manifestName(fileName, run)), signal);
  if (manifest === undefined) return undefined;
  if (signatureKey !== undefined) {
    const isOurs = entry?.signature !== undefined && isSigned(manifest, entry.signature, signatureKey);
    // It died just after the end, and the key is another one now.
    if (!isOurs) return entry && (await listedEntry(facts, run))?.sha256 === entry.sha256 ? entry : undefined;
  }
  if (entry === undefined) return entryOf({ fileName, run, signatureKey: undefined }, manifest);
  return entry.sha256 === sha256Of(manifest) ? { ...entry, manifest: manifestName(fileName, run), run } : undefined;
}

async function takeBack(facts: SetFacts, journal: Journal, run: string): Promise<void> {
  const { storage, folder, fileName, names } = facts;
  if ((await listedEntry(facts, run)) === undefined) await storage.remove(storage.join(folder, manifestName(fileName, run)));
  for (const file of journal.files) {
    if (names.runOf(file) !== run) continue;
    await storage.remove(storage.join(folder, file));
    await storage.remove(storage.join(folder, file + sidecarSuffix));
  }
}

async function listedEntry({ storage, folder, fileName, signal }: SetFacts, run: string): Promise<SuccessEntry | undefined> {
  return (await readSuccess(storage, folder, signal))?.sets[fileName]?.find((one) => one.run === run);
}
