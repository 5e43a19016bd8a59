import { describe } from 'vitest';
import reader from '../../plugins/stream/reader.ts';
import writer from '../../plugins/stream/writer.ts';
import { readerContract } from './reader-contract.ts';
import { writerContract } from './writer-contract.ts';

describe('the stream reader', () => {
  readerContract({
    plugin: reader,
    parameter: () => ({ column: [{ type: 'long', sequence: 1 }, { value: 'tab\there' }, { random: '1, 20' }], sliceRecordCount: 20_000 }),
    rowCount: 20_000,
    isRandom: true,
  });
});

describe('the stream writer', () => {
  writerContract({
    plugin: writer,
    parameter: () => ({ print: false }),
    schema: { columns: [{ name: 'a', type: 'string', isNullable: true }] },
    rows: [['1'], [''], [null]],
    reset: () => undefined,
  });
});
