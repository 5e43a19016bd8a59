import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, dirname, extname, resolve } from 'node:path';
import { getNodeValue, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { PluginRef } from '../registry/plugin-ref.ts';
import { type Kind, type PluginKinds, resolvePlugin } from '../registry/registry.ts';
import { DrayError, type ReaderPlugin, type TransformerPlugin, type WriterPlugin, z } from '../sdk/index.ts';
import { jobFileSchema } from './job-schema.ts';
import { type SecretMask, secretsIn } from './secret-mask.ts';
import { type JobText, type Path, placeInJob, validate } from './validate.ts';
import { placeOf, substituteVariables } from './variables.ts';

/** One end of a content: which plugin, and its valid options. */
export interface End<P> {
  readonly ref: PluginRef;
  readonly plugin: P;
  readonly options: Readonly<Record<string, unknown>>;
}

/** A transformer of a content. */
export interface TransformerEnd extends End<TransformerPlugin> {
  /** Where it stands in the job file, with line and column. */
  readonly place: string;
}

export interface Content {
  readonly reader: End<ReaderPlugin>;
  /** What is done to the rows in between, in order. */
  readonly transformers: readonly TransformerEnd[];
  readonly writer: End<WriterPlugin>;
}

/** A job file, valid as far as that can be said without asking the systems it names. */
export interface Job {
  /** Name of the file without folder and extension. */
  readonly name: string;
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
  /** 0: no limit. */
  readonly bytesPerSecond: number;
  readonly recordsPerSecond: number;
  /** null: no limit by count. */
  readonly maxDirtyRecords: number | null;
  readonly maxDirtyShare: number | undefined;
  readonly isDryRun: boolean;
  readonly contents: readonly Content[];
}

/** Together about a minute of waiting: as long as a server takes to start again. */
const defaultAttempts = 8;
const defaultRetryWaitSeconds = 30;

export interface LoadOptions {
  readonly parameters: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly isLenient: boolean;
  readonly mask: SecretMask;
  readonly warn: (message: string) => void;
}

/**
 * Reads and checks a job file.
 * @throws DrayError with exit code 2 and the line and column of the first mistake
 */
export async function loadJob(file: string, options: LoadOptions): Promise<Job> {
  const job = parse(file, options);
  const { setting, content } = validate(jobFileSchema, getNodeValue(job.root), job, { at: [], ...options }).job;
  const contents: Content[] = [];
  for (const [index, { reader, writer, transformer = [] }] of content.entries()) {
    const transformers: TransformerEnd[] = [];
    for (const [position, one] of transformer.entries()) {
      const path = ['job', 'content', index, 'transformer', position];
      transformers.push({ ...(await loadEnd('transformer', one, job, path, options)), place: placeInJob(job, path) });
    }
    contents.push({
      reader: await loadEnd('reader', reader, job, ['job', 'content', index, 'reader'], options),
      transformers,
      writer: await loadEnd('writer', writer, job, ['job', 'content', index, 'writer'], options),
    });
  }
  const quarantine = setting?.quarantine;
  const quarantineWriter =
    quarantine === undefined
      ? undefined
      : await loadEnd('writer', quarantine.writer, job, ['job', 'setting', 'quarantine', 'writer'], options);
  const { speed = {}, errorLimit = {}, splitBytes, dryRun = false, guarantee = 'at-least-once', snapshot, retry = {} } = setting ?? {};
  const limits = speed as { channel?: number; byte?: number; record?: number };
  return {
    name: basename(file, extname(file)),
    file: resolve(file),
    digest: createHash('sha256').update(options.mask.apply(job.text)).digest('hex'),
    parameters: options.parameters,
    guarantee,
    snapshot,
    maxAttempts: retry.attempts ?? defaultAttempts,
    maxRetryWaitMs: 1000 * (retry.maxWaitSeconds ?? defaultRetryWaitSeconds),
    quarantineWriter,
    channels: limits.channel,
    splitBytes,
    bytesPerSecond: Math.max(0, limits.byte ?? 0),
    recordsPerSecond: Math.max(0, limits.record ?? 0),
    maxDirtyRecords: errorLimit.record ?? (errorLimit.percentage === undefined ? 0 : null),
    maxDirtyShare: errorLimit.percentage,
    isDryRun: dryRun,
    contents,
  };
}

function parse(file: string, options: LoadOptions): JobText {
  let raw: string;
  try {
    raw = readFileSync(file, 'utf8');
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : (cause as Error).message;
    throw new DrayError('JOB_UNREADABLE', `cannot read the job file ${file}: ${reason}`, { cause });
  }
  const { text, secrets } = substituteVariables(raw.replace(/^\uFEFF/, ' '), { ...options, jobFile: file });
  options.mask.add(...secrets);
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true, disallowComments: false });
  const [error] = errors;
  if (error !== undefined || root === undefined) {
    const what = error === undefined ? 'it is empty' : wordsOf(printParseErrorCode(error.error));
    throw new DrayError('JOB_SYNTAX', `the job file is not JSON: ${what}`, { place: placeOf(file, text, error?.offset ?? 0) });
  }
  if (root.type !== 'object') {
    throw new DrayError('JOB_SYNTAX', 'the job file must be a JSON object: {"job": …}', { place: placeOf(file, text, root.offset) });
  }
  refuseDoubleKeys(root, { file, text, root });
  return { file, text, root };
}

/** JSON parsers keep the last of two equal keys; the user has lost track of one of them. */
function refuseDoubleKeys(node: JobText['root'], job: JobText): void {
  const seen = new Set<unknown>();
  for (const child of node.children ?? []) {
    if (child.type === 'property') {
      const key: unknown = child.children?.[0]?.value;
      if (seen.has(key)) {
        throw new DrayError('JOB_SYNTAX', `the key "${String(key)}" stands twice in the same object`, {
          place: placeOf(job.file, job.text, child.offset),
        });
      }
      seen.add(key);
    }
    refuseDoubleKeys(child, job);
  }
}

/** `CommaExpected` → `comma expected` */
function wordsOf(code: string): string {
  return code.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
}

async function loadEnd<K extends Kind>(
  kind: K,
  { name, parameter }: { name: string; parameter: Record<string, unknown> },
  job: JobText,
  path: Path,
  options: LoadOptions,
): Promise<End<PluginKinds[K]>> {
  const { ref, plugin } = await resolvePlugin(kind, name, dirname(job.file)).catch((error: unknown) => {
    throw error instanceof DrayError ? error.at({ place: placeInJob(job, [...path, 'name']) }) : error;
  });
  options.mask.add(...secretsIn(parameter, z.toJSONSchema(plugin.options, { io: 'input', unrepresentable: 'any' }) as object));
  const valid = validate(plugin.options, parameter, job, { at: [...path, 'parameter'], ...options });
  return { ref, plugin, options: valid };
}
