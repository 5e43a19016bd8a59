import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { PluginRef } from '../registry/plugin-ref.ts';
import { type Kind, type PluginKinds, resolvePlugin } from '../registry/registry.ts';
import { DrayError, type ReaderPlugin, type TransformerPlugin, type WriterPlugin, z } from '../sdk/index.ts';
import { columnFormsFor } from './column-forms.ts';
import { jobFileSchema } from './job-schema.ts';
import { type JobSource, readJobSource } from './job-source.ts';
import { type JobText, parseJobText, plainValueOf } from './job-text.ts';
import { pairsOf, requireOneTarget } from './paired-contents.ts';
import { type SecretMask, secretsIn } from './secret-mask.ts';
import type { ServerLimits } from './server-limits.ts';
import { type Speed, speedOf } from './speed.ts';
import { type Path, placeInJob, textOf, validate } from './validate.ts';
import { substituteVariables } from './variables.ts';

/** One end of a content: which plugin, and its valid options. */
export interface End<P> {
  readonly ref: PluginRef;
  readonly plugin: P;
  readonly options: Readonly<Record<string, unknown>>;
  /** Where it stands in the job file, with line and column; undefined: it comes from no job file. */
  readonly place?: string;
}

/** A transformer of a content. */
export interface TransformerEnd extends End<TransformerPlugin> {
  /** Where it stands in the job file, with line and column. */
  readonly place: string;
}

/** A reader and one target. A content of the job file with several targets is several of these, one behind the other, which are read together. */
export interface Content {
  /** Its number, from 0: that of the job file, unless one before it stands for several. */
  readonly entry: number;
  /** Its number in the job file, from 0. One whose writer has several targets, as in DataX, stands for several contents. */
  readonly item: number;
  /** What makes it one of several targets; undefined: it is the only one of its entry. */
  readonly fanOut?: FanOut;
  readonly reader: End<ReaderPlugin>;
  /** What is done to the rows in between, in order. */
  readonly transformers: readonly TransformerEnd[];
  readonly writer: End<WriterPlugin>;
}

/** What holds for one of several targets. */
export interface FanOut {
  /** Its number among the writers of the content, from 0. */
  readonly target: number;
  readonly guarantee: Job['guarantee'];
  /** Dirty records of this target. null: no limit by count. */
  readonly maxDirtyRecords: number | null;
  readonly maxDirtyShare: number | undefined;
  readonly onFailure: 'fail-all' | 'go-on';
}

/** A job file, valid as far as that can be said without asking the systems it names. */
export interface Job {
  /** Name of the file without folder and extension. */
  readonly name: string;
  /** Path, or URL without its password, or `-`: where it can be read again. */
  readonly file: string;
  /** Of its text with variables replaced and secrets masked: whether it is still the same job. */
  readonly digest: string;
  /** Of `-p name=value`. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly guarantee: 'at-least-once' | 'exactly-once' | 'exactly-once-if-possible';
  /** undefined: consistent where that is possible. */
  readonly snapshot: 'consistent' | 'per-task' | 'none' | undefined;
  /** How often a task is started at most. */
  readonly maxAttempts: number;
  /** Longest pause between two attempts. */
  readonly maxRetryWaitMs: number;
  /** Gets the dirty records, beside the quarantine of the run. */
  readonly quarantineWriter: End<WriterPlugin> | undefined;
  /** As in the job file; undefined: to be worked out. */
  readonly channels: number | undefined;
  /** Bytes of the source that one task should read; undefined: the Splitter's default. */
  readonly splitBytes: number | undefined;
  /** Of the whole job; 0: no limit. */
  readonly bytesPerSecond: number;
  readonly recordsPerSecond: number;
  /** Of each task that runs; 0: no limit. */
  readonly bytesPerChannel: number;
  readonly recordsPerChannel: number;
  /** null: no limit by count. */
  readonly maxDirtyRecords: number | null;
  readonly maxDirtyShare: number | undefined;
  /** 0–9; 9 goes first. */
  readonly priority: number;
  /** When it should have ended, as of Date.now(). */
  readonly deadlineAt: number | undefined;
  /** How long it may take; undefined: as short as this machine can make it. */
  readonly finishWithinMs: number | undefined;
  /** Whose slots it takes; undefined: those of all jobs that name none. */
  readonly pool: string | undefined;
  /** At each server that is read from, and at each that is written to. */
  readonly sourceLimits: ServerLimits;
  readonly targetLimits: ServerLimits;
  readonly isDryRun: boolean;
  readonly contents: readonly Content[];
}

