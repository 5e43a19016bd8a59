import { randomBytes } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3';
import { answering } from './answering.ts';
import { freePort } from './free-port.ts';
import { beginCeph } from './s3-ceph.ts';
import { requireS3, type S3Kind } from './s3-install.ts';
import { beginSwift } from './s3-swift.ts';

/** How to reach an S3 server; plain data, so that it can go to another process. */
export interface S3Facts {
  /** http://host:port; buckets stand in the path. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Put before the name of every bucket we create: '' on a private server, unique on someone else's. */
  readonly bucketPrefix: string;
}

/** What a test does with a running server. */
export interface S3Access extends S3Facts {
  /** Creates an empty bucket and returns its true name. Rejects if somebody else has it. */
  createBucket(name: string): Promise<string>;
  /** A plain client of the SDK, to look at what dray did; the caller destroys it. */
  client(): S3Client;
}

export interface S3Server extends S3Access {
  /** Ends a private server and removes its folders; on someone else's server removes the buckets created for this one. */
  stop(): Promise<void>;
}

/** Access to a server that someone else started and will stop. */
export function s3Access(facts: S3Facts): S3Access {
  return {
    ...facts,
    client: () => clientOf(facts),
    createBucket: (name) =>
      withClient(facts, async (client) => {
        const bucket = `${facts.bucketPrefix}${name}`;
        await client.send(new CreateBucketCommand({ Bucket: bucket }));
        return bucket;
      }),
  };
}

/**
 * Starts a private S3 server on a free port of 127.0.0.1; about two seconds, and an apt-get install before that if root has
 * none. It ends with this process even without `stop`. With DRAY_TEST_S3_URL=http://key:secret@host:port/?region=us-east-1 set
 * (key and secret percent-encoded, the region may be absent) it uses that server instead.
 *
 * @param kind which one; with a kind the server is always a private one. Absent: DRAY_TEST_S3_KIND, else Ceph, which has every
 *   part of S3 that dray uses but conditional completion.
 */
export async function startS3(kind?: S3Kind): Promise<S3Server> {
  const givenUrl = process.env.DRAY_TEST_S3_URL;
  if (givenUrl !== undefined && givenUrl !== '' && kind === undefined) return borrowServer(givenUrl);
  const chosen = kind ?? (process.env.DRAY_TEST_S3_KIND === 'swift' ? 'swift' : 'ceph');
  requireS3(chosen);
  const port = await freePort();
  const login = { accessKeyId: `dray:${randomBytes(6).toString('hex')}`, secretAccessKey: randomBytes(20).toString('hex') };
  const server = await (chosen === 'ceph' ? beginCeph(port, login) : beginSwift(port, login));
  const facts: S3Facts = { endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1', ...login, bucketPrefix: '' };
  await answering(`S3 server (${chosen})`, server, async () => void (await greet(facts)));
  return {
    ...s3Access(facts),
    async stop() {
      await server.stop();
    },
  };
}

/** A server that is not ours: we own only the buckets under a unique prefix. */
async function borrowServer(givenUrl: string): Promise<S3Server> {
  const parsed = new URL(givenUrl);
  const facts: S3Facts = {
    endpoint: `${parsed.protocol}//${parsed.host}`,
    region: parsed.searchParams.get('region') ?? 'us-east-1',
    accessKeyId: decodeURIComponent(parsed.username),
    secretAccessKey: decodeURIComponent(parsed.password),
    bucketPrefix: `dray-test-${randomBytes(4).toString('hex')}-`,
  };
  await greet(facts).catch((cause: unknown) => {
    throw new Error(`The server of DRAY_TEST_S3_URL (${parsed.host}) does not let us in.`, { cause });
  });
  return {
    ...s3Access(facts),
    stop: () =>
      withClient(facts, async (client) => {
        const { Buckets = [] } = await client.send(new ListBucketsCommand({}));
        for (const { Name = '' } of Buckets) if (Name.startsWith(facts.bucketPrefix)) await removeBucket(client, Name);
      }),
  };
}

async function removeBucket(client: S3Client, bucket: string): Promise<void> {
  const Bucket = bucket;
  for (;;) {
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
    if (Uploads.length === 0) break;
    for (const { Key, UploadId } of Uploads) await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  }
  for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket })) {
    for (const { Key } of Contents) await client.send(new DeleteObjectCommand({ Bucket, Key }));
  }
  await client.send(new DeleteBucketCommand({ Bucket }));
}

function greet(facts: S3Facts): Promise<unknown> {
  return withClient(facts, (client) => client.send(new ListBucketsCommand({})));
}

async function withClient<T>(facts: S3Facts, work: (client: S3Client) => Promise<T>): Promise<T> {
  const client = clientOf(facts);
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
}

function clientOf({ endpoint, region, accessKeyId, secretAccessKey }: S3Facts): S3Client {
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  return new S3Client({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: 5000, requestTimeout: 60_000, throwOnRequestTimeout: true },
  });
}
