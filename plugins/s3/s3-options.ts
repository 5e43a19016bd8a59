import { DrayError, z } from 'dray/sdk';
import { tlsOptions } from '../_sql/tls-options.ts';
import type { S3Options } from './bucket.ts';
import { bucketShape } from './options.ts';

const shape = z.strictObject(bucketShape);
type Given = z.output<typeof shape>;

/** What the options of a plugin mean for the storage. @throws DrayError JOB_INVALID, or TLS_FAILED if a file of "tls" cannot be read */
export function s3Options(given: Given): S3Options {
  const { endpoint, region, bucket, accessId, accessKey, sessionToken, pathStyle, partSize, concurrency, maxAttempts, requestChecksum } =
    given;
  const tls = agentOptions(given);
  return {
    bucket,
    partBytes: partSize * 1024 * 1024,
    concurrency,
    maxAttempts,
    requestChecksum,
    ...(tls === undefined ? {} : { tls }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(accessId === undefined ? {} : { accessKeyId: accessId }),
    ...(accessKey === undefined ? {} : { secretAccessKey: accessKey }),
    ...(sessionToken === undefined ? {} : { sessionToken }),
    ...(pathStyle === undefined ? {} : { pathStyle }),
  };
}

function agentOptions({ tls, endpoint = 'https://' }: Given): S3Options['tls'] {
  if (tls === false) return undefined;
  if (!endpoint.startsWith('https://')) {
    throw new DrayError('JOB_INVALID', '"tls" is about an endpoint with https://, and this one is plain', {
      remedy: 'Write "endpoint" with https://, or leave "tls" out.',
    });
  }
  const servername = typeof tls === 'object' ? tls.servername : undefined;
  const options = tlsOptions(tls, servername ?? '');
  if (options === false) return undefined;
  const { servername: _name, checkServerIdentity, rejectUnauthorized, ...files } = options;
  return {
    ...(files as S3Options['tls']),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    // The name of the host is looked for unless another one is given: before it may stand the name of the bucket.
    ...(servername === undefined || checkServerIdentity === undefined ? {} : { servername, checkServerIdentity }),
  };
}
