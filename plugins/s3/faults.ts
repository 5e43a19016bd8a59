import { DrayError, type ErrorCode } from 'dray/sdk';
import { isTlsError } from '../_sql/tls-options.ts';

/** An error of the SDK: one of the server with its code as `name`, or one of node:net with a `code`. */
interface S3Error extends Error {
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
  /** Hidden from inspection, unless one asks for hidden things. */
  readonly $response?: { body?: unknown };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, and what Ceph, Swift and MinIO add to it. */
const codes: Record<string, ErrorCode> = {
  NoSuchBucket: 'PATH_MISSING',
  NoSuchKey: 'PATH_MISSING',
  NotFound: 'PATH_MISSING',
  AccessDenied: 'PERMISSION_DENIED',
  AllAccessDisabled: 'PERMISSION_DENIED',
  AccountProblem: 'PERMISSION_DENIED',
  UserSuspended: 'PERMISSION_DENIED',
  CredentialsProviderError: 'LOGIN_REFUSED',
  ExpiredToken: 'LOGIN_REFUSED',
  InvalidAccessKeyId: 'LOGIN_REFUSED',
  InvalidToken: 'LOGIN_REFUSED',
  NotSignedUp: 'LOGIN_REFUSED',
  RequestTimeTooSkewed: 'LOGIN_REFUSED',
  SignatureDoesNotMatch: 'LOGIN_REFUSED',
  TokenRefreshRequired: 'LOGIN_REFUSED',
  BadDigest: 'CONNECTION_LOST',
  IncompleteBody: 'CONNECTION_LOST',
  RequestTimeout: 'CONNECTION_LOST',
  XAmzContentSHA256Mismatch: 'CONNECTION_LOST',
  EntityTooLarge: 'FILE_FAILED',
  InsufficientStorage: 'DISK_FULL',
  QuotaExceeded: 'DISK_FULL',
  XMinioStorageFull: 'DISK_FULL',
  PreconditionFailed: 'FILE_EXISTS',
};

const loginTexts: Record<string, string> = {
  CredentialsProviderError:
    'there are no access keys: neither in the job file, nor in the environment, nor in ~/.aws, nor from the machine',
  ExpiredToken: 'the session token is no longer valid',
  InvalidAccessKeyId: 'it does not know the access key',
  RequestTimeTooSkewed: 'the clock of this machine differs too much from its own',
  SignatureDoesNotMatch: 'the secret access key is not the one of this access key',
};

const remedies: Partial<Record<string, string>> = {
  CredentialsProviderError: 'Give "accessKeyId" and "secretAccessKey", or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
  EntityTooSmall: 'Set "partBytes" to 5 MiB or more.',
  LOGIN_REFUSED: 'Check "accessKeyId" and "secretAccessKey", and that they are keys of this server.',
  NoSuchBucket: 'Check "bucket" and "endpoint", or create the bucket.',
  NoSuchUpload: 'Run the job again; look for a rule of the bucket that aborts unfinished uploads.',
  PERMISSION_DENIED:
    'Grant the keys of the job s3:ListBucket and s3:ListBucketMultipartUploads on the bucket, and s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on its objects.',
  notS3: 'Check "endpoint": it must be the address for programs, not the one for browsers.',
  wrongRegion: 'Set "region" to the one where the bucket is.',
};

const unreachable = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EADDRNOTAVAIL)$/;

export interface FaultPlace {
  /** Completes the sentence "cannot …". */
  readonly doing: string;
  /** The server for people. */
  readonly server: string;
  readonly bucket: string;
  /** The file for people, if it is about one. */
  readonly place?: string;
}

export function statusOf(error: unknown): number | undefined {
  return (error as S3Error).$metadata?.httpStatusCode;
}

/** What the server calls the error; '' where it gave no name, as in the answer to a HEAD. */
export function errorName(error: unknown): string {
  return error instanceof Error && statusOf(error) !== undefined ? error.name : '';
}

