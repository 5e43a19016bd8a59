import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DelimitedOptions, delimited } from '../../../../../plugins/_files/formats/delimited.ts';
import { columnOption, columnSources } from '../../../../../plugins/_files/formats/text/columns.ts';
import { encodingCalled } from '../../../../../plugins/_files/formats/text/encodings.ts';
import { textSchema } from '../../../../support/arbitraries.ts';
import { batchOf } from '../keeping-output.ts';
import { decoded, encoded, messagesOf, schemaIn } from '../through.ts';
import { rows } from './arbitraries.ts';

const csv: DelimitedOptions = { suffix: '.csv', delimiter: ',', quote: '"', nullText: '\\N', encoding: undefined, header: false };
const everyChunk = (file: Buffer | string) => Array.from({ length: Buffer.byteLength(file) }, (_, index) => index + 1);

describe('delimited files', () => {
  test.each(['UTF-8', 'UTF-16', 'utf-16be', 'GB18030'])('of %s come back as they were, wherever the chunks are cut', async (name) => {
    const encoding = await encodingCalled(name);
    fc.assert(
      fc.property(rows, fc.boolean(), fc.integer({ min: 1, max: 20 }), (table, header, chunkBytes) => {
        fc.pre(name === 'UTF-8' || !/[\ufffd]/.test(JSON.stringify(table)));
        const format = delimited({ ...csv, encoding, header });
        const file = encoded(format, textSchema(table[0]!.length), table);
        expect(decoded(format, file, chunkBytes)).toEqual({ rows: table, rejected: [] });
      }),
      { numRuns: 200 },
    );
  });

  test('start with the names of the columns, or with others', () => {
    const schema = textSchema(2);
    const start = (header: DelimitedOptions['header']) =>
      Buffer.from(
        delimited({ ...csv, header })
          .encoder(schema)
          .start(),
      ).toString();
    expect([start(true), start(['a,b', '\\N']), start(false)]).toEqual(['c0,c1\n', '"a,b","\\N"\n', '']);
    expect(() => start(['a'])).toThrow(expect.objectContaining({ code: 'COLUMN_COUNT' }));
  });

  test('in UTF-16 start with a byte order mark, also without a header', async () => {
    const format = delimited({ ...csv, encoding: await encodingCalled('UTF-16') });
    expect(encoded(format, textSchema(1), [['漢']])).toEqual(Buffer.from('\ufeff漢\n', 'utf16le'));
  });

  test('name their columns in the first row, or have them counted', () => {
    const file = '"the ""name""", id ,\nx,1,\n';
    for (const chunkBytes of everyChunk(file)) {
      expect(schemaIn(delimited({ ...csv, header: true }), file, chunkBytes)?.columns.map(({ name }) => name)).toEqual([
        'the "name"',
        'id',
        'c2',
      ]);
      expect(schemaIn(delimited(csv), file, chunkBytes)?.columns.map(({ name }) => name)).toEqual(['c0', 'c1', 'c2']);
    }
    expect(schemaIn(delimited(csv), '\n\n', 1)).toBeUndefined();
  });

  test('with another header than the first file are refused', () => {
    const format = delimited({ ...csv, header: true });
    expect(() => decoded(format, 'b,a\n1,2\n', 3, { columns: textSchema(2).columns })).toThrow(
      expect.objectContaining({
        code: 'FILE_BROKEN',
        place: 'the file',
        message: 'the file: its header names other columns than that of the first file',
      }),
    );
  });

  test('deliver declared columns with their types', () => {
    const options = [{ index: 1, type: 'long', name: 'n' }, { value: 'x' }].map((option) => columnOption.parse(option));
    const format = delimited({ ...csv, header: true, columns: columnSources(options, '\\N') });
    expect(format.schema?.columns.map(({ name, type }) => `${name} ${type}`)).toEqual(['n integer', 'c1 string']);
    const { rows: read, rejected } = decoded(format, 'whatever,the header,says\na,+1\nb,x\nc\n', 4);
    expect(read).toEqual([['1', 'x']]);
    expect(messagesOf(rejected)).toEqual([
      'n: a value that is not a whole number (line 3)',
      'n: a row has 1 fields, and the column is number 1, counted from 0 (line 4)',
    ]);
  });

  test('keep nothing of a batch that is refused', () => {
    const format = delimited({ ...csv, quote: undefined });
    const schema = textSchema(1);
    const encoder = format.encoder(schema);
    // Only the first text of a file may be taken for a byte order mark.
    for (const refused of [['\ufeff'], ['a,b']]) {
      expect(() => encoder.encode(batchOf(schema, [refused]))).toThrow(
        expect.objectContaining({ code: 'ROW_REJECTED', row: 0, column: 'c0' }),
      );
    }
    expect(Buffer.from(encoder.encode(batchOf(schema, [['ok']]))).toString()).toBe('ok\n');
    expect(Buffer.from(encoder.encode(batchOf(schema, [['\ufeff']]))).toString()).toBe('\ufeff\n');
  });

  test('leave the bytes of one batch alone while the next is encoded', () => {
    const schema = textSchema(1);
    const encoder = delimited(csv).encoder(schema);
    const [first, second] = ['the first', 'second'].map((text) => encoder.encode(batchOf(schema, [[text]])));
    expect([Buffer.from(first!).toString(), Buffer.from(second!).toString()]).toEqual(['the first\n', 'second\n']);
  });
});
