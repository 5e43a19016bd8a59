import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { copy } from '../../../../plugins/_files/formats/copy.ts';
import { type DelimitedOptions, delimited } from '../../../../plugins/_files/formats/delimited.ts';
import type { FileFormat } from '../../../../plugins/_files/formats/format.ts';
import { jsonLines } from '../../../../plugins/_files/formats/json-lines.ts';
import { textColumns } from '../../../../plugins/_files/formats/text/columns.ts';
import { encodingCalled } from '../../../../plugins/_files/formats/text/encodings.ts';
import { textSchema } from '../../../support/arbitraries.ts';
import { bothWays } from './cut.ts';

/** Bytes out of which anything can come: records that are right, and all that is wrong in one or another way. */
const bytesOf = (...pieces: readonly string[]) =>
  fc
    .array(
      fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...pieces) }, { weight: 1, arbitrary: fc.constantFrom('é', '漢', '\ufeff', '\0') }),
      {
        maxLength: 60,
      },
    )
    .map((parts) => Buffer.from(parts.join('')));

const cutsIn = ({ length }: Buffer) =>
  fc.array(fc.integer({ min: 1, max: length + 3 }), { maxLength: 6 }).map((cuts) => [...new Set(cuts)].sort((a, b) => a - b));

const withCuts = (bytes: fc.Arbitrary<Buffer>) =>
  bytes.chain((file) => fc.tuple(fc.constant(file), cutsIn(file), fc.constantFrom(1, 2, 3, 7, 1 << 20)));

/**
 * The parts of a file deliver what the whole does, in its order, and as many rows as were counted; what is wrong is told with its line in the file. Returns in how many
 * parts the rows are.
 */
function expectSame(format: FileFormat, columns: number, bytes: Buffer, cuts: readonly number[], chunkBytes: number): number {
  const { whole, parts, starts, end } = bothWays(format, textSchema(columns), bytes, cuts, chunkBytes);
  expect(starts.map(({ cut }) => cut)).toEqual(cuts);
  for (const { cut, plain } of starts) expect(plain).toBeGreaterThanOrEqual(Math.min(cut, end.plain));
  const fault = parts.find(({ outcome }) => outcome.error !== undefined);
  expect(fault?.outcome.error).toBe(whole.error);
  if (whole.error !== undefined) return 0;
  expect(parts.flatMap(({ outcome }) => outcome.rows)).toEqual(whole.rows);
  expect(parts.flatMap(({ outcome }) => outcome.rejected)).toEqual(whole.rejected);
  for (const { counted, outcome } of parts) expect(outcome.rows.length + outcome.rejected.length).toBe(counted);
  return parts.filter(({ counted }) => counted > 0).length;
}

const csvOptions: DelimitedOptions = { suffix: '.csv', delimiter: ',', quote: '"', nullText: '\\N', encoding: undefined, header: false };

const delimiters = fc.constantFrom(',', '|', '||', '|||', '|,', '|,|', ',|,|', 'ab', 'aab', '，', '\t', ' ');
const delimitedFile = withCuts(
  bytesOf('"', '"', '""', '\n', '\n', '\r\n', '\r', ',', '|', '||', 'a', 'b', ' ', '，', '\t', '\\N', '",', ',"', '"\n', '\n"'),
);
const details = fc.record({
  header: fc.boolean(),
  skips: fc.constantFrom(true, false, undefined),
  nullText: fc.constantFrom('\\N', '', 'a'),
});

/** Without columns a header would have to name them. */
const listed = (header: boolean) => (header ? { columns: textColumns(['c0', 'c1', 'c2']) } : {});

describe('the parts of a file deliver together what the whole file does', () => {
  test('as csv, with any delimiter, header and empty lines', () => {
    let cutFiles = 0;
    fc.assert(
      fc.property(delimitedFile, delimiters, details, fc.constantFrom(1, 2, 3), ([bytes, cuts, chunkBytes], delimiter, how, columns) => {
        const { header, skips, nullText } = how;
        const format = delimited({ ...csvOptions, delimiter, header, nullText, skipsEmptyRecords: skips, ...listed(header) });
        if (expectSame(format, header ? 3 : columns, bytes, cuts, chunkBytes) > 1) cutFiles++;
      }),
      { numRuns: 4000 },
    );
    expect(cutFiles).toBeGreaterThan(300);
  });

  test('as text without quotes, also trimmed, and in encodings of one byte', async () => {
    const latin = await encodingCalled('windows-1252');
    fc.assert(
      fc.property(delimitedFile, delimiters, details, fc.boolean(), ([bytes, cuts, chunkBytes], delimiter, how, isTrimmed) => {
        const { header, skips, nullText } = how;
        const text = {
          ...csvOptions,
          quote: undefined,
          delimiter,
          header,
          nullText,
          skipsEmptyRecords: skips,
          isTrimmed,
          ...listed(header),
        };
        expectSame(delimited(text), 3, bytes, cuts, chunkBytes);
        if (delimiter !== '，')
          expectSame(
            delimited({ ...csvOptions, delimiter, header, nullText, encoding: latin, ...listed(header) }),
            3,
            bytes,
            cuts,
            chunkBytes,
          );
      }),
      { numRuns: 1500 },
    );
  });

  test('as COPY text, with escaped line ends and the end mark', () => {
    const file = withCuts(bytesOf('\\', '\\\n', '\\.', '\\.\n', '\n\\.\n', '\n', '\n', '\r\n', '\r', '\t', 'a', '\\N', '\\t', '\\\\', ' '));
    fc.assert(
      fc.property(file, fc.integer({ min: 1, max: 3 }), ([bytes, cuts, chunkBytes], columns) => {
        expectSame(copy(), columns, bytes, cuts, chunkBytes);
      }),
      { numRuns: 4000 },
    );
  });

  test('as JSON lines, with blank and broken ones', () => {
    const file = withCuts(
      bytesOf('{"c0":1}\n', '{"c0":"a\\nb","c1":null}\n', '{"c1":{"x":[1]}}\r\n', '\n', ' \t\n', '\r\n', '{', '"', '}\n'),
    );
    fc.assert(
      fc.property(file, ([bytes, cuts, chunkBytes]) => {
        expectSame(jsonLines(), 2, bytes, cuts, chunkBytes);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('only the decoder can tell where a row begins', () => {
  test.each(['UTF-16', 'UTF-16LE', 'UTF-32', 'UTF-7', 'gb18030', 'GBK', 'Shift_JIS', 'Big5', 'EUC-JP'])('in %s', async (name) => {
    const encoding = await encodingCalled(name);
    expect(delimited({ ...csvOptions, encoding }).counter(textSchema(1))).toBeUndefined();
  });

  test('with escapes by backslash, with blanks around quotes, and where columns are numbers of keys', () => {
    expect(delimited({ ...csvOptions, isBackslashEscaped: true }).counter(textSchema(1))).toBeUndefined();
    expect(delimited({ ...csvOptions, isTrimmed: true }).counter(textSchema(1))).toBeUndefined();
    const columns = [{ name: 'a', key: 0, type: undefined }];
    expect(jsonLines({ columns }).counter(textSchema(1))).toBeUndefined();
  });

  test.each(['UTF-8', 'ISO-8859-1', 'windows-1251', 'KOI8-R', 'US-ASCII'])('but not in %s', async (name) => {
    const encoding = await encodingCalled(name);
    expect(delimited({ ...csvOptions, encoding }).counter(textSchema(1))).toBeDefined();
  });
});
