import type { Json, PluginContext, Schema, Writer } from '../../../core/sdk/index.ts';
import { openFileWriter } from '../../../plugins/_files/file-writer.ts';
import { copy } from '../../../plugins/_files/formats/copy.ts';
import { findSetFiles } from '../../../plugins/_files/set/find-set.ts';
import { signingKey } from '../../../plugins/_files/set/signature.ts';
import { verifyFile } from '../../../plugins/_files/set/verify.ts';
import type { Storage } from '../../../plugins/_files/storage/storage.ts';
import { batchOf } from '../../unit/files/formats/keeping-output.ts';
import { bytesOf } from './places.ts';

const schema: Schema = { columns: [{ name: 'text', type: 'string', isNullable: true }] };

export interface WritingFacts {
  readonly run: string;
  readonly fileName?: string;
  readonly writeMode?: 'truncate' | 'overwrite-atomically' | 'append' | 'nonConflict';
  readonly signal?: AbortSignal;
  /** Rows that an earlier run has refused. */
  readonly isReplay?: true;
  /** The secret that signs. */
  readonly signature?: string;
}

function writerOf(
  storage: Storage,
  folder: string,
  { run, fileName = 'orders', writeMode = 'append', signal, signature }: WritingFacts,
): Writer {
  const context: PluginContext = {
    run,
    job: 'test',
    warn: () => undefined,
    print: () => undefined,
    signal: signal ?? new AbortController().signal,
  };
  return openFileWriter(
    {
      storage,
      folder,
      fileName,
      writeMode,
      format: copy({}),
      formatName: 'copy',
      compression: 'none',
      encryptionKey: null,
      codecs: [],
      signatureKey: signature === undefined ? undefined : signingKey(signature),
      hasSidecars: true,
      maxFileBytes: undefined,
    },
    context,
  );
}

const run = { guarantee: 'at-least-once', mode: 'run' } as const;
const resume = { ...run, mode: 'resume' } as const;

/** A run that writes a set of two files, in steps that a test can hold between. The storage stays open. */
export async function startWriting(storage: Storage, folder: string, facts: WritingFacts) {
  const writer = writerOf(storage, folder, facts);
  const intent = { ...run, mode: facts.isReplay ? 'replay' : 'run' } as const;
  const target = await writer.prepare!(schema, intent);
  const tasks = [0, 1].map((id) => writer.openTask({ id, attempt: 1, guarantee: 'at-least-once', source: schema, target }));
  const [first, second] = [await tasks[0]!, await tasks[1]!];
  for (const [part, task] of [first, second].entries())
    await task.write(batchOf(schema, [[`${facts.run} ${part}`], [`${facts.run} again`]]));
  return {
    /** What `publish` is given. */
    commit: async (): Promise<Json[]> => [(await first.commit(null)) ?? null, (await second.commit(null)) ?? null],
    /** Four rows: the run and the number of the file, the run and "again". */
    publish: async (commits?: Json[]): Promise<void> => {
      await writer.publish!(commits ?? [(await first.commit(null)) ?? null, (await second.commit(null)) ?? null], intent);
    },
    async giveUp(): Promise<void> {
      for (const task of [first, second]) await task.abort();
      await writer.discard!();
    },
  };
}

/** What another process does that goes on with a run which has died after all tasks had committed. */
export async function publishAgain(storage: Storage, folder: string, facts: WritingFacts, commits: Json[]): Promise<void> {
  const writer = writerOf(storage, folder, facts);
  await writer.prepare!(schema, resume);
  await writer.publish!(commits, resume);
}

export async function writeSet(storage: Storage, folder: string, facts: WritingFacts): Promise<void> {
  await (await startWriting(storage, folder, facts)).publish();
}

/** The rows of all finished sets in a folder, as a reader that verifies them gets them, sorted. */
export async function rowsIn(storage: Storage, folder: string): Promise<string[]> {
  const { signal } = new AbortController();
  const files = await findSetFiles(storage, [folder], { verify: 'require', ready: 'require', signatureKey: undefined, signal });
  const texts: string[] = [];
  for (const file of files) {
    await verifyFile(storage, file, { signal });
    texts.push(String(await bytesOf(storage, file.path)));
  }
  return texts.join('').split('\n').slice(0, -1).sort();
}

export const rowsOf = (...runs: string[]) => runs.flatMap((run) => [`${run} 0`, `${run} 1`, `${run} again`, `${run} again`]).sort();

/** An id as the framework makes them; later for a higher number. */
export const runId = (number: number) => `20261121-030405-${number.toString(16).padStart(6, '0')}`;
