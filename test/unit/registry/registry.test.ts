import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { builtInPlugins, loadPlugin, resolvePlugin } from '../../../core/registry/registry.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const readerModule = (name: string) => `export const mine = { kind: 'reader', name: '${name}', open() {} };`;

/** A package in node_modules of `folder`. */
function addPackage(folder: string, name: string, manifest: object, files: Record<string, string>): void {
  const root = join(folder, 'node_modules', name);
  mkdirSync(join(root, 'lib'), { recursive: true });
  writeFileSync(join(root, 'package.json'), JSON.stringify({ name, type: 'module', ...manifest }));
  for (const [path, text] of Object.entries(files)) writeFileSync(join(root, path), text);
}

test('the built-in plugins have a name, a DataX name and an option object each', async () => {
  for (const kind of ['reader', 'writer'] as const) {
    const found = await builtInPlugins(kind);
    expect(found.length).toBeGreaterThanOrEqual(3);
    for (const { plugin, ref } of found) {
      expect(plugin.kind).toBe(kind);
      expect(plugin.aliases?.[0]).toMatch(new RegExp(`${kind}$`));
      expect(plugin.options.safeParse(plugin.example).success).toBe(true);
      expect(ref).toMatchObject({ kind, name: plugin.name, isBuiltIn: true });
    }
  }
});

test('the built-in transformers have a name of their own and an example that is right', async () => {
  const found = await builtInPlugins('transformer');
  const names = found.flatMap(({ plugin }) => [plugin.name, ...(plugin.aliases ?? [])]);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toEqual(expect.arrayContaining(['dx_substr', 'dx_pad', 'dx_replace', 'dx_filter', 'dx_digest', 'dx_js', 'mask', 'rename']));
  for (const { plugin, ref } of found) {
    expect(plugin.kind).toBe('transformer');
    expect(plugin.options.safeParse(plugin.example).success).toBe(plugin.name !== 'dx_groovy');
    expect(await loadPlugin({ ...ref, kind: 'transformer' })).toBe(plugin);
  }
});

test.each(['stream', 'streamreader', 'StreamReader'])('%s names the built-in reader', async (name) => {
  expect((await resolvePlugin('reader', name, '.')).plugin.name).toBe('stream');
});

test('a path is looked for from the folder of the job file', async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'mine.js'), readerModule('from path'));
  for (const name of ['./mine.js', 'mine.js', join(folder, 'mine.js')]) {
    const { plugin, ref } = await resolvePlugin('reader', name, folder);
    expect(plugin.name).toBe('from path');
    expect(ref).toMatchObject({ exportName: 'mine', isBuiltIn: false });
    expect(await loadPlugin({ ...ref, kind: 'reader' })).toBe(plugin);
  }
});

test.each([
  ['module.exports itself', "module.exports = { kind: 'reader', name: 'common', open() {} };", 'default'],
  ['a member', "module.exports = { mine: { kind: 'reader', name: 'common', open() {} } };", 'mine'],
  [
    'the default export, as compilers write it',
    "Object.defineProperty(exports, '__esModule', { value: true }); exports.default = { kind: 'reader', name: 'common', open() {} };",
    'default',
  ],
])('what a CommonJS module exports is found, as the bundle has the built-in ones: %s', async (_, text, exportName) => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'mine.cjs'), text);
  const { plugin, ref } = await resolvePlugin('reader', './mine.cjs', folder);
  expect(plugin.name).toBe('common');
  expect(ref.exportName).toBe(exportName);
  expect(await loadPlugin({ ...ref, kind: 'reader' })).toBe(plugin);
});

test('a plugin that holds another one is itself the one that its module exports', async () => {
  const folder = tempFolder();
  const inner = "{ kind: 'reader', name: 'inner', open() {} }";
  writeFileSync(join(folder, 'outer.js'), `export default { kind: 'reader', name: 'outer', inner: ${inner}, open() {} };`);
  expect((await resolvePlugin('reader', './outer.js', folder)).plugin.name).toBe('outer');
});