/** Together about a minute of waiting: as long as a server takes to start again. */
const defaultAttempts = 8;
const defaultRetryWaitMs = 30_000;
const defaultPriority = 5;

export interface LoadOptions {
  readonly parameters: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly isLenient: boolean;
  readonly mask: SecretMask;
  readonly warn: (message: string) => void;
}

/**
 * Reads and checks a job file: a path, a `file://`, `http://` or `https://` URL, or `-` for standard input.
 * @throws DrayError with exit code 2 and the line and column of the first mistake
 */
export async function loadJob(given: string, options: LoadOptions): Promise<Job> {
  const source = await readJobSource(given);
  options.mask.add(...source.secrets);
  return jobOf(source, options);
}

/** Checks a job file that has been read. */
export async function jobOf(source: JobSource, options: LoadOptions): Promise<Job> {
  const { folder } = source;
  const raw = source.text.replace(/^\uFEFF/, ' ');
  const { text, secrets } = substituteVariables(raw, { ...options, jobFile: source.file, folder });
  options.mask.add(...secrets);
  const job = parseJobText(source.file, text);
  const { core, common, ...file } = validate(jobFileSchema, plainValueOf(job.root, text), job, { at: [], ...options });
  const { content } = file.job;
  const setting: Partial<NonNullable<typeof file.job.setting>> = file.job.setting ?? {};
  const forms = columnFormsFor(common?.column);
  const end = <K extends Kind>(kind: K, given: { name: string; parameter: Record<string, unknown> }, path: Path) =>
    loadEnd(kind, { ...given, folder, forms }, job, path, options);
  const chainOf = async (given: readonly { name: string; parameter: Record<string, unknown> }[], at: Path) => {
    const transformers: TransformerEnd[] = [];
    for (const [position, one] of given.entries()) {
      const path = [...at, 'transformer', position];
      transformers.push({ ...(await end('transformer', one, path)), place: placeInJob(job, path) });
    }
    return transformers;
  };
  const { quarantine, speed = {}, errorLimit = {}, retry = {}, dryRun = false, guarantee = 'at-least-once' } = setting;
  const limits = speedOf(speed, core?.transport?.channel?.speed);
  const contents: Content[] = [];
  for (const [item, { reader: source, writer, writers = [], transformer = [] }] of content.entries()) {
    const at = ['job', 'content', item];
    const entry = 1 + (contents.at(-1)?.entry ?? -1);
    const transformers = await chainOf(transformer, at);
    const reader = await end('reader', source, [...at, 'reader']);
    if (writer !== undefined) {
      const path = [...at, 'writer'];
      const pairs = pairsOf(reader, await end('writer', writer, path), limits.channels, { job, path });
      if (pairs.length > 1)
        options.warn(
          `${textOf(path)} names ${pairs.length} tables: the n-th table of the reader goes into the n-th, as a content of its own`,
        );
      contents.push(...pairs.map((pair, index) => ({ entry: entry + index, item, transformers, ...pair })));
    }
    for (const [target, one] of writers.entries()) {
      const path = [...at, 'writers', target];
      contents.push({
        entry,
        item,
        fanOut: { target, guarantee: one.guarantee ?? guarantee, ...dirtyLimits(one.errorLimit ?? errorLimit), onFailure: one.onFailure },
        reader,
        transformers: [...transformers, ...(await chainOf(one.transformer ?? [], path))],
        writer: await end('writer', one, path),
      });
      requireOneTarget(contents.at(-1)!.writer, { job, path });
      refuseTwin(contents, job, path);
    }
  }
  const quarantineWriter =
    quarantine === undefined ? undefined : await end('writer', quarantine.writer, ['job', 'setting', 'quarantine', 'writer']);
  if (quarantineWriter !== undefined) requireOneTarget(quarantineWriter, { job, path: ['job', 'setting', 'quarantine', 'writer'] });
  if (forms.isUnused) options.warn('common.column has no effect: no plugin of this job turns texts into dates');
  if ('isBare' in speed) options.warn(`job.setting.speed is a number, which is taken as {"byte": ${speed.byte}}: bytes per second`);
  const failOver = core?.container?.task?.failOver;
  warnOfChannels(speed, limits, options.warn);
  return {
    name: source.name,
    file: /^(https?:|-$)/i.test(source.file) ? source.file : resolve(source.file),
    digest: createHash('sha256').update(options.mask.apply(text)).digest('hex'),
    parameters: options.parameters,
    guarantee,
    snapshot: setting.snapshot,
    maxAttempts: retry.attempts ?? (failOver?.maxRetryTimes === undefined ? defaultAttempts : Math.max(1, failOver.maxRetryTimes)),
    maxRetryWaitMs:
      retry.maxWaitSeconds === undefined ? (failOver?.retryIntervalInMsec ?? defaultRetryWaitMs) : 1000 * retry.maxWaitSeconds,
    quarantineWriter,
    channels: limits.channels,
    splitBytes: setting.splitBytes,
    bytesPerSecond: limits.bytes,
    recordsPerSecond: limits.records,
    bytesPerChannel: limits.bytesPerChannel,
    recordsPerChannel: limits.recordsPerChannel,
    ...dirtyLimits(errorLimit),
    priority: setting.priority ?? defaultPriority,
    deadlineAt: setting.deadline,
    finishWithinMs: setting.finishWithin,
    pool: setting.pool,
    sourceLimits: setting.source ?? {},
    targetLimits: setting.target ?? {},
    isDryRun: dryRun,
    contents,
  };
}

