import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DrayError, defineWriter, flag, ignored, z } from 'dray/sdk';

const blankIsAbsent = z
  .string()
  .optional()
  .transform((text) => (text?.trim() === '' ? undefined : text));

const options = z.strictObject({
  print: flag().prefault(true).describe('false: the rows are counted and thrown away'),
  fieldDelimiter: z.string().default('\t').describe('Between cells of a printed row'),
  nullFormat: z.string().default('null').describe('Printed for NULL'),
  path: blankIsAbsent.describe('Folder of a file for the rows, instead of the screen; goes with fileName'),
  fileName: blankIsAbsent.describe('Name of that file; one that is there is replaced. For files to keep use the writers of files'),
  encoding: ignored('what is printed is UTF-8'),
  recordNumBeforeSleep: ignored('to slow a job down set job.setting.speed'),
  sleepTime: ignored('to slow a job down set job.setting.speed'),
});

export default defineWriter({
  name: 'stream',
  aliases: ['streamwriter'],
  summary: 'Prints rows, or throws them away (for trying out and measuring readers)',
  differences: [
    { what: '`recordNumBeforeSleep`, `sleepTime`', datax: 'slow each task down', here: 'have no effect; `job.setting.speed` does it' },
    { what: 'bytes', datax: 'are printed as the text that they are in UTF-8', here: 'are printed as `\\x` and hex digits' },
    { what: '`path` without `fileName`', datax: 'rows are printed', here: 'is refused' },
    {
      what: '`fieldDelimiter` of several characters',
      datax: 'the last one is left over at the end of the line',
      here: 'stands between cells only',
    },
  ],
  options,
  example: { print: true },
  open({ print, path, fileName, fieldDelimiter, nullFormat }, context) {
    const file = path === undefined ? undefined : fileIn(path, fileName);
    return {
      inspect: (source) => ({ schema: source }),
      async prepare(source, { mode }) {
        if (file !== undefined && path !== undefined && mode === 'run') await emptied(file, path);
        return { schema: source };
      },
      async openTask() {
        return {
          async write(batch) {
            if (!print && file === undefined) return;
            let text = '';
            for (const row of batch.rows()) text += `${row.map((cell) => cell ?? nullFormat).join(fieldDelimiter)}\n`;
            // All tasks append to it; a system appends a whole text at once.
            if (file === undefined) context.print(text);
            else await appendFile(file, text);
          },
          async commit() {},
          async abort() {},
        };
      },
    };
  },
});

function fileIn(path: string, fileName: string | undefined): string {
  if (fileName !== undefined) return join(path, fileName);
  throw new DrayError('JOB_INVALID', 'the stream writer has "path" and no "fileName"', {
    remedy: 'Name the file, or leave "path" out to print.',
  });
}

async function emptied(file: string, folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await rm(file, { force: true });
    await writeFile(file, '');
  } catch (cause) {
    throw new DrayError('FILE_FAILED', `cannot write ${file}: ${(cause as Error).message}`, { cause, place: file });
  }
}
