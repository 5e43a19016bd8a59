import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runJob } from '../../../core/controller/run-job.ts';
import { loadJob } from '../../../core/job/load-job.ts';
import { SecretMask } from '../../../core/job/secret-mask.ts';
import { InlineExecutor } from '../../../core/worker/inline-executor.ts';
import { dispatched } from '../../support/dispatched.ts';
import { newLedger } from '../../support/new-ledger.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { contents } from './files.ts';

/** Runs a job file, as the command does. */
async function run(folder: string, job: object) {
  const file = join(folder, 'job.json');
  writeFileSync(file, JSON.stringify({ job }));
  const heard: string[] = [];
  const warn = (message: string) => heard.push(message);
  const loaded = await loadJob(file, { parameters: {}, environment: {}, isLenient: false, mask: new SecretMask(), warn });
  const report = await runJob(loaded, {
    ledger: await newLedger(),
    channels: undefined,
    ...dispatched(),
    executor: () => new InlineExecutor(),
    signal: new AbortController().signal,
    listener: {
      note: () => undefined,
      planning: () => undefined,
      contentStarts: () => undefined,
      progress: () => undefined,
      contentEnds: () => undefined,
      dirty: ({ row, column, cause }) => heard.push(`${row} ${column}: ${cause}`),
      warn,
      decided: () => undefined,
      print: () => undefined,
    },
  });
  return { report, heard };
}

function folderWithFiles() {
  const folder = tempFolder();
  writeFileSync(join(folder, 'a.csv'), '1,true,1.5,"x,y",2024.01.02\n2,no,2,,2024.01.03\n3,FALSE,3,\\N,2024.01.04\n');
  writeFileSync(join(folder, 'b.csv'), '4,true,4,z,2024.01.05\n5,true\n');
  return folder;
}

const content = (folder: string, writeMode = 'truncate') => ({
  reader: {
    name: 'txtfilereader',
    parameter: {
      path: [join(folder, '*.csv')],
      encoding: 'UTF-8',
      column: [
        { index: 0, type: 'long' },
        { index: 1, type: 'boolean' },
        { index: 2, type: 'double' },
        { index: 3, type: 'string' },
        { index: 4, type: 'date', format: 'yyyy.MM.dd' },
      ],
      fieldDelimiter: ',',
    },
  },
  writer: {
    name: 'txtfilewriter',
    parameter: { path: join(folder, 'out'), fileName: 'luohw', writeMode, sidecar: false, format: 'yyyy-MM-dd' },
  },
});

describe('a job from files to files', () => {
  test('reads small files in one task, and tells of the rows that are left out', async () => {
    const folder = folderWithFiles();
    const setting = { speed: { channel: 2 }, errorLimit: { record: 2 } };
    const { report, heard } = await run(folder, { setting, content: [content(folder)] });
    expect(report).toMatchObject({ state: 'done', rows: { read: 5, written: 3, dirty: 2 } });
    const files = contents(join(folder, 'out'));
    expect(Object.keys(files)).toEqual([`luohw__${report.run}_0000.csv`]);
    expect(Object.values(files)).toEqual(['1,true,1.5,"x,y",2024-01-02\n3,false,3,\\N,2024-01-04\n4,true,4,z,2024-01-05\n']);
    expect(heard.sort()).toEqual([
      '2 c1: a value that is not true or false (line 2)',
      '2 c2: a row has 2 fields, and the column is number 2, counted from 0 (line 2)',
    ]);
    await run(folder, { setting, content: [content(folder)] });
    expect(Object.keys(contents(join(folder, 'out'))).length).toBe(1);
    await run(folder, { setting, content: [content(folder, 'append')] });
    expect(Object.keys(contents(join(folder, 'out'))).length).toBe(2);
  });

  test('that fails leaves no file, and those of the last run', async () => {
    const folder = folderWithFiles();
    await run(folder, { setting: { errorLimit: { record: 2 } }, content: [content(folder)] });
    const before = contents(join(folder, 'out'));
    const { report } = await run(folder, { setting: { errorLimit: { record: 1 } }, content: [content(folder)] });
    expect(report).toMatchObject({ state: 'failed', error: { code: 'DIRTY_LIMIT' } });
    expect(contents(join(folder, 'out'))).toEqual(before);
  });

  test('says in which file a quote is not closed', async () => {
    const folder = folderWithFiles();
    writeFileSync(join(folder, 'c.csv'), '6,"true\n');
    const { report } = await run(folder, { setting: { errorLimit: { record: 2 } }, content: [content(folder)] });
    const message = `${join(folder, 'c.csv')}: the quote opened in line 1 is never closed`;
    expect(report.error).toMatchObject({ code: 'FILE_BROKEN', side: 'source', message, place: join(folder, 'c.csv') });
    expect(contents(join(folder, 'out'))).toEqual({});
  });
});
