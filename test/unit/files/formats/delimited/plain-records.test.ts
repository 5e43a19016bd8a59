import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DelimitedDecoder } from '../../../../../plugins/_files/formats/delimited/decoder.ts';
import { RecordScanner } from '../../../../../plugins/_files/formats/delimited/record-scanner.ts';
import { RowWriter } from '../../../../../plugins/_files/formats/delimited/row-writer.ts';
import type { ScanFormat } from '../../../../../plugins/_files/formats/delimited/scan-kinds.ts';
import type { TypeName } from '../../../../../plugins/_files/formats/text/cell-types.ts';
import { columnSources, schemaOf } from '../../../../../plugins/_files/formats/text/columns.ts';
import { KeepingOutput } from '../keeping-output.ts';
import { csv } from './scan.ts';

interface Case {
  readonly format: ScanFormat;
  readonly types: readonly TypeName[];
  readonly wantsAll: boolean;
  readonly bytes: Buffer;
  readonly chunkBytes: number;
}

/** What a file has in it, by the scanner alone or with plain records taken out before it. */
function read({ format, types, wantsAll, bytes, chunkBytes }: Case, isAlone: boolean) {
  const sources = columnSources(
    types.map((type, index) => ({ index, type })),
    undefined,
  );
  const out = new KeepingOutput(schemaOf(sources));
  const keep = () => out.rows.push(...(out.builder.take()?.rows() ?? []));
  const scanner = new RecordScanner(format, 'the file');
  const rows = new RowWriter(scanner, out, sources, { format, encoding: 'UTF-8', wantsAll });
  const decoder = new DelimitedDecoder(out, 'the file', { format, encoding: undefined, sources, wantsAll, hasHeader: false });
  const drain = () => {
    if (!isAlone) while (decoder.fill()) keep();
    else for (; scanner.next(); keep()) rows.write();
    keep();
  };
  try {
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      (isAlone ? scanner : decoder).push(bytes.subarray(at, at + chunkBytes));
      drain();
    }
    (isAlone ? scanner : decoder).end();
    drain();
  } catch (error) {
    return { rows: out.rows, rejected: out.rejected.map(({ message }) => message), broken: (error as Error).message };
  }
  return { rows: out.rows, rejected: out.rejected.map(({ message }) => message) };
}

const field = fc.oneof(
  fc.stringMatching(/^[a-z0-9 ]{0,5}$/),
  fc.constantFrom(
    '',
    '0',
    '-17',
    '1.50',
    'true',
    '\\x00ff',
    '\\N',
    '"a, b"',
    '"say ""hi"""',
    '""',
    '"two\nlines"',
    '"\t\\"',
    'é',
    '漢',
    '\ufeff',
  ),
  fc.string({ unit: fc.constantFrom(',', '"', '\t', '\n', '\r', '\\', 'N', 'a', '#', "'"), maxLength: 4 }),
);
const text = fc
  .array(fc.tuple(fc.array(field, { minLength: 1, maxLength: 4 }), fc.constantFrom('\n', '\n', '\r\n', '\r', '')), { maxLength: 8 })
  .map((records) => records.map(([fields, end]) => fields.join(',') + end).join(''));
const bytes = fc.oneof(
  { weight: 5, arbitrary: text.map((one) => Buffer.from(one)) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(text, fc.nat(60))
      .map(([one, at]) => Buffer.concat([Buffer.from(one).subarray(0, at), Buffer.from([0xff, 0x2c, 0x0a])])),
  },
);
const format = fc
  .record({
    delimiter: fc.constantFrom(',', ',', '\t', '|').map((mark) => Buffer.from(mark)),
    quote: fc.constantFrom(0x22, 0x22, undefined, 0x27, 0x5c, 0x30),
    nullText: fc.constantFrom('', '\\N', 'a', '0').map((mark) => Buffer.from(mark)),
    skipsEmptyRecords: fc.boolean(),
    comment: fc.constantFrom(undefined, undefined, 0x23),
  })
  .map((some): ScanFormat => ({ ...csv, ...some }));
const types = fc.array(fc.constantFrom<TypeName>('string', 'string', 'long', 'decimal', 'boolean', 'bytes'), {
  minLength: 1,
  maxLength: 4,
});

test('rows, refusals and their lines are those of the scanner alone, wherever the chunks are cut', () => {
  fc.assert(
    fc.property(fc.record({ format, types, wantsAll: fc.boolean(), bytes, chunkBytes: fc.integer({ min: 1, max: 40 }) }), (one) => {
      expect(read(one, false)).toEqual(read(one, true));
    }),
    { numRuns: 6000 },
  );
});

test.each<[string, number, TypeName, string, string[], number]>([
  ['that are escaped when packed', 0x5c, 'string', '\\a\\\\b\\\n', ['a\\b'], 0],
  ['that are digits, where only what is left of them is no value', 0x30, 'bytes', '0\\x10010\n', [], 1],
])('quotes %s are taken out', (_, quote, type, text, cells, refused) => {
  const one: Case = { format: { ...csv, quote }, types: [type], wantsAll: false, bytes: Buffer.from(text), chunkBytes: 100 };
  const { rows, rejected } = read(one, false);
  expect([rows, rejected.length]).toEqual([cells.map((cell) => [cell]), refused]);
});

test('records that are longer than one that is tried, and those between them, come as they are', () => {
  const long = 'x'.repeat(20_000);
  const records = Array.from({ length: 300 }, (_, index) =>
    index % 3 === 0 || index > 200 ? `${index},${long}` : `${index},"""${index}"""`,
  );
  const one: Case = {
    format: csv,
    types: ['long', 'string'],
    wantsAll: false,
    bytes: Buffer.from(`${records.join('\n')}\n`),
    chunkBytes: 65_536,
  };
  const { rows, rejected } = read(one, false);
  expect(rejected).toEqual([]);
  expect(rows).toEqual(records.map((_, index) => [String(index), index % 3 === 0 || index > 200 ? long : `"${index}"`]));
});
