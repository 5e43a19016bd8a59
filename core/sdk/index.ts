/** The only door for plugins: `import { defineReader } from 'dray/sdk'`. */
export { z } from 'zod';
export { type BareCell, type BareForm, bareCell, makeBare } from './bare-rows.ts';
export { BatchBuilder } from './batch-builder.ts';
export { binaryCellRoom, binaryEncoder, encodeBytes } from './binary-cells.ts';
export type { CellEncoder } from './binary-numbers.ts';
export {
  type BinaryForm,
  beginBinaryRow,
  binaryRowEnd,
  binaryRowHeader,
  copyData,
  endBinaryRow,
  writeBinaryNull,
} from './binary-rows.ts';
export {
  BACKSLASH,
  CR,
  escapeOf,
  isNullCell,
  LF,
  readText,
  TAB,
  writeBytesAsHex,
  writeBytesAsText,
  writeNull,
  writeText,
} from './copy-text.ts';
export { asDrayError, DrayError, type ErrorCode, type ErrorFacts, type ErrorWire, errorKinds, type Side } from './errors.ts';
export { choice, columnForms, flag, ignored, integer, refused, secret, texts, tls } from './options.ts';
export {
  type Difference,
  defineReader,
  defineWriter,
  type EarlierCommit,
  type Guarantee,
  type Json,
  type OpenSnapshot,
  type PluginContext,
  type PluginDefinition,
  type Reader,
  type ReaderDefinition,
  type ReaderPlugin,
  type RecordOutput,
  type SnapshotPlan,
  type SplitHint,
  type Target,
  type TaskFacts,
  type TaskWriter,
  type WriteIntent,
  type Writer,
  type WriterDefinition,
  type WriterPlugin,
} from './plugin.ts';
export { hasEnded, type ProcessIdentity, thisProcess } from './process-identity.ts';
export { type Cell, RecordBatch } from './record-batch.ts';
export { type Resource, resourceName, type SourceHealth } from './resource.ts';
export { type Column, type LogicalType, logicalTypes, type Schema } from './schema.ts';
export {
  type KeyKind,
  type KeyPoint,
  type KeyPoints,
  type KeyRange,
  type KeySource,
  type KeyValue,
  keyKinds,
  type LeftOut,
  type Split,
  type SplitKey,
} from './split.ts';
export type { Layout, TargetForms } from './target-forms.ts';
export {
  defineTransformer,
  type OutputColumn,
  positionOf,
  type RowFates,
  type Transformer,
  type TransformerDefinition,
  type TransformerPlugin,
} from './transformer.ts';
export { type Watched, watchOver } from './watchdog.ts';