test.each<[string, object, Record<string, string>]>([
  ['dray-plain', {}, { 'index.js': readerModule('found') }],
  ['dray-main', { main: 'lib/entry.js' }, { 'lib/entry.js': readerModule('found') }],
  ['dray-exports', { exports: './lib/entry.js' }, { 'lib/entry.js': readerModule('found') }],
  ['dray-conditions', { exports: { '.': { types: './no.d.ts', import: './lib/entry.js' } } }, { 'lib/entry.js': readerModule('found') }],
  ['@scope/dray-nested', { exports: { import: { default: './lib/entry.js' } } }, { 'lib/entry.js': readerModule('found') }],
])('the package %s is found in node_modules at or above the job file', async (name, manifest, files) => {
  const folder = tempFolder();
  addPackage(folder, name, manifest, files);
  mkdirSync(join(folder, 'jobs'));
  expect((await resolvePlugin('reader', name, join(folder, 'jobs'))).plugin.name).toBe('found');
});

test('the name of the other end is answered with that of this one', async () => {
  await expect(resolvePlugin('reader', 'MysqlWriter', '.')).rejects.toMatchObject({
    code: 'PLUGIN_UNKNOWN',
    message: '"MysqlWriter" is no reader; the reader is called "mysqlreader"',
  });
});

test('a misspelled name is answered with the nearest one', async () => {
  await expect(resolvePlugin('reader', 'mysqlraeder', '.')).rejects.toMatchObject({
    code: 'PLUGIN_UNKNOWN',
    exitCode: 2,
    message: 'there is no reader called "mysqlraeder"; the nearest is "mysqlreader"',
  });
});

test.each([
  ['reader', 'drdsreader', 'the nearest is "mysqlreader", which speaks the same protocol'],
  ['writer', 'ADBPGWriter', 'the nearest is "postgresqlwriter", which speaks the same protocol'],
  ['reader', 'oraclereader', '"oraclereader" is a plugin of DataX, and dray has no reader for what it is about'],
  ['writer', 'neo4jWriter', '"neo4jWriter" is a plugin of DataX, and dray has no writer for what it is about'],
] as const)('the %s %s of DataX is answered with: %s', async (kind, name, message) => {
  await expect(resolvePlugin(kind, name, '.')).rejects.toMatchObject({ code: 'PLUGIN_UNKNOWN', message: expect.stringContaining(message) });
});

test('a name that is near to none is not answered with a guess', async () => {
  await expect(resolvePlugin('reader', 'warehouse-of-ours', '.')).rejects.toMatchObject({
    message: 'there is no reader called "warehouse-of-ours"',
  });
});

test('a path that does not exist is named in full', async () => {
  const folder = tempFolder();
  await expect(resolvePlugin('writer', './none.js', folder)).rejects.toMatchObject({
    code: 'PLUGIN_UNKNOWN',
    message: `there is no writer at ${join(folder, 'none.js')}`,
  });
});

test.each([
  ['exports no plugin', 'export const nothing = 1;', 'does not export a reader'],
  ['exports a plugin of the other kind', "export default { kind: 'writer', name: 'w', open() {} };", 'does not export a reader'],
  ['throws when it is loaded', "throw new Error('no driver');", 'cannot be loaded: no driver'],
  ['imports what is not there', "import 'not-installed-anywhere';", 'cannot be loaded'],
])('a module that %s is a broken plugin', async (what, text, message) => {
  const folder = tempFolder();
  const name = `./${what.replaceAll(' ', '-')}.js`;
  writeFileSync(join(folder, name), text);
  await expect(resolvePlugin('reader', name, folder)).rejects.toMatchObject({
    code: 'PLUGIN_BROKEN',
    message: expect.stringContaining(message),
  });
});

test('a package whose package.json is no JSON is a broken plugin', async () => {
  const folder = tempFolder();
  addPackage(folder, 'dray-broken', {}, { 'package.json': '{' });
  await expect(resolvePlugin('reader', 'dray-broken', folder)).rejects.toMatchObject({ code: 'PLUGIN_BROKEN' });
});
