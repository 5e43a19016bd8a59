import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DrayError } from '../../../../../core/sdk/index.ts';
import { parquet } from '../../../../../plugins/_files/formats/parquet.ts';
import { constantOf } from '../../../../../plugins/_files/formats/text/columns.ts';
import { textSchema } from '../../../../support/arbitraries.ts';
import { KeepingOutput } from '../keeping-output.ts';
import { encoded, messagesOf, readIndexed } from '../through.ts';

/** Files that Apache Arrow and DuckDB have written. */
const golden = (name: string) => readFileSync(join(import.meta.dirname, `${name}.parquet`));
const open = new AbortController().signal;

describe('a Parquet file of another program', () => {
  test.each<[string, string, (string | null)[]]>([
    ['boolean', 'boolean', ['true', 'false', null]],
    ['int8', 'integer', ['-128', '127', null]],
    ['uint8', 'integer', ['255', '0', null]],
    ['int32', 'integer', ['-2147483648', '2147483647', null]],
    ['uint32', 'integer', ['4294967295', '0', null]],
    ['int64', 'integer', ['-9223372036854775808', '9223372036854775807', null]],
    ['uint64', 'integer', ['18446744073709551615', '9223372036854775808', null]],
    ['half', 'double 24', ['0.099975586', '65504', null]],
    ['single', 'double 24', ['0.1', '-16777216', null]],
    ['double', 'double', ['0.1', '-0', null]],
    ['double2', 'double', ['NaN', '-Infinity', '5e-324']],
    ['dec4', 'decimal(4,2)', ['-12.34', '0.01', null]],
    ['dec18', 'decimal(18,4)', ['-99999999999999.9999', '0.0001', null]],
    ['dec38', 'decimal(38,0)', ['-99999999999999999999999999999999999999', '1', null]],
    ['dec76', 'decimal(76,36)', [`${'9'.repeat(40)}.${'9'.repeat(36)}`, `-0.${'0'.repeat(35)}1`, null]],
    ['text', 'string', ['漢字 😀\t\n\\N', '', null]],
    ['dictionary', 'string', ['x', 'y', 'x']],
    ['bytes', 'bytes', ['\\x00ff', '\\x', null]],
    ['fixed', 'bytes', ['\\x616263', '\\x000102', null]],
    ['date', 'date', ['0001-01-01', '9999-12-31', null]],
    ['time_ms', 'time 3', ['23:59:59.999', '00:00:00', null]],
    ['time_us', 'time', ['23:59:59.999999', '12:00:00.5', null]],
    ['time_ns', 'time', ['23:59:59.999999', '00:00:00.000001', null]],
    ['ts_ms', 'timestamp 3', ['1969-12-31 23:59:59.999', '2024-02-29 00:00:00', null]],
    ['ts_us', 'timestamp', ['0001-01-01 00:00:00', '9999-12-31 23:59:59.999999', null]],
    ['ts_us_far', 'timestamp', ['290309-12-21 19:59:05.224193 BC', '294247-01-10 04:00:54.775807', '0001-12-31 23:59:59.999999 BC']],
    ['ts_ns', 'timestamp', ['2024-02-29 12:00:00.123456', '1969-12-31 23:59:59.999999', null]],
    ['ts_utc', 'timestamptz', ['2024-02-29 12:00:00.123456+00', '1970-01-01 00:00:00+00', null]],
    ['ts_berlin', 'timestamptz 3', ['2024-02-29 12:00:00+00', '1970-01-01 00:00:00+00', null]],
    ['list', 'json', ['[1,null]', '[]', null]],
    ['struct', 'json', ['{"a":1152921504606846976,"b \\"q\\"":1.50,"c":["2024-01-02"]}', '{"a":null,"b \\"q\\"":null,"c":null}', null]],
    ['structs', 'json', ['[{"x":"\\\\x01","y":"NaN"}]', '[null]', null]],
  ])('has %s as %s', async (name, type, cells) => {
    const { schema, rows, rejected } = await readIndexed(parquet({ columns: [name] }), golden('arrow-types'));
    expect(rejected).toEqual([]);
    const [{ type: logical, mantissaBits, precision, scale, fractionDigits } = schema.columns[0]!] = schema.columns;
    const limits =
      precision === undefined
        ? [mantissaBits ?? fractionDigits ?? ''].map((digits) => (digits === '' ? '' : ` ${digits}`))[0]
        : `(${precision},${scale})`;
    expect(`${logical}${limits}`).toBe(type);
    expect(rows.map(([cell]) => cell)).toEqual(cells);
  });

  test('is read whole, in the order of its columns or in the order asked for', async () => {
    const { rows, schema } = await readIndexed(parquet(), golden('arrow-types'));
    expect([rows.length, rows[0]!.length, schema.columns[0]!.name, schema.columns.at(-1)!.name]).toEqual([3, 32, 'boolean', 'structs']);
    const some = await readIndexed(parquet({ columns: ['text', 0, 5, 'boolean'] }), golden('arrow-types'));
    expect(some.schema.columns.map(({ name }) => name)).toEqual(['text', 'boolean', 'int64', 'boolean']);
    expect(some.rows[1]).toEqual(['', 'false', '9223372036854775807', 'false']);
  });

  test('delivers constants among its columns, and also nothing but constants', async () => {
    const constants = [
      { name: 'kind', value: 'a\tb', type: 'string' as const },
      { name: 'nothing', value: null, type: 'long' as const },
      { name: 'count', value: '007', type: 'long' as const },
    ].map((option, position) => constantOf(option, position)!);
    const columns = [constants[0]!, 'text', constants[1]!, 0, constants[2]!];
    const { schema, rows } = await readIndexed(parquet({ columns }), golden('arrow-types'));
    expect(schema.columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'kind string',
      'text string',
      'nothing integer',
      'boolean boolean',
      'count integer',
    ]);
    expect(rows.slice(1)).toEqual([
      ['a\tb', '', null, 'false', '7'],
      ['a\tb', null, null, null, '7'],
    ]);
    const alone = await readIndexed(parquet({ columns: constants.slice(2) }), golden('arrow-types'));
    expect(alone.rows).toEqual([['7'], ['7'], ['7']]);
  });

  test.each(['snappy', 'gzip', 'brotli', 'zstd', 'lz4'])('may be packed with %s, in several row groups', async (codec) => {
    const { rows, parts, rowCount } = await readIndexed(parquet(), golden(`arrow-${codec}`));
    expect(parts.map((part) => part.rows)).toEqual([250, 250, 100]);
    expect(rowCount).toBe(600);
    const expected = Array.from({ length: 600 }, (_, row) => [
      String(row),
      row % 7 === 0 ? null : `word ${row % 50}`,
      ((row * 37 - 4000) / 100).toFixed(2),
    ]);
    expect(rows).toEqual(expected);
    expect((await readIndexed(parquet(), golden(`arrow-${codec}`), { from: 1, to: 3 })).rows).toEqual(expected.slice(250));
  });

  test.each(['1', '2'])('may have small pages of version %s in all encodings, with lists that go over them', async (version) => {
    const { rows, rejected } = await readIndexed(parquet(), golden(`arrow-pages-${version}`));
    expect(rejected).toEqual([]);
    const expected = Array.from({ length: 400 }, (_, i) => [
      i % 11 === 0 ? null : JSON.stringify(Array.from({ length: i % 5 }, (_unused, j) => (j === 2 ? null : i + j))),
      JSON.stringify({ a: i, b: i % 3 === 0 ? null : `s${i}` }),
      i % 7 === 0 ? null : String(i % 3 === 0),
      i % 5 === 0 ? null : String(((i * 7919) % 1009) - 500),
      String(((BigInt(i) * 7919n) ** 4n % 2n ** 62n) - 2n ** 61n),
      i % 13 === 0 ? null : `prefix/${Math.floor(i / 10)}/${i}`,
      'x'.repeat(i % 7),
      String(i / 8),
      i < 200 ? `w${i % 3}` : `other ${i}`,
    ]);
    expect(rows).toEqual(expected);
  });

  test('may be one of DuckDB', async () => {
    const { rows, schema } = await readIndexed(parquet({ columns: ['j', 'u', 'e', 'l', 's', 't', 'z', 'd', 'ut', 'b'] }), golden('duckdb'));
    expect(schema.columns.map(({ type }) => type)).toEqual([
      'json',
      'string',
      'string',
      'json',
      'json',
      'time',
      'timestamptz',
      'decimal',
      'integer',
      'boolean',
    ]);
    expect(rows).toEqual([
      [
        '{"k":1}',
        '00112233-4455-6677-8899-aabbccddeeff',
        'a',
        '[1,2,null]',
        '{"a":1,"b":"x"}',
        '23:59:59.5',
        '2023-12-31 23:00:00+00',
        '12.5',
        '255',
        'true',
      ],
    ]);
  });

  test('may have INT96 for timestamps', async () => {
    const { rows, schema } = await readIndexed(parquet({ columns: ['at'] }), golden('arrow-int96'));
    expect(schema.columns).toEqual([{ name: 'at', isNullable: true, type: 'timestamp', nativeType: 'INT96' }]);
    expect(rows).toEqual([['2024-02-29 12:00:00.123456'], [null], ['1969-12-31 23:59:59.999999']]);
  });

  test.each([
    ['duckdb', 'i', 'INTERVAL'],
    ['duckdb', 'm', 'MAP'],
    ['arrow-int96', 'm', 'MAP'],
  ])('%s with the column %s is refused for its type %s, where the column is wanted', async (name, column, type) => {
    await expect(readIndexed(parquet(), golden(name))).rejects.toMatchObject({ code: 'TYPE_UNSUPPORTED' });
    await expect(readIndexed(parquet({ columns: [column] }), golden(name))).rejects.toMatchObject({
      code: 'TYPE_UNSUPPORTED',
      place: 'the file',
      message: expect.stringMatching(`the column ${column} has the type ${type}`),
    });
  });

  test('without a column that is wanted is refused, with the names it has', async () => {
    for (const key of ['price', 7, '']) {
      await expect(readIndexed(parquet({ columns: [key] }), golden('arrow-int96'))).rejects.toMatchObject({
        code: 'COLUMN_MISSING',
        message: expect.stringContaining('it has at, m'),
      });
    }
  });

  test('loses the rows with times that are finer than microseconds, and no others', async () => {
    const { rows, rejected } = await readIndexed(parquet(), golden('arrow-odd'));
    expect(rows).toEqual([['2', '1970-01-01 00:00:00.000001', '\\xfffe']]);
    expect(messagesOf(rejected)).toEqual([
      'ns: a time with fractions of a microsecond (row 1)',
      'ns: a time with fractions of a microsecond (row 3)',
    ]);
  });
});

