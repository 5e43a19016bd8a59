import { DrayError } from 'dray/sdk';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  byPath,
  finalName,
  folderOf,
  hasWildcard,
  inFolder,
  isHiddenBelow,
  isMeant,
  nameIn,
  patternOf,
  safeName,
  temporaryName,
} from '../../../plugins/_files/storage/paths.ts';

test.each([
  ['/data/*.csv', '/data', 1],
  ['/data/2024-*/part-?.csv', '/data', 2],
  ['/*', '', 1],
  ['*.csv', '.', 1],
  ['data/x*/y', 'data', 2],
  ['/data/a*//b', '/data', 2],
])('the pattern %s begins in the folder %j and has %i levels', (path, folder, levels) => {
  const pattern = patternOf(path);
  expect([pattern.folder, pattern.levels.length]).toEqual([folder, levels]);
});

test.each([
  ['/d/*.csv', 'a.csv', true],
  ['/d/*.csv', 'a.csv.gz', false],
  ['/d/*.csv', 'axcsv', false],
  ['/d/*.csv', '.csv', false],
  ['/d/*.csv', '.a.csv', false],
  ['/d/?.csv', '.csv', false],
  ['/d/.*.csv', '.a.csv', true],
  ['/d/a*', 'a', true],
  ['/d/a*', 'a.csv', true],
  ['/d/?', '😀', true],
  ['/d/*', 'two\nlines', true],
  ['/d/*', 'a/b', true],
  ['/d/*', 'a/b/c.csv', true],
  ['/d/*', 'a/.b', false],
  ['/d/*', 'a/.b/c.csv', false],
  ['/d/*', '.a/b', false],
  ['/d/.*', '.a/b', true],
  ['/d/*.csv', 'a/b.csv', false],
  ['/d/*.csv', 'a.csv/b', true],
  ['/d/*/*', 'a/b', true],
  ['/d/*/*', 'a', false],
  ['/d/**', 'a/b', true],
  ['/d/[a](b)+{c}$^|\\*', '[a](b)+{c}$^|\\x', true],
  ['/d/*/.h/*', 'a/.h/b', true],
])('%s means %s: %s', (path, below, isIt) => {
  expect(isMeant(patternOf(path), below)).toBe(isIt);
});

test('a name without wildcards is meant by itself, whatever is in it', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme-ascii' }).filter((name) => !/[*?/]/.test(name) && name !== ''),
      (name) => {
        expect(isMeant(patternOf(`/*/${name}`), `x/${name}`)).toBe(true);
        expect(isMeant(patternOf(`/*/${name}`), `x/${name}x`)).toBe(false);
        expect(isMeant(patternOf(`/*/${name}`), `x/y/${name}`)).toBe(name === 'y');
      },
    ),
  );
});

test('wildcards are * and ?', () => {
  expect(['a*', 'a?b', 'a[b]', 'a{b,c}', 'a'].map(hasWildcard)).toEqual([true, true, false, false, false]);
});

test('a path is its folder and its name', () => {
  for (const path of ['/a', '/a/b', 'a', 'a/b.csv']) expect(inFolder(folderOf(path), nameIn(path))).toBe(path);
  expect(inFolder('/a/', 'b')).toBe('/a/b');
  expect(inFolder('', 'b')).toBe('/b');
});

test('the hidden name of an unfinished file gives back its own', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (name) => {
      expect(finalName(temporaryName(name))).toBe(name);
    }),
  );
  expect(['a.tmp', '.a', '.tmp', '.a.tmp.gz'].map(finalName)).toEqual([undefined, undefined, undefined, undefined]);
});

test('a file is hidden if any name below the named folder begins with a dot', () => {
  expect(['a/b', '.a', 'a/.b/c', 'a.b/c'].map(isHiddenBelow)).toEqual([false, true, true, false]);
});

test.each(['', '.', '..', '/', '/etc/passwd', '../x', 'a/b', 'a\0'])('the listed name %j is refused', (name) => {
  expect(() => safeName(name, 'sftp://h/in')).toThrow(DrayError);
});

test.each(['a', '...', '..a', 'a b', '~', 'C:\\x', '-rf', 'ä\n'])('the listed name %j is let through', (name) => {
  expect(safeName(name, 'sftp://h/in')).toBe(name);
});

test('files are in the order of the code units of their paths', () => {
  const paths = ['b', 'a', 'B', 'a/b', 'a.b', 'ä'].map((path) => ({ path }));
  expect(paths.sort(byPath).map(({ path }) => path)).toEqual(['B', 'a', 'a.b', 'a/b', 'b', 'ä']);
});
