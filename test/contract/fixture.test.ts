import { describe } from 'vitest';
import reader from '../../plugins/fixture/reader.ts';
import { readerContract } from './reader-contract.ts';

describe.each(['orders', 'narrow', 'wide', 'events', 'tiny'])('the fixture reader, of %s', (fixture) => {
  readerContract({ plugin: reader, parameter: () => ({ fixture, rows: 20_000 }), rowCount: 20_000 });
});
