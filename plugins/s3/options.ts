import { flag, ignored, integer, secret, z } from 'dray/sdk';
import type { S3Options } from './bucket.ts';

/** How to reach the bucket; names as in DataX's ossreader and osswriter where it has them. */
export const bucketShape = {
  endpoint: z.string().min(1).optional().describe('URL of a server other than Amazon: http://127.0.0.1:9000'),
  region: z.string().optional().describe('Region; default us-east-1 with an endpoint, else what the environment says'),
  bucket: z.string().min(1).describe('Name of the bucket'),
  accessId: secret().optional().describe('Access key; without it environment, ~/.aws and the role of the machine are looked at'),
  accessKey: secret().optional().describe('Secret key; write "${env:NAME}" or "${file:path}"'),
  sessionToken: secret().optional().describe('Of temporary keys'),
  pathStyle: flag().optional().describe('The bucket stands in the path, not before the host name; default true with an endpoint'),
  partSize: integer({ min: 5, max: 5000 }).default(8).describe('MB of a part of an upload; six of them are in memory for each task'),
  cname: ignored('"pathStyle" says how the bucket is addressed'),
};

const shape = z.strictObject(bucketShape);

export function s3Options({
  endpoint,
  region,
  bucket,
  accessId,
  accessKey,
  sessionToken,
  pathStyle,
  partSize,
}: z.output<typeof shape>): S3Options {
  return {
    bucket,
    partBytes: partSize * 1024 * 1024,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(accessId === undefined ? {} : { accessKeyId: accessId }),
    ...(accessKey === undefined ? {} : { secretAccessKey: accessKey }),
    ...(sessionToken === undefined ? {} : { sessionToken }),
    ...(pathStyle === undefined ? {} : { pathStyle }),
  };
}