describe('reading Parquet', () => {
  const file = encoded(
    parquet(),
    textSchema(2),
    Array.from({ length: 500 }, (_, row) => [`row ${row}`, null]),
  );

  test('loses the rows with bytes that are no UTF-8, and no others', async () => {
    const broken = Buffer.from(encoded(parquet({ compression: 'none' }), textSchema(1), [['é1'], ['xx'], ['é2']]));
    broken.set([0xff, 0xfe], broken.indexOf('xx'));
    const { rows, rejected } = await readIndexed(parquet(), broken);
    expect(rows).toEqual([['é1'], ['é2']]);
    expect(messagesOf(rejected)).toEqual(['c0: bytes that are not UTF-8 text (row 2)']);
  });

  test.each([
    ['empty', Buffer.alloc(0)],
    ['short', Buffer.from('PAR1PAR1')],
    ['another file', Buffer.from('id,name\n1,a\n2,b\n')],
    ['cut off', file.subarray(0, file.length - 1)],
    ['cut off at its start', file.subarray(100)],
    ['encrypted', Buffer.concat([file.subarray(0, -4), Buffer.from('PARE')])],
    ['longer than it says', Buffer.concat([file.subarray(0, -8), Buffer.from([0xff, 0xff, 0xff, 0x7f]), Buffer.from('PAR1')])],
  ])('says which file is broken when it is %s', async (_, bytes) => {
    await expect(readIndexed(parquet(), bytes)).rejects.toMatchObject({
      code: 'FILE_BROKEN',
      place: 'the file',
      message: expect.stringContaining('the file is no Parquet file, or it is damaged or cut off'),
    });
  });

  test.each(['arrow-gzip', 'arrow-snappy', 'arrow-types'])(
    'never hangs, and fails with nothing else, when a byte of %s is changed',
    async (name) => {
      const whole = golden(name);
      const codes = new Set<string>();
      for (let at = 4; at < whole.length; at += 13) {
        const damaged = Buffer.from(whole);
        damaged[at] = damaged[at]! ^ 0x55;
        const end = await readIndexed(parquet(), damaged).then(
          () => 'read',
          (error: unknown) => (error instanceof DrayError ? error.code : String(error)),
        );
        codes.add(end);
      }
      expect([...codes].filter((code) => !['read', 'FILE_BROKEN', 'TYPE_UNSUPPORTED', 'COLUMN_MISSING'].includes(code))).toEqual([]);
      expect(codes).toContain('FILE_BROKEN');
    },
  );

  test('finds no NULLs in a damaged file that has none', async () => {
    const schema = { columns: [{ name: 'c', type: 'string', isNullable: false }] } as const;
    const whole = encoded(
      parquet({ compression: 'none' }),
      schema,
      Array.from({ length: 300 }, (_, row) => [['new', 'paid', 'sent'][row % 3]!]),
      300,
    );
    let reads = 0;
    for (let at = 4; at < whole.length; at++) {
      const damaged = Buffer.from(whole);
      damaged[at] = damaged[at]! ^ 0xff;
      const { rows } = await readIndexed(parquet(), damaged).catch(() => ({ rows: [] }));
      if (rows.length > 0) reads++;
      expect(rows.flat()).not.toContain(null);
    }
    expect(reads).toBeGreaterThan(10);
  });

  test('tells what the storage says as it is, in the index and in the rows', async () => {
    for (const failingRead of [0, 1]) {
      let reads = 0;
      const failure = new Error('connection lost');
      const source = {
        bytes: file.length,
        read: async (from: number, to: number) => {
          if (reads++ === failingRead) throw failure;
          return file.subarray(from, to);
        },
      };
      const work = async () => {
        const opened = await parquet().open(source, 'the file');
        await opened.read(new KeepingOutput(opened.schema), open);
      };
      await expect(work()).rejects.toBe(failure);
    }
  });

  test('refuses a storage that gives fewer bytes than were asked for', async () => {
    const source = { bytes: file.length, read: async (from: number, to: number) => file.subarray(from, to - 1) };
    await expect(parquet().open(source, 'the file')).rejects.toMatchObject({ code: 'FILE_BROKEN' });
  });

  test('stops between two batches when the signal fires', async () => {
    const opened = await parquet().open({ bytes: file.length, read: async (from, to) => file.subarray(from, to) }, 'the file');
    const stop = new AbortController();
    const out = new KeepingOutput(opened.schema, 10);
    out.onBatch = () => {
      if (out.rows.length === 30) stop.abort(new Error('enough'));
    };
    await expect(opened.read(out, stop.signal)).rejects.toThrow('enough');
    expect(out.rows.length).toBeLessThan(60);
    await expect(opened.read(out, stop.signal)).rejects.toThrow('enough');
  });
});
