import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { PluginContext } from '../../../core/sdk/index.ts';
import reader from '../../../plugins/stream/reader.ts';
import writer from '../../../plugins/stream/writer.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { batchOf, KeepingOutput } from '../files/formats/keeping-output.ts';

const context: PluginContext = {
  run: 'r',
  job: 'j',
  warn: () => undefined,
  print: () => undefined,
  signal: new AbortController().signal,
};

async function rowsOf(column: object[], rows = 1, columnForms: object = {}) {
  const one = await reader.open(reader.options.parse({ column, sliceRecordCount: rows, columnForms }), context);
  const out = new KeepingOutput(await one.schema());
  await one.read({ name: 'slice 0', part: 0 }, out, context.signal);
  await out.flush();
  return out.rows;
}

test.each([
  [{ type: 'LONG', value: '5' }, {}, '5'],
  [{ type: 'Date', value: '1988-08-08 08:08:08' }, {}, '1988-08-08 08:08:08'],
  [{ type: 'date', value: '2022-02-20 12:00:02.123', dateFormat: 'yyyy-MM-dd HH:mm:ss.SSS' }, {}, '2022-02-20 12:00:02.123'],
  [{ type: 'date', value: '2022-02-20 12:00:03.123456', dateFormat: 'yyyy-MM-dd HH:mm:ss.SSSSSS' }, {}, '2022-02-20 12:00:03.123456'],
  [{ type: 'date', value: '20.02.2022', dateFormat: 'dd.MM.yyyy' }, {}, '2022-02-20 00:00:00'],
  [{ type: 'date', value: '20220220' }, { dateFormat: 'yyyyMMdd' }, '2022-02-20 00:00:00'],
  [{ type: 'date', value: 1645358400000 }, {}, '2022-02-20 12:00:00'],
  [{ type: 'date', value: 1645358400000 }, { timeZone: 'GMT+8' }, '2022-02-20 20:00:00'],
  [{ type: 'date', value: 1645358400000 }, { timeZone: 'Asia/Kathmandu' }, '2022-02-20 17:45:00'],
  [{ type: 'date', value: '20220220' }, {}, '2022-02-20 00:00:00'],
  [{ type: 'bytes', value: 'ab' }, {}, '\\x6162'],
  [{ type: 'bool', value: 'TRUE' }, {}, 'true'],
  [{ type: 'long', value: ' 0012' }, {}, '12'],
  [{ type: 'double', value: '+1e3' }, {}, '1e3'],
  [{ value: null }, {}, null],
])('the column %j with the forms %j is %s', async (column, forms, cell) => {
  expect(await rowsOf([column], 1, forms)).toEqual([[cell]]);
});

test.each([
  [{ type: 'long', random: '3, 5' }, (cell: string) => ['3', '4', '5'].includes(cell)],
  [{ type: 'double', random: '10,20' }, (cell: string) => Number(cell) >= 10 && Number(cell) <= 20],
  [{ type: 'string', random: '2, 4' }, (cell: string) => /^[A-Za-z0-9]{2,4}$/.test(cell)],
  [{ type: 'bytes', random: '1, 2' }, (cell: string) => /^\\x([0-9a-f]{2}){1,2}$/.test(cell)],
  [{ type: 'bool', random: '0, 50' }, (cell: string) => cell === 'true'],
  [{ type: 'bool', random: '50, 0' }, (cell: string) => cell === 'false'],
  [{ type: 'bool', random: '1, 2' }, (cell: string) => cell === 'true' || cell === 'false'],
  [{ type: 'date', random: '2026-01-01, 2026-02-01', dateFormat: 'yyyy-MM-dd' }, (cell: string) => cell.startsWith('2026-01-')],
  [{ type: 'long', random: '3, 3', value: ' ' }, (cell: string) => cell === '3'],
  [{ type: 'long', random: '3, 3', value: null }, (cell: string) => cell === '3'],
  [{ type: 'long', random: '3, 5', value: 9 }, (cell: string) => cell === '9'],
])('the random column %j keeps within its range', async (column, isRight) => {
  const rows = await rowsOf([column], 200);
  expect(rows).toHaveLength(200);
  expect(rows.filter(([cell]) => !isRight(cell!))).toEqual([]);
});

test.each([
  [{ type: 'date', value: 'soon' }, '"value" of the stream column date is not a date'],
  [{ type: 'long', value: 'abc' }, '"value" of the stream column long is not a whole number'],
  [{ type: 'long', value: '1.5', name: 'n' }, '"value" of the stream column n is not a whole number'],
  [{ type: 'bool', value: 'yes' }, '"value" of the stream column bool is not true or false'],
  [{ type: 'long', random: '5' }, 'must be two numbers'],
  [{ type: 'long', random: '5, 3' }, 'the smaller first'],
  [{ type: 'string', random: '-1, 3' }, 'must be two numbers'],
  [{ type: 'date', random: 'a, b' }, 'must be two dates'],
])('the column %j is refused before a row is made: %s', async (column, message) => {
  await expect(rowsOf([column])).rejects.toMatchObject({ code: 'JOB_INVALID', message: expect.stringContaining(message) });
});

test('digits of a second behind the sixth are cut off, with a warning', async () => {
  const warnings: string[] = [];
  const column = [{ name: 'at', type: 'date', value: '2022-02-20 12:00:04.123456789', dateFormat: 'yyyy-MM-dd HH:mm:ss.SSSSSSSSS' }];
  expect(await rowsOf(column)).toEqual([['2022-02-20 12:00:04.123456']]);
  await reader.open(reader.options.parse({ column, sliceRecordCount: 1 }), { ...context, warn: (message) => warnings.push(message) });
  expect(warnings).toEqual([expect.stringContaining('the stream column at is cut off after microseconds')]);
});

test('there is no zone Mars/Olympus', async () => {
  await expect(rowsOf([{ type: 'date', value: 1645358400000 }], 1, { timeZone: 'Mars/Olympus' })).rejects.toMatchObject({
    message: 'there is no time zone "Mars/Olympus"',
  });
});

test('with "path" and "fileName" rows go into that file instead of to the screen, and replace what was in it', async () => {
  const path = join(tempFolder(), 'new');
  const schema = {
    columns: [{ name: 'a', type: 'string', isNullable: true } as const, { name: 'b', type: 'string', isNullable: true } as const],
  };
  for (const text of ['old', 'new']) {
    const one = await writer.open(writer.options.parse({ path, fileName: 'out.txt', fieldDelimiter: '||' }), context);
    const target = (await one.prepare?.(schema, { guarantee: 'at-least-once', mode: 'run' }))!;
    for (const id of [0, 1]) {
      const task = await one.openTask({ id, attempt: 1, guarantee: 'at-least-once', source: schema, target });
      await task.write(batchOf(schema, [[text, null]]));
      await task.commit(null);
    }
  }
  expect(readFileSync(join(path, 'out.txt'), 'utf8')).toBe('new||null\nnew||null\n');
});

test('a blank "path" is none', () => {
  expect(writer.options.parse({ path: ' ', fileName: '' })).toMatchObject({ path: undefined, fileName: undefined });
});

test('"path" without "fileName" is refused', () => {
  expect(() => writer.open(writer.options.parse({ path: '/tmp' }), context)).toThrow(expect.objectContaining({ code: 'JOB_INVALID' }));
});
