import { expect, onTestFinished } from 'vitest';
import { Controller } from '../../core/controller/controller.ts';
import type { RunHandle } from '../../core/controller/run-handle.ts';
import { DrayError } from '../../core/sdk/index.ts';
import { runTask } from '../../core/task/run-task.ts';
import { countingReader, fakeJob, fakeWriter, listening } from './fake-plugins.ts';
import { inThisThread, unheard } from './in-this-thread.ts';
import { newLedger } from './new-ledger.ts';
import { until } from './until.ts';

/** A Controller, and jobs of one task that hold on where they are told to. */
export function controlled(slots = 16) {
  const controller = new Controller({ slots });
  onTestFinished(() => controller.close());
  const opened: string[] = [];
  const held = new Set<string>();
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

  /** Submits a job. @param holds what it stays at until `go` */
  const submit = async (name: string, { priority = 5, holds }: { priority?: number; holds?: 'planning' | 'writing' | 'publishing' }) => {
    const { passed } = gate(name);
    const hold = () => {
      held.add(name);
      return passed;
    };
    const reader = countingReader(1).plugin;
    const writer = fakeWriter({
      beforeWrite: () => (holds === 'writing' ? hold() : undefined),
      publish: async () => (holds === 'publishing' ? hold() : undefined),
    }).plugin;
    const job = fakeJob(
      {
        ...reader,
        open: async (...given) => {
          opened.push(name);
          if (holds === 'planning') await hold();
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
  const arrives = (name: string) => until(`${name} holds`, 10_000, async () => expect(held.has(name)).toBe(true));
  return { submit, go, arrives, waitsFor, opened };
}
