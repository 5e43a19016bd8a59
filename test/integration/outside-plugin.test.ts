import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { expectFault } from '../support/faults.ts';
import { type DrayResult, runDray, writeJob } from '../support/run-dray.ts';
import { tempFolder } from '../support/temp-folder.ts';

const sink = { name: 'streamwriter', parameter: { print: false } };
const project = join(import.meta.dirname, '..', '..');
const examples = join(project, 'jobs', 'plugins');

/** A folder outside of the project, without any node_modules, with some files to list. */
function workshop(): { folder: string; files: string; output: string } {
  const folder = tempFolder();
  const files = join(folder, 'files');
  for (const part of ['x', 'y', 'z']) {
    mkdirSync(join(files, part), { recursive: true });
    for (let n = 0; n < 10; n++) writeFileSync(join(files, part, `${n}.txt`), '');
  }
  return { folder, files, output: join(folder, 'output') };
}

function run(folder: string, reader: object, writer: object, channels: string): Promise<DrayResult> {
  const job = writeJob(folder, { job: { content: [{ reader, writer }] } });
  return runDray(['run', '--json', '--channels', channels, job], { cwd: '/' });
}

/** Installs an example as npm would. */
function install(folder: string, name: string, file: string): void {
  const root = join(folder, 'node_modules', name);
  mkdirSync(root, { recursive: true });
  cpSync(join(examples, file), join(root, 'plugin.js'));
  writeFileSync(join(root, 'package.json'), JSON.stringify({ name, type: 'module', exports: './plugin.js' }));
}

describe.each(['1', '2'])('on %s channel(s)', (channels) => {
  test('plugins named by their path from the job file are used', async () => {
    const { folder, files, output } = workshop();
    cpSync(examples, join(folder, 'my plugins'), { recursive: true });
    // Without a package.json beside it a .js file is CommonJS to Node.
    writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
    const reader = { name: './my plugins/folder-reader.js', parameter: { path: files } };
    const writer = { name: join(folder, 'my plugins', 'json-lines-writer.js'), parameter: { path: output } };
    const { exitCode, report, stderr } = await run(folder, reader, writer, channels);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(report).toMatchObject({ rows: { read: 30, written: 30 }, contents: [{ reader: 'folder', writer: 'jsonlines', tasks: 4 }] });
    const lines = readdirSync(output).flatMap((name) => readFileSync(join(output, name), 'utf8').split('\n').filter(Boolean));
    expect(lines).toHaveLength(30);
  });

  test('plugins named by their npm package are found beside or above the job file', async () => {
    const { folder, files, output } = workshop();
    install(folder, 'dray-folder', 'folder-reader.js');
    install(folder, '@company/dray-json-lines', 'json-lines-writer.js');
    const jobs = join(folder, 'jobs', 'nightly');
    mkdirSync(jobs, { recursive: true });
    const reader = { name: 'dray-folder', parameter: { path: files } };
    const { exitCode, report, stderr } = await run(
      jobs,
      reader,
      { name: '@company/dray-json-lines', parameter: { path: output } },
      channels,
    );
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0, stderr: expect.not.stringMatching(/^(warning|error)/m) as string });
    expect(report!.rows.written).toBe(30);
  });

  test('an example that fails leaves no file behind', async () => {
    const { folder, files, output } = workshop();
    install(folder, 'lines', 'json-lines-writer.js');
    addPlugin(folder, 'failing.js', readerThat("if (split.name === 'b') throw new Error('broken on purpose'); out.push(['a']);"));
    const result = await run(folder, { name: './failing.js', parameter: {} }, { name: 'lines', parameter: { path: output } }, channels);
    expectFault(result, { exitCode: 1, code: 'INTERNAL', says: 'broken on purpose', where: 'b' });
    expect(readdirSync(output)).toEqual([]);
    expect(readdirSync(files)).toHaveLength(3);
  });

  test('a plugin that ends its thread or the program is told so, and does not pass for success', async () => {
    const { folder } = workshop();
    addPlugin(folder, 'exiting.js', readerThat('process.exit(0);'));
    const result = await run(folder, { name: './exiting.js', parameter: {} }, sink, channels);
    expectFault(result, { exitCode: 1, code: 'POISON_TASK', says: /^task [01] was set aside after it had ended its thread 3 times/ });
  });
});

test.each([
  ['ends the program', 'process.exit(0);'],
  ['waits for what cannot happen', 'await new Promise(() => undefined);'],
])('a plugin in the only thread that %s does not pass for success', async (_, body) => {
  const { folder } = workshop();
  addPlugin(folder, 'outside.js', readerThat(body).replace("split: () => [{ name: 'a' }, { name: 'b' }],", ''));
  const { exitCode, stderr } = await run(folder, { name: './outside.js', parameter: {} }, sink, '1');
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^error INTERNAL: the program ended in the middle of its work/m);
});

