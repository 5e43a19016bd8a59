import type { Readable } from 'node:stream';
import { DeleteObjectCommand, GetObjectCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { type S3Facts, startS3 } from '../../test/support/s3-server.ts';
import type { Place } from './place.ts';

export interface S3Place extends Place {
  readonly facts: S3Facts;
  readonly bucket: string;
  /** The folder: what keys in it begin with. */
  readonly prefix: string;
}

const secretVariable = 'DRAY_BENCH_S3_SECRET';
const prefix = 'files/';

export async function openS3Place(): Promise<S3Place> {
  const server = await startS3();
  const { endpoint, region, accessKeyId, secretAccessKey } = server;
  const bucket = await server.createBucket('bench');
  const client = server.client();
  const login = { endpoint, region, bucket, accessId: accessKeyId, accessKey: `\${env:${secretVariable}}` };
  const keys = async () => {
    const found: { key: string; bytes: number }[] = [];
    for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix })) {
      for (const { Key = '', Size = 0 } of Contents) found.push({ key: Key, bytes: Size });
    }
    return found;
  };
  return {
    kind: 's3',
    version: 'an S3 server',
    facts: server,
    bucket,
    prefix,
    reader: (name) => ({ name: 'ossreader', parameter: { ...login, object: [`${prefix}${name ?? ''}`] } }),
    writer: { name: 'osswriter', parameter: { ...login, object: `${prefix}orders` } },
    env: { [secretVariable]: secretAccessKey },
    files: async () =>
      (await keys()).map(({ key, bytes }) => ({
        name: key.slice(prefix.length),
        bytes,
        open: async () => (await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))).Body as Readable,
      })),
    async empty() {
      for (const { key } of await keys()) await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
    },
    async stop() {
      client.destroy();
      await server.stop();
    },
  };
}
