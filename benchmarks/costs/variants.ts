import { randomBytes } from 'node:crypto';
import type { Plugin } from '../dray-job.ts';

/** What a job says besides the shortest that works. */
export interface Variant {
  /** For people. */
  readonly title: string;
  readonly reader?: object;
  readonly writer?: object;
  readonly transformer?: readonly Plugin[];
  readonly setting?: object;
}

/** What the others of a lane are measured by. */
const plain: Variant = { title: 'without' };

const filter: Plugin = { name: 'dx_filter', parameter: { column: 'status', paras: ['=', 'none'] } };

export const transformers: readonly Variant[] = [
  plain,
  {
    title: 'two columns changed',
    transformer: [
      { name: 'dx_substr', parameter: { column: 'order_no', paras: ['1', '40'] } },
      { name: 'dx_pad', parameter: { column: 'status', paras: ['r', '12', '-'] } },
    ],
  },
  { title: 'one column filtered', transformer: [filter] },
  {
    title: 'js on two columns',
    transformer: [{ name: 'dx_js', parameter: { code: "row.order_no += '!'; row.status = row.status?.toUpperCase()" } }],
  },
];

/** Options of a job between tables. No row is changed by any of them, so that each can be checked. */
export const tableOptions: readonly Variant[] = [
  plain,
  { title: 'guarantee: exactly-once', setting: { guarantee: 'exactly-once' } },
  { title: 'publish: atomic', writer: { publish: 'atomic' } },
  { title: 'both', writer: { publish: 'atomic' }, setting: { guarantee: 'exactly-once' } },
  { title: 'writeMode: update', writer: { writeMode: 'update' } },
  { title: 'a filter that keeps all rows', transformer: [filter] },
];

/** Options of a writer of files; they are not packed, so that there are most bytes to work on. */
export const fileOptions: readonly Variant[] = [
  { title: 'sidecar: false', writer: { sidecar: false } },
  { title: 'sidecar: true' },
  { title: 'the same, signed', writer: { signatureKey: randomBytes(32).toString('hex') } },
  { title: 'the same, encrypted', writer: { encryptionKey: randomBytes(32).toString('hex') } },
];

/** Options of a reader of a set of files. */
export const verifyOptions: readonly Variant[] = [
  { title: 'verify: none', reader: { verify: 'none' } },
  { title: 'verify: require', reader: { verify: 'require' } },
];
