import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'jsonc-parser';
import { expect, it } from 'vitest';
import { allPlugins } from '../../core/cli/commands/plugins.ts';
import { dataxPage } from '../../core/cli/datax-page.ts';
import { referencePage } from '../../core/cli/reference-page.ts';
import { errorKinds } from '../../core/sdk/errors.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  'benchmarks/README.md',
  ...['costs', 'files', 'fixtures', 'mixed', 'scheduler', 'split', 'tiny'].map((name) => `benchmarks/${name}/README.md`),
];
const pluginPages = readdirSync(join(root, 'plugins')).flatMap((name) =>
  ['mysql', 'postgres', 'textfile'].includes(name) ? [`plugins/${name}/README.md`] : [],
);

it('has the options of the plugins as they are, in docs/plugins.md (npx dray plugins --markdown > docs/plugins.md)', async () => {
  expect(read('docs/plugins.md')).toBe(referencePage(await allPlugins()));
});

it('says what is different from DataX, in docs/datax.md (npx dray docs datax > docs/datax.md)', async () => {
  expect(read('docs/datax.md')).toBe(dataxPage(await allPlugins()));
});

it('shows the example plugin in the README as it runs', () => {
  expect(read('README.md')).toContain(read('jobs/plugins/folder-reader.js').trim());
});

it('links only to files that are there', () => {
  const broken: string[] = [];
  let links = 0;
  for (const page of [...pages, ...pluginPages]) {
    for (const [, target = ''] of read(page).matchAll(/\]\((?!https?:)([^)#]*)[^)]*\)/g)) {
      links++;
      try {
        if (target !== '') readdirSync(join(root, page, '..', target));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOTDIR') broken.push(`${page} → ${target}`);
      }
    }
  }
  expect(broken).toEqual([]);
  expect(links).toBeGreaterThan(10);
});

it('writes its job examples so that they can be read', () => {
  const blocks = [...pages, ...pluginPages].flatMap((page) =>
    [...read(page).matchAll(/```jsonc\n([\s\S]*?)```/g)].map(([, text]) => text!),
  );
  for (const text of blocks) {
    const errors: Parameters<typeof parse>[1] = [];
    parse(text, errors, { allowTrailingComma: true });
    expect(errors, text).toEqual([]);
  }
  expect(blocks.length).toBeGreaterThan(1);
});

it('documents every exit code that an error can have', () => {
  const documented = read('docs/jobs.md');
  const codes = Object.values(errorKinds).flatMap(({ exit }) => (exit === 'side' ? [3, 4] : [exit]));
  for (const code of new Set(codes)) expect(documented).toMatch(new RegExp(`^\\| (\\d+, )?${code}(, \\d+)? \\|`, 'm'));
});
