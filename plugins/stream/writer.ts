import { defineWriter, flag, ignored, z } from 'dray/sdk';

const options = z.strictObject({
  print: flag().prefault(true).describe('false: the rows are counted and thrown away'),
  fieldDelimiter: z.string().default('\t').describe('Between cells of a printed row'),
  nullFormat: z.string().default('null').describe('Printed for NULL'),
  encoding: ignored('what is printed is UTF-8'),
  recordNumBeforeSleep: ignored('to slow a job down set job.setting.speed'),
  sleepTime: ignored('to slow a job down set job.setting.speed'),
});

export default defineWriter({
  name: 'stream',
  aliases: ['streamwriter'],
  summary: 'Prints rows, or throws them away (for trying out and measuring readers)',
  options,
  example: { print: true },
  open({ print, fieldDelimiter, nullFormat }, context) {
    return {
      inspect: (source) => ({ schema: source }),
      async openTask() {
        return {
          async write(batch) {
            if (!print) return;
            let text = '';
            for (const row of batch.rows()) text += `${row.map((cell) => cell ?? nullFormat).join(fieldDelimiter)}\n`;
            context.print(text);
          },
          async commit() {},
          async abort() {},
        };
      },
    };
  },
});