function addPlugin(folder: string, name: string, text: string): void {
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
  writeFileSync(join(folder, name), text);
}

/** A reader of two splits, a and b. */
function readerThat(body: string): string {
  return `import { defineReader, DrayError, z } from 'dray/sdk';
    export default defineReader({
      name: 'outside', summary: 'x', options: z.strictObject({ size: z.number().optional() }),
      open: () => ({
        schema: () => ({ columns: [{ name: 'c', type: 'string', isNullable: true }] }),
        split: () => [{ name: 'a' }, { name: 'b' }],
        async read(split, out) { ${body} },
      }),
    });`;
}

test('options of an outside plugin are checked like those of any other', async () => {
  const { folder } = workshop();
  addPlugin(folder, 'outside.js', readerThat("out.push(['x']);"));
  const misspelled = await run(folder, { name: './outside.js', parameter: { sise: 1 } }, sink, '1');
  expectFault(misspelled, { exitCode: 2, code: 'JOB_UNKNOWN_KEY', says: 'did you mean "size"?', where: 'job.json:' });
  expect((await run(folder, { name: './outside.js', parameter: { size: 1 } }, sink, '1')).report?.rows.written).toBe(2);
});

test('a DrayError of an outside plugin keeps its code and its advice, also from a thread', async () => {
  const { folder } = workshop();
  addPlugin(folder, 'outside.js', readerThat("throw new DrayError('PATH_MISSING', 'no such tape', { remedy: 'Put the tape in.' });"));
  for (const channels of ['1', '2']) {
    const result = await run(folder, { name: './outside.js', parameter: {} }, sink, channels);
    expectFault(result, { exitCode: 3, code: 'PATH_MISSING', says: 'no such tape' });
    expect(result.stderr).toContain('what to do: Put the tape in.');
  }
});

test.each([
  ['there is none', undefined, 'PLUGIN_UNKNOWN', 'there is no reader at'],
  ['it is no JavaScript', 'export default {', 'PLUGIN_BROKEN', 'cannot be loaded'],
  ['it exports something else', 'export default 5', 'PLUGIN_BROKEN', 'does not export a reader'],
] as const)('when %s, that is said with its place in the job file', async (_, text, code, says) => {
  const { folder } = workshop();
  if (text !== undefined) addPlugin(folder, 'outside.js', text);
  const result = await run(folder, { name: './outside.js', parameter: {} }, sink, '1');
  expectFault(result, { exitCode: 2, code, says, where: 'job.json:' });
});

test('an outside plugin is tested by the contract in a project of its own', () => {
  const { folder } = workshop();
  const modules = join(folder, 'node_modules');
  mkdirSync(modules);
  symlinkSync(project, join(modules, 'dray'));
  symlinkSync(join(project, 'node_modules', 'vitest'), join(modules, 'vitest'));
  const reader = `
    import { DrayError, defineReader, z } from 'dray/sdk';
    export default defineReader({
      name: 'numbers',
      summary: 'Counts',
      options: z.strictObject({ to: z.number() }),
      example: { to: 10 },
      open: ({ to }) => ({
        schema: () => ({ columns: [{ name: 'n', type: 'integer', isNullable: false }] }),
        split: async () => [0, 1].map((part) => ({ name: String(part), part })),
        async read({ part }, out, signal) {
          for (let n = part; n < to; n += 2) {
            signal.throwIfAborted();
            if (!out.push([String(n)])) await out.drain();
          }
        },
      }),
    });
    export const fault = new DrayError('PATH_MISSING', 'no such path');`;
  const tests = `
    import { readerContract } from 'dray/contract';
    import { DrayError } from 'dray/sdk';
    import { expect, test } from 'vitest';
    import reader, { fault } from './reader.js';
    readerContract({ plugin: reader, parameter: () => ({ to: 100_000 }), rowCount: 100_000 });
    test('there is one SDK', () => expect(fault).toBeInstanceOf(DrayError));`;
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
  writeFileSync(join(folder, 'reader.js'), reader);
  writeFileSync(join(folder, 'reader.test.js'), tests);
  const vitest = join(project, 'node_modules', 'vitest', 'vitest.mjs');
  const printed = execFileSync(process.execPath, [vitest, 'run', '--root', folder], { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
  expect(stripVTControlCharacters(printed)).toMatch(/Tests {2}\d+ passed \(\d+\)/);
});
