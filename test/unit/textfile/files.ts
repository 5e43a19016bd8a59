import { chmodSync, chownSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Cell, PluginContext, Schema, SplitHint } from '../../../core/sdk/index.ts';
import reader from '../../../plugins/textfile/reader.ts';
import writer from '../../../plugins/textfile/writer.ts';
import { textSchema } from '../../support/arbitraries.ts';
import { batchOf, KeepingOutput } from '../files/formats/keeping-output.ts';

const open = new AbortController().signal;

export const contextOf = (run = 'run-1', signal = open): PluginContext => ({
  run,
  job: 'test',
  warn: () => undefined,
  print: () => undefined,
  signal,
});

/** For readers that shall not cut files. */
export const inOneTask: SplitHint = { channels: 1, bytesPerTask: (total) => total };

/** What a reader with this `parameter` delivers, all splits in order. */
export async function readFiles(parameter: object) {
  const one = await reader.open(reader.options.parse(parameter), contextOf());
  const schema = await one.schema();
  const out = new KeepingOutput(schema);
  const splits = (await one.split?.(inOneTask)) ?? [];
  for (const split of splits) {
    await one.read(split, out, open);
    await out.flush();
  }
  return {
    names: schema.columns.map(({ name }) => name),
    types: schema.columns.map(({ type }) => type),
    rows: out.rows,
    rejected: out.rejected,
    splits,
  };
}

/** Writes rows, in batches of two, and publishes them. */
export async function writeFiles(
  parameter: object,
  rows: readonly (readonly Cell[])[],
  facts: { schema?: Schema; run?: string; tasks?: number } = {},
) {
  const { schema = textSchema(rows[0]?.length ?? 1), run = 'run-1', tasks = 1 } = facts;
  const one = await writer.open(writer.options.parse({ sidecar: false, ...parameter }), contextOf(run));
  const target = (await one.prepare?.(schema, { guarantee: 'at-least-once', mode: 'run' })) ?? (await one.inspect(schema));
  const commits = [];
  for (let id = 0; id < tasks; id++) {
    const task = await one.openTask({ id, attempt: 1, guarantee: 'at-least-once', source: schema, target });
    for (let from = 0; from < rows.length; from += 2) await task.write(batchOf(schema, rows.slice(from, from + 2)));
    commits.push((await task.commit(null)) ?? null);
  }
  await one.publish?.(commits, { guarantee: 'at-least-once', mode: 'run' });
  await one.close?.();
}

/** Texts of all files in a folder by name, hidden ones too. */
export function contents(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => {
        const bytes = readFileSync(join(folder, name));
        return [name, (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')];
      }),
  );
}

const nobody = 65534;

/** Calls `work` as a user who is not root and owns the files of a folder, so that rights mean something. */
export async function withoutRights(folder: string, work: () => Promise<void>): Promise<void> {
  const isRoot = process.geteuid?.() === 0;
  const all = [folder, ...readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name))];
  if (isRoot) {
    for (const path of all) chownSync(path, nobody, nobody);
    process.seteuid?.(nobody);
  }
  try {
    await work();
  } finally {
    if (isRoot) process.seteuid?.(0);
    for (const path of all) chmodSync(path, 0o700);
  }
}
