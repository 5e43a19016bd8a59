import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

/** The rooms of core, and which others each may import. */
const rooms: Record<string, readonly string[]> = {
  start: [],
  sdk: [],
  transform: ['sdk'],
  transport: ['sdk'],
  registry: ['sdk'],
  job: ['registry', 'sdk'],
  splitter: ['sdk'],
  task: ['transform', 'transport', 'registry', 'sdk'],
  scheduler: [],
  bench: [],
  report: ['task', 'sdk'],
  ledger: ['sdk'],
  load: ['sdk'],
  governor: ['sdk'],
  worker: ['start', 'task', 'registry', 'sdk'],
  controller: ['job', 'task', 'transform', 'splitter', 'scheduler', 'report', 'ledger', 'load', 'governor', 'transport', 'sdk'],
  serve: ['controller', 'report', 'ledger', 'task', 'job', 'sdk'],
  cli: ['start', 'bench', 'serve', 'controller', 'worker', 'report', 'ledger', 'task', 'job', 'registry', 'splitter', 'transport', 'sdk'],
};
/** Allowed between these rooms for types only. */
const typesOnly = [
  ['task', 'registry'],
  ['report', 'task'],
];

interface Import {
  /** Paths from the project's folder. */
  readonly file: string;
  readonly target: string;
  readonly isType: boolean;
}

function importsIn(file: string, text: string): Import[] {
  return [
    ...text.matchAll(/(?:^|\n)\s*(?:import|export)\s(type\s)?[^;]*?from\s+'([^']+)'|(?:^|\n)\s*import\s+'([^']+)'|\bimport\('([^']+)'\)/g),
  ].map(([, type, from, bare, dynamic]) => {
    const name = (from ?? bare ?? dynamic)!;
    const target = name.startsWith('.') ? relative(root, resolve(root, dirname(file), name)) : name;
    return { file, target, isType: type !== undefined };
  });
}

/** Why an import is wrong; undefined if it is right. */
function fault({ file, target, isType }: Import): string | undefined {
  const [from, room = ''] = file.split('/');
  const [to, name = ''] = target.split('/');
  if (['test', 'benchmarks', 'demo'].includes(from!)) return undefined;
  if (['test', 'benchmarks', 'demo', 'dist'].includes(to!)) return `${file} imports ${target}`;
  if (from === 'plugins') {
    const isOwn = to === 'plugins' && (name === room || name === '_sql' || name === '_files');
    return isOwn || target === 'dray/sdk' || !['core', 'plugins', 'dray'].includes(to!) ? undefined : `${file} imports ${target}`;
  }
  if (to === 'plugins' || to === 'dray') return `${file} imports ${target}`;
  if (to !== 'core' || name === room) return undefined;
  if (!rooms[room]?.includes(name)) return `${file} imports ${target}`;
  const needsType = typesOnly.some(([user, used]) => user === room && used === name);
  return needsType && !isType ? `${file} imports more than types of ${target}` : undefined;
}

const files = ['core', 'plugins'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => join(folder, path)),
);
const imports = files.flatMap((file) => importsIn(file, readFileSync(join(root, file), 'utf8')));

test('imports go only down', () => {
  expect(files.length).toBeGreaterThan(50);
  expect(imports.length).toBeGreaterThan(200);
  expect(imports.flatMap((one) => fault(one) ?? [])).toEqual([]);
});

test('every folder of core is a room with its rules', () => {
  expect(readdirSync(join(root, 'core')).sort()).toEqual(Object.keys(rooms).sort());
});

test('core never names a plugin', () => {
  const plugins = readdirSync(join(root, 'plugins')).filter((name) => !name.startsWith('_'));
  const naming = files.filter((file) => {
    const code = file.startsWith('core/') ? readFileSync(join(root, file), 'utf8') : '';
    return plugins.some((name) => code.includes(`plugins/${name}`) || code.includes(`'${name}'`));
  });
  expect(naming).toEqual([]);
});

test.each([
  ['core/sdk/a.ts', "import { x } from '../task/b.ts';"],
  ['core/sdk/a.ts', "import {\n  x,\n} from '../task/b.ts';"],
  ['core/task/a.ts', "import { x } from '../registry/b.ts';"],
  ['core/task/a.ts', "import '../cli/b.ts';"],
  ['core/job/a.ts', "const x = await import('../worker/b.js');"],
  ['core/cli/commands/a.ts', "import { x } from '../../../plugins/stream/reader.ts';"],
  ['core/job/a.ts', "export * from '../../test/support/until.ts';"],
  ['plugins/mysql/a.ts', "import { x } from '../../core/sdk/index.ts';"],
  ['plugins/mysql/a.ts', "import { x } from '../postgres/b.ts';"],
  ['plugins/mysql/a.ts', "import { x } from 'dray/other';"],
])('a planted wrong import is found: %s has %j', (file, text) => {
  expect(importsIn(file, text).map(fault)).toEqual([expect.stringContaining(file)]);
});

test.each([
  ['core/task/a.ts', "import type { x } from '../registry/b.ts';"],
  ['plugins/mysql/a.ts', "import { x } from '../_sql/b.ts';"],
  ['plugins/mysql/a.ts', "import mysql from 'mysql2';"],
  ['core/cli/a.ts', "import { x } from './b.ts';"],
])('a right import is none: %s has %j', (file, text) => {
  expect(importsIn(file, text).map(fault)).toEqual([undefined]);
});
