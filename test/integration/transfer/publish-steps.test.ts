import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DrayError } from '../../../core/sdk/index.ts';
import { openLocalStorage } from '../../../plugins/_files/storage/local-storage.ts';
import type { Storage } from '../../../plugins/_files/storage/storage.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { publishAgain, rowsIn, rowsOf, runId, startWriting, writeSet } from './set-writing.ts';

const steps = ['begin', 'publish', 'discard', 'remove'] as const;

interface Fault {
  /** Number of the change of the storage that fails, from 0. */
  readonly at: number;
  /** before: it is not done; after: it is done, and the answer is lost; crash: neither it nor anything after it is done. */
  readonly how: 'before' | 'after' | 'crash';
}

/** A local storage one of whose changes fails, and how many there were. */
function failingStorage({ at, how }: Fault): { storage: Storage; changes: () => number } {
  const inner = openLocalStorage();
  let changes = 0;
  const failed = () => new DrayError('CONNECTION_LOST', 'the test has cut the connection');
  const storage: Storage = { ...inner };
  for (const step of steps) {
    const real = inner[step] as (...args: unknown[]) => Promise<unknown>;
    (storage as unknown as Record<string, unknown>)[step] = async (...args: unknown[]) => {
      const number = changes++;
      if (how === 'crash' ? number >= at : number === at && how === 'before') throw failed();
      const result = await real(...args);
      if (number === at && how === 'after') throw failed();
      return result;
    };
  }
  return { storage, changes: () => changes };
}

const deadPid = spawnSync(process.execPath, ['--version']).pid;

/** What a run has said of its process is now that of one that has ended. */
function bury(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!/^\..*\.(writing|publishing)\.json$/.test(name)) continue;
    const { kernel: _, started: __, ...maker } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Record<string, unknown>;
    writeFileSync(join(folder, name), JSON.stringify({ ...maker, pid: deadPid }));
  }
}

type Mode = 'overwrite-atomically' | 'append';

/** An older set, one that fails while it is published, and then another. What readers see after each. */
async function tell(mode: Mode, fault: Fault) {
  const folder = tempFolder();
  const whole = openLocalStorage();
  await writeSet(whole, folder, { run: runId(1), writeMode: mode });
  const { storage, changes } = failingStorage({ ...fault, at: Number.POSITIVE_INFINITY });
  let broken = storage;
  // Begins as it should; what fails is the end.
  const run = await startWriting(new Proxy(storage, { get: (_target, key) => Reflect.get(broken, key) as unknown }), folder, {
    run: runId(2),
    writeMode: mode,
  });
  expect(changes()).toBeGreaterThan(0);
  const counting = failingStorage(fault);
  broken = counting.storage;
  let outcome: 'done' | 'failed' = 'done';
  try {
    await run.publish();
  } catch (error) {
    if (!(error instanceof DrayError) || error.code !== 'CONNECTION_LOST') throw error;
    outcome = 'failed';
    if (fault.how !== 'crash') await run.giveUp();
  }
  bury(folder);
  const seen = await rowsIn(whole, folder);
  await writeSet(whole, folder, { run: runId(3), writeMode: mode });
  return { outcome, seen, after: await rowsIn(whole, folder), names: readdirSync(folder), changes: counting.changes() };
}

describe.each(['overwrite-atomically', 'append'] as const)('a run that died at any step of publishing (%s)', (mode) => {
  test('is finished when it is resumed', async () => {
    const folderAfter = async (at: number) => {
      const folder = tempFolder();
      const whole = openLocalStorage();
      await writeSet(whole, folder, { run: runId(1), writeMode: mode });
      const { storage, changes } = failingStorage({ at: Number.POSITIVE_INFINITY, how: 'crash' });
      let used = storage;
      const facts = { run: runId(2), writeMode: mode };
      const proxy = new Proxy(storage, { get: (_target, key) => Reflect.get(used, key) as unknown });
      const run = await startWriting(proxy, folder, facts);
      const commits = await run.commit();
      expect(changes()).toBeGreaterThan(0);
      const failing = failingStorage({ at, how: 'crash' });
      used = failing.storage;
      const hasDied = await run.publish(commits).then(
        () => false,
        () => true,
      );
      bury(folder);
      await publishAgain(whole, folder, facts, commits);
      return { hasDied, rows: await rowsIn(whole, folder), names: readdirSync(folder), changes: failing.changes() };
    };
    const sets = mode === 'append' ? [runId(1), runId(2)] : [runId(2)];
    const { hasDied, changes } = await folderAfter(Number.POSITIVE_INFINITY);
    expect(hasDied).toBe(false);
    for (let at = 0; at < changes; at++) {
      const { hasDied: one, rows, names } = await folderAfter(at);
      expect([at, one, rows]).toEqual([at, true, rowsOf(...sets)]);
      expect([at, names.sort()]).toEqual([at, expect.objectContaining({ length: sets.length * 5 + 1 })]);
    }
  });
});

describe.each(['overwrite-atomically', 'append'] as const)('publishing that fails at any step (%s)', (mode) => {
  const old = mode === 'append' ? rowsOf(runId(1)) : [];
  const withNew = [...old, ...rowsOf(runId(2))].sort();

  test.each(['before', 'after', 'crash'] as const)('is seen whole or not at all, and leaves nothing (%s)', async (how) => {
    const { changes, outcome } = await tell(mode, { at: Number.POSITIVE_INFINITY, how });
    expect(outcome).toBe('done');
    const outcomes = new Set<string>();
    for (let at = 0; at < changes; at++) {
      const { outcome: one, seen, after, names } = await tell(mode, { at, how });
      const isSeen = seen.some((row) => row.startsWith(runId(2)));
      outcomes.add(`${one}, ${isSeen ? 'seen' : 'not seen'}`);
      expect([at, seen]).toEqual([at, isSeen ? withNew : rowsOf(runId(1))]);
      if (one === 'done') expect(isSeen).toBe(true);
      const isKept = mode === 'append' && after.some((row) => row.startsWith(runId(2)));
      if (isSeen && mode === 'append') expect(isKept).toBe(true);
      expect([at, after]).toEqual([at, [...old, ...(isKept ? rowsOf(runId(2)) : []), ...rowsOf(runId(3))].sort()]);
      const sets = mode === 'append' ? (isKept ? 3 : 2) : 1;
      expect([at, names.sort()]).toEqual([at, expect.objectContaining({ length: sets * 5 + 1 })]);
    }
    expect([...outcomes].sort()).toEqual(expect.arrayContaining(['failed, not seen', 'failed, seen']));
  });
});
