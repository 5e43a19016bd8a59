import { expect, onTestFinished, test } from 'vitest';
import { Controller } from '../../../core/controller/controller.ts';
import type { RunHandle } from '../../../core/controller/run-handle.ts';
import { DrayError } from '../../../core/sdk/index.ts';
import { runTask } from '../../../core/task/run-task.ts';
import { countingReader, fakeJob, fakeWriter, listening } from '../../support/fake-plugins.ts';
import { inThisThread, unheard } from '../../support/in-this-thread.ts';
import { newLedger } from '../../support/new-ledger.ts';
import { until } from '../../support/until.ts';

/** A Controller, and jobs that hold on where their sources or targets are opened. */
function controlled() {
  const controller = new Controller({ slots: 16 });
  onTestFinished(() => controller.close());
  const opened: string[] = [];
  const gates = new Map<string, { readonly passed: Promise<void>; readonly open: () => void }>();
  const gate = (name: string) => {
    let open = () => undefined as void;
    const passed = new Promise<void>((resolve) => {
      open = resolve;
    });
    const made = gates.get(name) ?? { passed, open };
    gates.set(name, made);
    return made;
  };
  const stop = new AbortController();
  onTestFinished(() => {
    stop.abort(new DrayError('CANCELLED', 'the test is over'));
    for (const { open } of gates.values()) open();
  });

  /** Submits a job. @param holds where it stays until `go` */
  const submit = async (name: string, { priority = 5, holds }: { priority?: number; holds?: 'planning' | 'writing' }) => {
    const { passed } = gate(name);
    const reader = countingReader(1).plugin;
    const writer = fakeWriter({ beforeWrite: () => (holds === 'writing' ? passed : undefined) }).plugin;
    const job = fakeJob(
      {
        ...reader,
        open: async (...given) => {
          opened.push(name);
          if (holds === 'planning') await passed;
          return reader.open(...given);
        },
      },
      writer,
    );
    const { listener } = listening();
    const ledger = await newLedger();
    const done = controller.run(job, {
      ledger,
      channels: undefined,
      priority,
      signal: stop.signal,
      executor: inThisThread((_lane, spec, taskListener, signal) => runTask(spec, { reader, writer }, taskListener, signal)),
      listener: { ...listener, ...unheard },
    });
    return { done, handle: controller.find(ledger.run)! };
  };
  /** Lets a job go on, now or once it holds. */
  const go = (name: string) => gate(name).open();
  const waitsFor = (handle: RunHandle, turn: RunHandle['queuedFor']) =>
    until(`it waits for its turn: ${turn}`, 10_000, async () => expect(handle.queuedFor).toBe(turn));
  return { submit, go, waitsFor, opened };
}

/** Those that are planned at once, and runs of one priority that are at work at once: see controller.ts. */
const mostAtWork = 8;

test('a run that waits to be planned is planned before others once its priority is raised', async () => {
  const { submit, go, waitsFor, opened } = controlled();
  const first = await Promise.all(['a', 'b', 'c', 'd'].map((name) => submit(name, { holds: 'planning' })));
  const planned = await until('as many are planned as may be', 10_000, async () => {
    const waiting = first.filter(({ handle }) => handle.queuedFor === 'plan').length;
    expect(opened.length + waiting).toBe(4);
    return opened.length;
  });
  const ordinary = await submit('ordinary', {});
  const raised = await submit('raised', {});
  await waitsFor(ordinary.handle, 'plan');
  await waitsFor(raised.handle, 'plan');
  expect(raised.handle.slots).toEqual({ running: 0, waiting: 0, delayed: 0 });
  raised.handle.setPriority(9);
  go(opened[0]!);
  await raised.done;
  expect(opened[planned]).toBe('raised');
  for (const name of ['a', 'b', 'c', 'd']) go(name);
  await Promise.all([ordinary.done, ...first.map(({ done }) => done)]);
});

test('a paused run that waits to be planned is planned when it goes on', async () => {
  const { submit, go, waitsFor, opened } = controlled();
  await Promise.all(['a', 'b', 'c', 'd'].map((name) => submit(name, { holds: 'planning' })));
  const paused = await submit('paused', { priority: 9 });
  await waitsFor(paused.handle, 'plan');
  paused.handle.pause();
  const other = await submit('other', { priority: 8 });
  await waitsFor(other.handle, 'plan');
  for (const name of ['a', 'b', 'c', 'd']) go(name);
  await other.done;
  expect(opened).not.toContain('paused');
  expect(paused.handle.queuedFor).toBe('plan');
  paused.handle.unpause();
  expect((await paused.done).state).toBe('done');
});

test('a run that waits to begin stands in the line of its new priority', async () => {
  const { submit, go, waitsFor } = controlled();
  const names = Array.from({ length: mostAtWork }, (_, number) => `work ${number}`);
  const atWork = await Promise.all(names.map((name) => submit(name, { holds: 'writing' })));
  for (const { handle } of atWork) await waitsFor(handle, undefined);
  const staying = await submit('staying', {});
  const lowered = await submit('lowered', {});
  await waitsFor(staying.handle, 'open');
  await waitsFor(lowered.handle, 'open');
  // Of priority 4 none is at work.
  lowered.handle.setPriority(4);
  await waitsFor(lowered.handle, undefined);
  await waitsFor(staying.handle, 'open');
  for (const name of names) go(name);
  for (const { done } of [...atWork, staying, lowered]) expect((await done).state).toBe('done');
});

test('a run that is paused while it waits to begin does not begin with another priority either', async () => {
  const { submit, go, waitsFor, opened } = controlled();
  const names = Array.from({ length: mostAtWork }, (_, number) => `work ${number}`);
  const atWork = await Promise.all(names.map((name) => submit(name, { holds: 'writing' })));
  for (const { handle } of atWork) await waitsFor(handle, undefined);
  const paused = await submit('paused', {});
  await waitsFor(paused.handle, 'open');
  paused.handle.pause();
  paused.handle.setPriority(9);
  const other = await submit('other', { priority: 9 });
  await other.done;
  expect(opened).not.toContain('paused');
  paused.handle.unpause();
  expect((await paused.done).state).toBe('done');
  for (const name of names) go(name);
});
