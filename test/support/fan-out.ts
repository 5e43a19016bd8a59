import { type RunOptions, runJob } from '../../core/controller/run-job.ts';
import type { FanOut, Job } from '../../core/job/load-job.ts';
import type { ReaderPlugin, WriterPlugin } from '../../core/sdk/index.ts';
import { ownReader } from '../../core/task/reader-source.ts';
import { runTask } from '../../core/task/run-task.ts';
import { runTogether } from '../../core/task/run-together.ts';
import type { TaskSpec } from '../../core/task/spec.ts';
import { dispatched } from './dispatched.ts';
import { fakeJob, listening } from './fake-plugins.ts';
import { inThisThread, unheard } from './in-this-thread.ts';
import { newLedger } from './new-ledger.ts';

export type FakeTarget = { readonly plugin: WriterPlugin } & Partial<Omit<FanOut, 'target'>>;

/** A job of one content with several targets between fake plugins. */
export function fanOutJob(reader: ReaderPlugin, targets: readonly FakeTarget[], facts: Partial<Job> = {}): Job {
  const contents = targets.map(({ plugin, ...own }, target) => {
    const [content] = fakeJob(reader, plugin).contents;
    const defaults = { guarantee: 'at-least-once', maxDirtyRecords: 0, maxDirtyShare: undefined, onFailure: 'fail-all' } as const;
    return { ...content!, fanOut: { target, ...defaults, ...own } };
  });
  return fakeJob(reader, targets[0]!.plugin, { ...facts, contents });
}

/** Runs such a job whose plugins are values, and not modules, in this thread. */
export async function runFanOut(job: Job, options: Partial<RunOptions> = {}) {
  const { heard, listener } = listening();
  const pluginsOf = ({ content }: TaskSpec) => {
    const { reader, writer } = job.contents[content]!;
    return { reader: reader.plugin, writer: writer.plugin };
  };
  const report = await runJob(job, {
    ledger: await newLedger(),
    channels: undefined,
    ...dispatched(),
    executor: inThisThread((_lane, spec, heardBy, signal) => {
      if (spec.beside === undefined) return runTask(spec, pluginsOf(spec), heardBy, signal);
      const plugins = [spec, ...spec.beside].map(pluginsOf);
      return runTogether(spec, plugins, heardBy, signal, ownReader(plugins[0]!.reader, spec.reader));
    }),
    signal: new AbortController().signal,
    listener: { ...listener, ...unheard },
    ...options,
  });
  return { report, heard };
}