/** Two targets that are the same would undo and replace each other's rows. @throws DrayError JOB_INVALID */
function refuseTwin(contents: readonly Content[], job: JobText, path: Path): void {
  const last = contents.at(-1)!;
  const twin = contents.find(({ entry, writer: { plugin, options } }) => {
    return entry === last.entry && plugin === last.writer.plugin && isDeepStrictEqual(options, last.writer.options);
  });
  if (twin === last) return;
  throw new DrayError('JOB_INVALID', `${textOf(path)}: this target is the same as that of writers[${twin!.fanOut!.target}]`, {
    place: placeInJob(job, path),
  });
}

function dirtyLimits({ record, percentage }: { readonly record?: number | undefined; readonly percentage?: number | undefined }) {
  return { maxDirtyRecords: record ?? (percentage === undefined ? 0 : null), maxDirtyShare: percentage };
}

function warnOfChannels(speed: { readonly channel?: number | undefined }, { channels }: Speed, warn: (message: string) => void): void {
  if (speed.channel === undefined || speed.channel === channels) return;
  warn(
    `job.setting.speed.channel has no effect: the limits of the job and of a channel (core.transport.channel.speed) make ${channels} channels`,
  );
}

interface GivenEnd {
  readonly name: string;
  readonly parameter: Record<string, unknown>;
  /** Plugins are looked for from there. */
  readonly folder: string;
  readonly forms: ReturnType<typeof columnFormsFor>;
}

async function loadEnd<K extends Kind>(
  kind: K,
  { name, parameter: given, folder, forms }: GivenEnd,
  job: JobText,
  path: Path,
  options: LoadOptions,
): Promise<End<PluginKinds[K]>> {
  const { ref, plugin } = await resolvePlugin(kind, name, folder).catch((error: unknown) => {
    throw error instanceof DrayError ? error.at({ place: placeInJob(job, [...path, 'name']) }) : error;
  });
  const parameter = forms.into(given, plugin.options);
  options.mask.add(...secretsIn(parameter, z.toJSONSchema(plugin.options, { io: 'input', unrepresentable: 'any' }) as object));
  const valid = validate(plugin.options, parameter, job, { at: [...path, 'parameter'], ...options });
  return { ref, plugin, options: valid, place: placeInJob(job, path) };
}
