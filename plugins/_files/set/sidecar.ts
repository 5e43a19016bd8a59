import { DrayError, type Schema, z } from 'dray/sdk';

export const sidecarVersion = 'dray-file/1';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().min(0);

const columns = z.array(z.looseObject({ name: z.string(), type: z.string() })).min(1);

/** What stands beside a data file. Unknown keys are let through: a newer version may know more. */
export const sidecarSchema = z.looseObject({
  format: z.literal(sidecarVersion),
  /** Name of the data file, without folder. */
  file: z.string().min(1),
  /** Rows, and their digest whatever their order (see RowDigest). */
  rows: count,
  rowDigest: z.string(),
  /** Before compression and encryption, and as stored. */
  rawBytes: count,
  storedBytes: count,
  /** Of the stored bytes. */
  sha256: hash,
  fileFormat: z.string(),
  compression: z.string(),
  /** Id of the key (see cipher.ts); null: not encrypted. */
  encryptionKey: z.string().nullable(),
  columns,
  /** Least and greatest value of the first column, if it is a number or a time (see KeyRange). */
  key: z.looseObject({ column: z.string(), min: z.string(), max: z.string() }).optional(),
  job: z.string(),
  run: z.string(),
  task: count,
  part: count,
  /** ISO 8601, UTC. */
  created: z.string(),
});

export type Sidecar = z.output<typeof sidecarSchema>;

/** A manifest names the files of a set, with the hash of each one's sidecar. */
export const manifestVersion = 'dray-set/1';

export const manifestSchema = z.looseObject({
  format: z.literal(manifestVersion),
  fileName: z.string().min(1),
  job: z.string(),
  run: z.string(),
  created: z.string(),
  rows: count,
  rowDigest: z.string(),
  columns,
  files: z.array(z.looseObject({ file: z.string().min(1), rows: count, storedBytes: count, sha256: hash, sidecarSha256: hash })),
});

export type Manifest = z.output<typeof manifestSchema>;

/** What `_SUCCESS` says of a set. */
export const successEntry = z.looseObject({
  manifest: z.string().min(1),
  /** Of the manifest. */
  sha256: hash,
  run: z.string(),
  /** Of the manifest. */
  signature: z.looseObject({ algorithm: z.enum(['hmac-sha256', 'ed25519']), value: z.string() }).optional(),
});

export type SuccessEntry = z.output<typeof successEntry>;

/** `_SUCCESS`: the finished sets of each fileName of the folder. */
export const successSchema = z.looseObject({
  format: z.literal('dray-success/1'),
  sets: z.record(z.string(), z.array(successEntry)),
});

export type Success = z.output<typeof successSchema>;

/** Reads one of these documents. FILE_FORGED with the path if it is not what its kind says. */
export function parseDocument<T>(schema: z.ZodType<T>, bytes: Buffer, path: string): T {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new DrayError('FILE_FORGED', `${path} is not JSON`, { cause, place: path });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : ` (at ${issue.path.join('.')})`;
  throw new DrayError('FILE_FORGED', `${path} is not what its name says${where}`, { cause: result.error, place: path });
}

export function documentBytes(value: Sidecar | Manifest | Success): Buffer {
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}

/** Columns as a sidecar has them: names and types, and limits where they are known. */
export function sidecarColumns({ columns: all }: Schema): Sidecar['columns'] {
  return all.map((column) => ({ ...column }));
}
