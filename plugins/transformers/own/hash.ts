import { createHash, createHmac } from 'node:crypto';
import { defineTransformer, secret, z } from 'dray/sdk';
import { bytesOf, toText } from '../cell-text.ts';
import { columnsOf, namesColumn, someColumns, withColumns } from '../column-options.ts';

export default defineTransformer({
  name: 'hash',
  summary: 'Puts a digest in place of a value; with a key nobody without it can try values out',
  options: z
    .strictObject({
      ...someColumns,
      algorithm: z.enum(['sha256', 'sha512', 'sha1', 'md5']).default('sha256').describe('What is computed'),
      key: secret().min(1).optional().describe('Secret of an HMAC; absent: a plain digest, by which short or known values can be found'),
      encoding: z.enum(['hex', 'base64']).default('hex').describe('How the digest is written'),
    })
    .refine(...namesColumn),
  example: { column: 'email', key: '${env:HASH_KEY}' },
  open(options, schema) {
    const { algorithm, key, encoding } = options;
    const found = columnsOf(options, schema);
    const reads = found.map(({ column }) => (column.type === 'bytes' ? bytesOf : (cell: string) => cell));
    const newDigest = () => (key === undefined ? createHash(algorithm) : createHmac(algorithm, key));
    return {
      changes: found.map(({ position }) => position),
      output: withColumns(
        schema,
        toText(found, () => ({ length: newDigest().digest(encoding).length })),
      ),
      row(cells) {
        for (let index = 0; index < reads.length; index++) {
          const cell = cells[index]!;
          if (cell !== null) cells[index] = newDigest().update(reads[index]!(cell)).digest(encoding);
        }
      },
    };
  },
});
