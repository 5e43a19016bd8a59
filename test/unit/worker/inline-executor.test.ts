import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { InlineExecutor } from '../../../core/worker/inline-executor.ts';
import { fakeTask, listening } from '../../support/fake-plugins.ts';
import { tempFolder } from '../../support/temp-folder.ts';

/** A task whose plugins are modules in a folder. */
function taskOf(reader: string, writer: string) {
  const folder = tempFolder();
  const end = (kind: 'reader' | 'writer', text: string) => {
    const path = join(folder, `${kind}.js`);
    writeFileSync(path, text);
    return { plugin: { kind, name: 'fake', module: pathToFileURL(path).href, exportName: 'default', isBuiltIn: true }, options: {} };
  };
  return fakeTask({ reader: end('reader', reader), writer: end('writer', writer) });
}

const reader = `export default { kind: 'reader', name: 'fake', open: () => ({ read: async (split, out) => void out.push(['a']) }) };`;
const writer = `export default { kind: 'writer', name: 'fake', open: () => ({
  openTask: async () => ({ write: async () => {}, commit: async () => 'committed', abort: async () => {} }) }) };`;

test('a task is run with the plugins that its description names', async () => {
  const outcome = await new InlineExecutor().run(0, taskOf(reader, writer), listening().listener, new AbortController().signal);
  expect(outcome).toMatchObject({ state: 'done', commit: 'committed', counters: { rowsRead: 1, rowsWritten: 1 } });
});

test('a plugin that cannot be loaded is a failed task, not a rejection', async () => {
  const outcome = await new InlineExecutor().run(
    0,
    taskOf(reader, 'throw new Error("no driver")'),
    listening().listener,
    new AbortController().signal,
  );
  expect(outcome).toMatchObject({ state: 'failed', error: { code: 'PLUGIN_BROKEN' } });
});
