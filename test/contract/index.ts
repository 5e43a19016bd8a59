/** For plugins outside of this project: `import { readerContract } from 'dray/contract'` in a vitest file. */
export { type ReaderCase, readerContract } from './reader-contract.ts';
export { type TransformerCase, transformerContract } from './transformer-contract.ts';
export { type WriterCase, writerContract } from './writer-contract.ts';
