import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isNullCell, readText, writeBytesAsHex, writeBytesAsText, writeNull, writeText } from '../../../core/sdk/copy-text.ts';
import { anyText } from '../../support/arbitraries.ts';

function written(text: string): Buffer {
  const target = Buffer.alloc(text.length * 3);
  return target.subarray(0, writeText(target, 0, text));
}

test('any text comes back as it was written', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const bytes = written(text);
      expect(readText(bytes, 0, bytes.length)).toBe(text);
    }),
  );
});

test('a written text has no TAB, LF or CR of its own, and is never taken for NULL', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const bytes = written(text);
      expect(bytes.includes('\t') || bytes.includes('\n') || bytes.includes('\r')).toBe(false);
      expect(isNullCell(bytes, 0, bytes.length)).toBe(false);
    }),
  );
});

test('exactly four characters are escaped, in the way PostgreSQL and MySQL both read', () => {
  expect(written('\\ \t \n \r \b \f \v \0 \\N').toString()).toBe('\\\\ \\t \\n \\r \b \f \v \0 \\\\N');
});

test('NULL is \\N, and an empty text is not', () => {
  const target = Buffer.alloc(2);
  expect(writeNull(target, 0)).toBe(2);
  expect(target.toString()).toBe('\\N');
  expect(isNullCell(target, 0, 2)).toBe(true);
  expect(isNullCell(target, 0, 0)).toBe(false);
});

test('raw UTF-8 bytes are escaped like the text they are', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const source = Buffer.from(text);
      const target = Buffer.alloc(2 * source.length);
      expect(target.subarray(0, writeBytesAsText(target, 0, source, 0, source.length))).toEqual(written(text));
    }),
  );
});

test('raw bytes of any kind become \\x and lower-case hex', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (source) => {
      const target = Buffer.alloc(2 * source.length + 3);
      const end = writeBytesAsHex(target, 0, source, 0, source.length);
      expect(readText(target, 0, end)).toBe(`\\x${Buffer.from(source).toString('hex')}`);
    }),
  );
});

test.each(['\ud800', 'a\udc00b', '\ud83d', '\ude00\ud83d'])('half of a surrogate pair (%j) is refused as a row, not bent', (text) => {
  expect(() => written(text)).toThrow(expect.objectContaining({ code: 'ROW_REJECTED' }));
});

test('an escape that no batch may hold is a bug and is reported as one', () => {
  const bytes = Buffer.from('a\\b');
  expect(() => readText(bytes, 0, bytes.length)).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
});
