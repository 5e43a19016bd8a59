import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type BareCell,
  type BareForm,
  bareCell,
  type LogicalType,
  logicalTypes,
  makeBare,
  writeBytesAsHex,
  writeBytesAsText,
} from '../../../core/sdk/index.ts';

/** What is left of a cell, which stands in the middle of others; undefined: it has no bare form. */
function bare(cell: Exclude<BareCell, 'same'>, text: Uint8Array | string): string | undefined {
  const bytes = Buffer.concat([Buffer.from('+00\t'), typeof text === 'string' ? Buffer.from(text) : text, Buffer.from('\tnext')]);
  const end = makeBare(cell, bytes, 4, bytes.length - 5);
  expect([bytes.toString('latin1', 0, 4), bytes.toString('latin1', bytes.length - 5)]).toEqual(['+00\t', '\tnext']);
  return end === -1 ? undefined : bytes.toString('latin1', 4, end);
}

describe('a canonical text becomes', () => {
  test.each([
    ['digit', 'true', '1'],
    ['digit', 'false', '0'],
    ['digit', 'TRUE', undefined],
    ['digit', 't', undefined],
    ['digit', 'falsehood', undefined],
    ['digit', '', undefined],
    ['utc', '2024-02-29 12:00:00+00', '2024-02-29 12:00:00'],
    ['utc', '2024-02-29 12:00:00', '2024-02-29 12:00:00'],
    ['utc', '2024-02-29 12:00:00+05:30', '2024-02-29 12:00:00+05:30'],
    ['utc', '2024-02-29 12:00:00+0000', '2024-02-29 12:00:00+0000'],
    ['utc', '2024-02-29 12:00:00+00+00', undefined],
    ['utc', '+00', ''],
    ['utc', '00', '00'],
    ['utc', '', ''],
    ['raw', String.raw`\\x`, ''],
    ['raw', String.raw`\\x4a4B`, 'JK'],
    ['raw', String.raw`\\x5c090a0d00`, '\\\\\\t\\n\\r\0'],
    ['raw', String.raw`\\x4`, undefined],
    ['raw', String.raw`\\x4g`, undefined],
    ['raw', String.raw`\\xg4`, undefined],
    ['raw', String.raw`\x41`, undefined],
    ['raw', '4142', undefined],
    ['raw', 'x41', undefined],
    ['raw', '', undefined],
  ] as const)('%s of %j: %j', (cell, text, expected) => {
    expect(bare(cell, text)).toBe(expected);
  });

  test('raw bytes that are escaped as texts are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const [hex, text] = [Buffer.alloc(2 * bytes.length + 3), Buffer.alloc(2 * bytes.length)];
        writeBytesAsHex(hex, 0, bytes, 0, bytes.length);
        const end = writeBytesAsText(text, 0, bytes, 0, bytes.length);
        expect(bare('raw', hex)).toBe(text.toString('latin1', 0, end));
      }),
    );
  });
});

test.each<[BareForm, Partial<Record<LogicalType, BareCell>>]>([
  ['number', { boolean: 'digit', integer: 'same', decimal: 'same', double: 'same', string: 'same' }],
  ['timestamp', { timestamptz: 'utc', timestamp: 'same', date: 'same', string: 'same' }],
  ['timestamptz', { timestamptz: 'utc', string: 'utc', timestamp: 'same', date: 'same' }],
  ['bytes', { bytes: 'raw', string: 'same', json: 'same' }],
])('a column of %s takes cells of some types, and changes some of them', (form, expected) => {
  const cells = logicalTypes.map((type) => [type, bareCell({ name: 'c', type, isNullable: true }, form)] as const);
  expect(Object.fromEntries(cells.filter(([, cell]) => cell !== undefined))).toEqual(expected);
});
