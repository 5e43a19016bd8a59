import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { columnOption, columnSources } from '../../../../../plugins/_files/formats/text/columns.ts';
import { compileDateFormat } from '../../../../../plugins/_files/formats/text/date-format.ts';

function typeOf(type: string, format?: string) {
  const [source] = columnSources([columnOption.parse({ index: 0, type, ...(format === undefined ? {} : { format }) })], '\\N');
  return source!.type!;
}

/** As the row writer does it. */
function cell(type: string, text: string, format?: string): string | undefined {
  const cellType = typeOf(type, format);
  const bytes = Buffer.from(text);
  return cellType.isCanonical(bytes, 0, bytes.length) ? text : cellType.canonical(text);
}

describe('cells of declared columns become canonical', () => {
  test.each([
    ['long', '0', '0'],
    ['long', '-17', '-17'],
    ['long', ' 42 ', '42'],
    ['long', '+42', '42'],
    ['long', '007', '7'],
    ['long', '-0', '0'],
    ['long', '-000', '0'],
    ['long', '12.00', '12'],
    ['integer', '1e3', '1000'],
    ['int', '123456789012345678901234567890', '123456789012345678901234567890'],
    ['decimal', '1.50', '1.50'],
    ['decimal', '.5', '0.5'],
    ['decimal', '-.5', '-0.5'],
    ['decimal', '-0.50', '-0.50'],
    ['decimal', '-0.0', '0.0'],
    ['double', '-0', '-0'],
    ['decimal', '5.', '5'],
    ['decimal', '+00.10', '0.10'],
    ['decimal', '1.25e-3', '0.00125'],
    ['decimal', '-1.25E+4', '-12500'],
    ['decimal', '12.5e1', '125'],
    ['decimal', '0e5', '0'],
    ['decimal', 'NaN', 'NaN'],
    ['double', '1.5', '1.5'],
    ['double', '1.0E-5', '1.0e-5'],
    ['double', ' +1e300', '1e300'],
    ['double', '.5', '0.5'],
    ['double', 'nan', 'NaN'],
    ['double', '-inf', '-Infinity'],
    ['double', 'Infinity', 'Infinity'],
    ['boolean', 'true', 'true'],
    ['bool', ' False ', 'false'],
    ['date', '2024-02-29', '2024-02-29 00:00:00'],
    ['date', '2024-02-29 23:59:59', '2024-02-29 23:59:59'],
    ['timestamp', '2024-02-29 23:59:59.123456', '2024-02-29 23:59:59.123456'],
    ['timestamp', '2024-02-29T23:59', '2024-02-29 23:59:00'],
    ['timestamp', '2024-2-9 1:02:03', '2024-02-09 01:02:03'],
    ['timestamp', '2024-01-01 00:00:00.123456000', '2024-01-01 00:00:00.123456'],
    ['timestamp', '12024-01-01 00:00:00', '12024-01-01 00:00:00'],
    ['timestamp', '0044-03-15 12:00:00 BC', '0044-03-15 12:00:00 BC'],
    ['timestamp', '0001-02-29 BC', '0001-02-29 00:00:00 BC'],
    ['timestamp', 'infinity', 'infinity'],
    ['timestamptz', '2024-01-01 00:00:00+00', '2024-01-01 00:00:00+00'],
    ['timestamptz', '2024-01-01 00:30:00.5+01', '2023-12-31 23:30:00.5+00'],
    ['timestamptz', '2023-12-31T22:30:00-0530', '2024-01-01 04:00:00+00'],
    ['timestamptz', '2024-01-01T00:00:00Z', '2024-01-01 00:00:00+00'],
    ['timestamptz', '0001-01-01 01:00:00+01', '0001-01-01 00:00:00+00'],
    ['time', '23:59:59', '23:59:59'],
    ['time', '7:05', '07:05:00'],
    ['time', '-838:59:59.000000', '-838:59:59.000000'],
    ['bytes', '\\x', '\\x'],
    ['bytes', '\\x00FF', '\\x00ff'],
    ['json', '{"a": 12345678901234567890}', '{"a": 12345678901234567890}'],
  ])('%s: %j is %j', (type, text, canonical) => {
    expect(cell(type, text)).toBe(canonical);
  });

  test.each([
    ['long', ['', ' ', 'x', '1.5', '1 2', '-', '+', '--1', '1e999999999', '0x10', 'NaN', '1,000', '٣']],
    ['decimal', ['', '.', '1.2.3', '1e', '1e99999', 'e5', 'one']],
    ['double', ['', '.', '1e400', '1d', 'infinite', '0x1p3']],
    ['boolean', ['', '1', 'yes', 't', 'truee']],
    [
      'date',
      [
        '',
        '2023-02-29',
        '2024-13-01',
        '2024-00-10',
        '2024-01-32',
        '2024-1-',
        '20240230',
        '2024010',
        '0000-01-01',
        '2024-01-01 24:00:00',
        '2024-01-01 00:60:00',
        '2024-01-01 00:00:60',
        '2024-01-01 00:00:00.',
        '2024-01-01 00:00:00.1234567',
        '2024-01-01 00:00:00+01',
        '2024-01-01 00:00:0x',
        '2023-02-29 BC',
      ],
    ],
    ['timestamptz', ['2024-01-01 00:00:00', '2024-01-01 00:00:00 CET', '2024-01-01 00:00:00+99', '0001-01-01 00:00:00+01']],
    ['time', ['', '12', '12:60:00', '12:00:60', '1234:00:00', '12:00:00.1234567']],
    ['bytes', ['', 'ff', '\\xf', '\\xgg', 'x00']],
    ['json', ['', '{', "{'a': 1}", 'undefined']],
  ])('%s takes none of %j', (type, texts) => {
    expect(texts.map((text) => [text, cell(type, text)])).toEqual(texts.map((text) => [text, undefined]));
  });

  test('every number that is taken as it is, is canonical', () => {
    const near = fc.string({ unit: fc.constantFrom('0', '1', '9', '-', '.', '+', 'e', ' '), maxLength: 6 });
    fc.assert(
      fc.property(near, fc.constantFrom('long', 'decimal', 'double'), (text, type) => {
        const cellType = typeOf(type);
        const bytes = Buffer.from(text);
        if (cellType.isCanonical(bytes, 0, bytes.length)) expect(cellType.canonical(text)).toBe(text);
        const canonical = cellType.canonical(text);
        if (canonical !== undefined) expect(Number(canonical) + 0).toBe(Number(text) + 0);
        if (canonical !== undefined && type !== 'double' && !canonical.startsWith('-0'))
          expect(cellType.isCanonical(Buffer.from(canonical), 0, canonical.length)).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });

  test('every date that is taken as it is, is canonical', () => {
    const near = fc.tuple(
      fc.constantFrom('2024', '1900', '2023', '0000', '02x4'),
      fc.integer({ min: 0, max: 13 }),
      fc.integer({ min: 0, max: 32 }),
      fc.constantFrom('', ' 23:59:59', ' 24:00:00', ' 00:00:00.123456', ' 00:00:00.1234567', ' 0:00:00', 'T00:00:00', ' 00:00:00+00'),
    );
    fc.assert(
      fc.property(near, fc.constantFrom('timestamp', 'timestamptz'), ([year, month, day, time], type) => {
        const text = `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}${time}`;
        const cellType = typeOf(type);
        const bytes = Buffer.from(text);
        const canonical = cellType.canonical(text);
        expect(cellType.isCanonical(bytes, 0, bytes.length)).toBe(canonical === text);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('date formats', () => {
  test.each([
    ['yyyy.MM.dd', '2024.02.29', 'date', '2024-02-29'],
    ['yyyyMMdd', '20240229', 'date', '2024-02-29'],
    ['d/M/yyyy', '9/2/2024', 'date', '2024-02-09'],
    ['yyyy-MM-dd', '2024-2-9', 'date', '2024-02-09'],
    ['yyyy', '2024', 'date', '2024-01-01'],
    ['yyyyMMddHHmmssSSS', '20240229235958123', 'timestamp', '2024-02-29 23:59:58.123'],
    ["yyyy-MM-dd'T'HH:mm:ss.SSSSSS", '2024-02-29T23:59:58.123456', 'timestamp', '2024-02-29 23:59:58.123456'],
    ["yyyy'年'MM'月'dd'日' HH'h'", '2024年02月29日 7h', 'timestamp', '2024-02-29 07:00:00'],
    ["yyyy''MM (dd)", "2024'02 (29)", 'date', '2024-02-29'],
  ])('%s reads %s', (format, text, type, canonical) => {
    const compiled = compileDateFormat(format);
    expect(compiled.type).toBe(type);
    expect(compiled.parse(text)).toBe(canonical);
    expect(compiled.parse(` ${text} `)).toBe(canonical);
    expect(compiled.parse(`${text}0x`)).toBeUndefined();
  });

  test.each([
    ['yyyy.MM.dd', '2023.02.29'],
    ['yyyy.MM.dd', '2023-02-28'],
    ['yyyyMMdd', '2024229'],
    ['yyyy-MM-dd HH:mm', '2024-01-01 24:00'],
    ['yyyy-MM-dd HH:mm:ss.SSSSSSSSS', '2024-01-01 00:00:00.123456789'],
  ])('%s does not read %s', (format, text) => {
    expect(compileDateFormat(format).parse(text)).toBeUndefined();
  });

  test.each(['yy-MM-dd', 'yyyy-MMM-dd', 'hh:mm yyyy', 'yyyy-MM-dd Z', "yyyy 'open", 'MM-dd', 'yyyy MM yyyy', 'HH:mm:ss', 'yyyy SS'])(
    '%s is refused',
    (format) => {
      expect(() => compileDateFormat(format)).toThrow(
        expect.objectContaining({ code: 'JOB_INVALID', message: expect.stringContaining(format) }),
      );
    },
  );
});
