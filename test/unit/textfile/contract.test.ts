import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe } from 'vitest';
import type { Cell } from '../../../core/sdk/index.ts';
import reader from '../../../plugins/textfile/reader.ts';
import writer from '../../../plugins/textfile/writer.ts';
import { readerContract } from '../../contract/reader-contract.ts';
import { writerContract } from '../../contract/writer-contract.ts';
import { textSchema } from '../../support/arbitraries.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { readFiles } from './files.ts';

let folder = '';
beforeEach(() => {
  folder = tempFolder();
});

describe('the textfile reader', () => {
  readerContract({
    plugin: reader,
    parameter: () => {
      for (const name of ['a', 'b']) {
        if (existsSync(join(folder, `${name}.csv`))) continue;
        writeFileSync(join(folder, `${name}.csv`), Array.from({ length: 5000 }, (_, row) => `${row},"${name},${row % 7}"\n`).join(''));
      }
      return { path: join(folder, '*.csv') };
    },
    rowCount: 10_000,
  });
});

describe.each([
  ['csv', {}],
  ['packed csv', { compress: 'gzip', header: true }],
  ['text', { fileFormat: 'text', fieldDelimiter: '||', nullFormat: 'null' }],
])('the textfile writer of %s', (_, facts) => {
  const schema = textSchema(2);
  const shared = { fileFormat: 'csv', fieldDelimiter: ',', nullFormat: '\\N', ...facts };
  const { fileFormat, fieldDelimiter, nullFormat } = shared;
  writerContract({
    plugin: writer,
    parameter: () => ({ path: join(folder, 'out'), fileName: 'f', writeMode: 'truncate', ...shared }),
    schema,
    rows: [
      ['1', null],
      ['', 'tab\t and \\'],
      ['é漢😀', 'x'],
    ],
    ...(fileFormat === 'text' ? { badRow: ['a', 'b||c'] } : {}),
    readBack: async () => {
      const column = [{ index: 0 }, { index: 1 }];
      const found = readFiles({ path: join(folder, 'out'), fileFormat, fieldDelimiter, nullFormat, column, skipHeader: 'header' in facts });
      return found.then(
        ({ rows }) => rows,
        (error: { code: string }): Cell[][] => {
          if (error.code === 'PATH_MISSING') return [];
          throw error;
        },
      );
    },
    reset: () => rmSync(join(folder, 'out'), { recursive: true, force: true }),
  });
});
