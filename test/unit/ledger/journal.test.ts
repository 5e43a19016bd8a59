import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Journal } from '../../../core/ledger/journal.ts';
import { tempFolder } from '../../support/temp-folder.ts';

interface Line {
  readonly n: number;
  readonly text?: string;
}

const path = () => join(tempFolder(), 'journal.jsonl');

test('what was appended is read back, in order, whoever opens it', async () => {
  const file = path();
  const first = await Journal.open<Line>(file);
  await Promise.all([first.append({ n: 1 }), first.append({ n: 2, text: 'a\nb' })]);
  first.note({ n: 3 });
  await first.append({ n: 4 });
  await first.close();
  const second = await Journal.open<Line>(file);
  await second.append({ n: 5 });
  await second.close();
  expect((await Journal.read<Line>(file)).map(({ n }) => n)).toEqual([1, 2, 3, 4, 5]);
});

test('a note is written at the latest when the journal is closed', async () => {
  const file = path();
  const journal = await Journal.open<Line>(file);
  journal.note({ n: 1 });
  expect(readFileSync(file, 'utf8')).toBe('');
  await journal.close();
  expect(await Journal.read<Line>(file)).toEqual([{ n: 1 }]);
});

test('a torn last line is no line, wherever it is torn, and the next writer cuts it off', async () => {
  const line = JSON.stringify({ n: 2, text: 'é€' });
  for (let kept = 0; kept < Buffer.byteLength(line); kept++) {
    const file = path();
    writeFileSync(file, `{"n":1}\n${line}`);
    truncateSync(file, 8 + kept);
    expect(await Journal.read<Line>(file)).toEqual([{ n: 1 }]);
    const journal = await Journal.open<Line>(file);
    await journal.append({ n: 3 });
    await journal.close();
    expect(await Journal.read<Line>(file)).toEqual([{ n: 1 }, { n: 3 }]);
  }
});

test('no file is an empty journal', async () => {
  expect(await Journal.read<Line>(path())).toEqual([]);
});

test('a journal that cannot be written says where, and goes on saying so', async () => {
  const file = path();
  const journal = await Journal.open<Line>(file);
  await journal.close();
  for (let n = 0; n < 2; n++) {
    await expect(journal.append({ n })).rejects.toMatchObject({ code: 'STATE_UNUSABLE', message: expect.stringContaining(file) });
  }
});