/** What the SDK threw, as an error of ours. Its text never holds keys: what the server says of a refused login is left out. */
export function s3Fault(error: unknown, { doing, server, bucket, place }: FaultPlace): DrayError {
  if (error instanceof DrayError) return error;
  const { name, code = '', message, $response } = error as S3Error;
  const status = statusOf(error);
  // The connection, with the headers that were sent on it: the session token is one.
  if (typeof $response === 'object') $response.body = undefined;
  const make = (kind: ErrorCode, message: string, remedy: string | undefined = remedies[name] ?? remedies[kind]) =>
    new DrayError(kind, message, { cause: error, ...(place === undefined ? {} : { place }), ...(remedy === undefined ? {} : { remedy }) });

  // An answer that broke off has a status, and a code of node:net.
  if (code !== '' || (status === undefined && name !== 'CredentialsProviderError')) {
    const { kind, says } = networkFault(error as S3Error);
    if (kind === 'CONNECT_FAILED') return make(kind, `cannot connect to ${server}: ${says}`);
    if (kind === 'TLS_FAILED') return make(kind, `no trusted TLS connection to ${server}: ${says}`);
    return make(kind, `cannot ${doing}: ${says}`);
  }
  if (message.includes('Deserialization error')) return make(kindOfStatus(status), notS3(doing, server), remedies.notS3);
  const says = serverText(error as S3Error);
  if (name === 'NoSuchBucket') return make('PATH_MISSING', `${server} has no bucket "${bucket}"`);
  if (
    /^(PermanentRedirect|TemporaryRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException)$/.test(name) ||
    status === 301
  ) {
    return make('FILE_FAILED', `bucket "${bucket}" is not in this region: ${says}`, remedies.wrongRegion);
  }
  const kind = codes[name] ?? kindOfStatus(status);
  if (kind === 'LOGIN_REFUSED') return make(kind, `${server} refuses the login: ${loginTexts[name] ?? name}`);
  if (kind === 'PATH_MISSING') return make(kind, `${place ?? bucket} is not there`);
  if (kind === 'CONNECTION_LOST') {
    const attempts = (error as S3Error).$metadata?.attempts ?? 1;
    return make(kind, `cannot ${doing}: ${says}${attempts > 1 ? `, also at attempt ${attempts}` : ''}`);
  }
  return make(kind, `cannot ${doing}: ${says}`);
}

/** Sentence about an answer that no S3 server gives. */
export function notS3(doing: string, server: string): string {
  return `cannot ${doing}: what ${server} answers is not S3`;
}

function kindOfStatus(status: number | undefined): ErrorCode {
  if (status === 403 || status === 401) return 'PERMISSION_DENIED';
  if (status === 404) return 'PATH_MISSING';
  if (status === 507) return 'DISK_FULL';
  return status !== undefined && (status >= 500 || status === 408 || status === 429) ? 'CONNECTION_LOST' : 'FILE_FAILED';
}

function networkFault({ name, code = '', message, cause }: S3Error): { kind: ErrorCode; says: string } {
  if (isTlsError(code)) return { kind: 'TLS_FAILED', says: message };
  if (code === 'ECONNREFUSED') return { kind: 'CONNECT_FAILED', says: 'nothing listens there' };
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return { kind: 'CONNECT_FAILED', says: 'the host name is unknown' };
  if (unreachable.test(code)) return { kind: 'CONNECT_FAILED', says: code };
  // The SDK's own two timeouts have no code; only the text tells them apart. It calls some errors of node:net by the same name.
  if (name === 'TimeoutError' && code === '') {
    if (message.includes('did not establish a connection')) return { kind: 'CONNECT_FAILED', says: 'no answer within 10 s' };
    return { kind: 'CONNECTION_LOST', says: 'the server has been silent for too long' };
  }
  if (message === 'Region is missing')
    return { kind: 'JOB_INVALID', says: 'there is no "region", neither in the job file nor in AWS_REGION' };
  if (code !== '' || /hang up|aborted|Parse Error/i.test(message))
    return { kind: 'CONNECTION_LOST', says: `the connection broke (${code || message})` };
  return cause === undefined ? { kind: 'FILE_FAILED', says: message } : networkFault(cause as S3Error);
}

/** Some servers send a code without words; the SDK then says "UnknownError". */
function serverText(error: S3Error): string {
  const status = statusOf(error);
  const words = error.message === 'UnknownError' || error.message === error.name ? '' : error.message;
  const name = error.name === 'Unknown' || error.name === 'Error' ? '' : error.name;
  return [name, words].filter((text) => text !== '').join(': ') || `HTTP status ${status}`;
}
