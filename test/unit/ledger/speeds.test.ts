import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Speeds } from '../../../core/ledger/speeds.ts';
import { tempFolder } from '../../support/temp-folder.ts';

test('a speed is what was measured last, and what was measured before', async () => {
  const speeds = new Speeds(tempFolder());
  expect(await speeds.of('a → b')).toBeUndefined();
  await speeds.learn('a → b', 100);
  expect(await speeds.of('a → b')).toBe(100);
  await speeds.learn('a → b', 200);
  expect(await speeds.of('a → b')).toBe(130);
  expect(await speeds.of('b → a')).toBeUndefined();
});

test('they are there for the next process, and nothing else is left in the folder', async () => {
  const folder = tempFolder();
  await Promise.all([1, 2, 3].map((pair) => new Speeds(folder).learn(`pair ${pair}`, pair)));
  expect(readdirSync(folder)).toEqual(['speeds.json']);
  const known = await Promise.all([1, 2, 3].map((pair) => new Speeds(folder).of(`pair ${pair}`)));
  expect(known.filter((one) => one !== undefined).length).toBeGreaterThan(0);
});

test('a file that is broken, or a folder that is gone, is as if nothing had been measured', async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'speeds.json'), '{"a');
  expect(await new Speeds(folder).of('a')).toBeUndefined();
  const gone = new Speeds(join(folder, 'gone'));
  await gone.learn('a', 1);
  expect(await gone.of('a')).toBeUndefined();
});
