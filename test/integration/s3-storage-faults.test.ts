import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { DeleteBucketPolicyCommand, PutBucketPolicyCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { DrayError } from '../../core/sdk/index.ts';
import type { Storage } from '../../plugins/_files/storage/storage.ts';
import { openS3Storage, type S3Options } from '../../plugins/s3/s3-storage.ts';
import { makeCertificates } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { bytesOf, failing, someBytes, store, testStorage, textOf, upload } from '../support/s3-files.ts';
import { openProxy } from '../support/s3-proxy.ts';
import { type S3Server, startS3 } from '../support/s3-server.ts';

let s3: S3Server;
let bucket: string;

beforeAll(async () => {
  s3 = await startS3();
  bucket = await s3.createBucket('faults');
});
afterAll(() => s3?.stop());

const calls: Record<string, (storage: Storage) => Promise<unknown>> = {
  find: (storage) => storage.find('a/*.csv'),
  filesIn: (storage) => storage.filesIn('a'),
  facts: (storage) => storage.facts('a.csv'),
  read: (storage) => bytesOf(storage, 'a.csv'),
  begin: (storage) => storage.begin('a.csv'),
  publish: (storage) => storage.publish({ path: 'a.csv', bytes: 1, uploadId: 'x', parts: [{ number: 1, etag: 'x' }] }, { replaces: false }),
  discard: (storage) => storage.discard({ path: 'a.csv', bytes: 1, uploadId: 'x', parts: [] }),
  unfinishedIn: (storage) => storage.unfinishedIn('a'),
  remove: (storage) => storage.remove('a.csv'),
};
const names = Object.keys(calls);

test.each(names)('%s says that a secret is wrong, and does not say which', async (name) => {
  const secretAccessKey = 'a-wrong-secret-1234567890';
  const fault = await failing(calls[name]!(await testStorage({ ...s3, secretAccessKey }, { bucket })), 'LOGIN_REFUSED', secretAccessKey);
  expect(fault.message).toContain(s3.endpoint);
  expect(fault.remedy).toContain('secretAccessKey');
});

test('a key that the server does not know is refused', async () => {
  await failing(calls.facts!(await testStorage({ ...s3, accessKeyId: 'nobody' }, { bucket })), 'LOGIN_REFUSED');
});

test.each(names)('%s says that there is no such bucket', async (name) => {
  const fault = await failing(calls[name]!(await testStorage(s3, { bucket: 'no-such-bucket' })), 'PATH_MISSING');
  expect(fault.message).toBe(`${s3.endpoint} has no bucket "no-such-bucket"`);
  expect(fault.remedy).toContain('"bucket"');
});

/** Swift 2.30 has none, so that a Ceph stands beside it. */
async function serverWithPolicies(): Promise<S3Server> {
  if (process.env.DRAY_TEST_S3_KIND !== 'swift') return s3;
  const ceph = await startS3('ceph');
  onTestFinished(() => ceph.stop());
  return ceph;
}

test('what the policy of a bucket forbids is denied', async () => {
  const server = await serverWithPolicies();
  const forbidden = await server.createBucket('forbidden');
  const storage = await testStorage(server, { bucket: forbidden });
  await store(storage, 'a.csv', 'x');
  const client = server.client();
  const Action = ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'];
  const statement = { Effect: 'Deny', Principal: { AWS: ['*'] }, Action, Resource: [`arn:aws:s3:::${forbidden}/*`] };
  await client.send(
    new PutBucketPolicyCommand({ Bucket: forbidden, Policy: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }) }),
  );
  onTestFinished(async () => {
    await client.send(new DeleteBucketPolicyCommand({ Bucket: forbidden }));
    client.destroy();
  });
  for (const name of ['facts', 'read', 'begin', 'remove']) {
    const fault = await failing(calls[name]!(storage), 'PERMISSION_DENIED', server.secretAccessKey);
    expect(fault.remedy).toContain('s3:GetObject');
  }
  expect((await storage.find('')).map(({ path }) => path)).toEqual(['a.csv']);
});

test.each(names)('%s says that nothing listens at the endpoint', async (name) => {
  const endpoint = `http://127.0.0.1:${await freePort()}`;
  const fault = await failing(
    calls[name]!(await testStorage({ ...s3, endpoint }, { bucket, maxAttempts: 2 })),
    'CONNECT_FAILED',
    s3.secretAccessKey,
  );
  expect(fault.message).toBe(`cannot connect to ${endpoint}: nothing listens there`);
  expect(fault.isRetryable).toBe(true);
});

test('a host name that nobody knows cannot be connected to', async () => {
  const storage = await testStorage({ ...s3, endpoint: 'http://no-such-host.invalid' }, { bucket, maxAttempts: 1 });
  await failing(calls.find!(storage), 'CONNECT_FAILED');
});

/** A server that answers every request like that; ends with the test. */
async function fakeServer(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a server that is overloaded is asked again, and then the run fails for a reason that may pass', async () => {
  let requests = 0;
  const endpoint = await fakeServer((request, response) => {
    requests += 1;
    request.resume();
    response
      .writeHead(503, { 'content-type': 'application/xml' })
      .end('<Error><Code>SlowDown</Code><Message>Reduce your rate.</Message></Error>');
  });
  const fault = await failing(calls.begin!(await testStorage({ ...s3, endpoint }, { bucket, maxAttempts: 3 })), 'CONNECTION_LOST');
  expect(fault.message).toContain('SlowDown: Reduce your rate., also at attempt 3');
  expect(requests).toBe(3);
});

test('what breaks off in the middle of an answer is a lost connection', async () => {
  const endpoint = await fakeServer((request) => request.socket.destroy());
  await failing(calls.begin!(await testStorage({ ...s3, endpoint }, { bucket, maxAttempts: 1 })), 'CONNECTION_LOST');
});

test.each([
  [200, '<html><body>Welcome<br></body></html>'],
  [200, '<html><body>Welcome</body></html>'],
  [200, 'Welcome'],
  [403, '{"error":"no"}'],
])('what is not S3 is told apart: %i %s', async (status, body) => {
  const endpoint = await fakeServer((request, response) => {
    request.resume();
    response.writeHead(status, { 'content-type': 'text/html' }).end(body);
  });
  for (const name of ['filesIn', 'facts', 'begin']) {
    const fault = await failing(
      calls[name]!(await testStorage({ ...s3, endpoint }, { bucket })),
      status === 200 ? 'FILE_FAILED' : 'PERMISSION_DENIED',
    );
    expect(fault.message).toMatch(/ is not S3$/);
  }
});

test('no part of an error holds a secret, however deep one looks', async () => {
  const [secretAccessKey, sessionToken] = ['a-secret-of-ours', 'a-token-of-ours'];
  for (const endpoint of [s3.endpoint, await fakeServer((_request, response) => response.writeHead(500).end())]) {
    const storage = await testStorage({ ...s3, endpoint, secretAccessKey }, { bucket, sessionToken, maxAttempts: 1 });
    for (const name of names) {
      const error: unknown = await calls[name]!(storage).catch((cause: unknown) => cause);
      expect(error).toBeInstanceOf(DrayError);
      expect(inspect(error, { showHidden: true, depth: 20 })).not.toMatch(/-of-ours/);
    }
  }
});

test('a server without ranges is told apart, and nothing wrong is read', async () => {
  const endpoint = await fakeServer((_request, response) => response.writeHead(200, { etag: '"x"' }).end(Buffer.alloc(1_000_000)));
  const fault = await failing(bytesOf(await testStorage({ ...s3, endpoint }, { bucket }), 'a.csv', { from: 5 }), 'FILE_FAILED');
  expect(fault.message).toContain('does not give parts');
});

test.each(names.filter((name) => name !== 'discard'))(
  '%s ends soon after the signal fires, although the server is silent',
  async (name) => {
    const endpoint = await fakeServer(() => {});
    const controller = new AbortController();
    const pending = calls[name]!(await testStorage({ ...s3, endpoint }, { bucket, signal: controller.signal }));
    const reason = new Error('cancelled');
    setTimeout(() => controller.abort(reason), 50);
    await expect(pending).rejects.toBe(reason);
  },
);

test('after the signal has fired, what was written is removed, and nothing else begins', async () => {
  const controller = new AbortController();
  const storage = await testStorage(s3, { bucket, partBytes: 5 * 1024 * 1024, signal: controller.signal });
  const receipt = await upload(storage, 'left/finished.csv', 'x');
  const file = await storage.begin('left/begun.csv');
  await file.write(someBytes(12 * 1024 * 1024));
  const reason = new Error('cancelled');
  controller.abort(reason);
  await expect(file.write(Buffer.from('x'))).rejects.toBe(reason);
  await expect(file.finish()).rejects.toBe(reason);
  await expect(storage.publish(receipt, { replaces: true })).rejects.toBe(reason);
  await expect(storage.find('left')).rejects.toBe(reason);
  expect((await storage.unfinishedIn('left')).map(({ path }) => path)).toEqual(['left/begun.csv', 'left/finished.csv']);
  await file.abort();
  await storage.discard(receipt);
  expect(await storage.unfinishedIn('left')).toEqual([]);
});

test('a TLS endpoint must have a certificate that is trusted', async () => {
  const certificates = makeCertificates();
  onTestFinished(() => certificates.remove());
  const files = certificates.issue('server', ['IP:127.0.0.1'], {});
  const { endpoint } = await openProxy(s3.endpoint, files);
  const fault = await failing(calls.find!(await testStorage({ ...s3, endpoint }, { bucket })), 'TLS_FAILED', s3.secretAccessKey);
  expect(fault.remedy).toContain('"ca"');
  const storage = await testStorage({ ...s3, endpoint }, { bucket, tls: { ca: readFileSync(certificates.ca) } });
  await store(storage, 'tls.csv', someBytes(9 * 1024 * 1024));
  expect((await bytesOf(storage, 'tls.csv')).equals(someBytes(9 * 1024 * 1024))).toBe(true);
});

test('https to a server that speaks http fails at TLS', async () => {
  const endpoint = s3.endpoint.replace('http:', 'https:');
  await failing(calls.find!(await testStorage({ ...s3, endpoint }, { bucket, maxAttempts: 1 })), 'TLS_FAILED');
});

test.each<[string, Partial<S3Options>]>([
  ['half a login', { accessKeyId: 'a' }],
  ['an endpoint without http://', { endpoint: 'localhost:9000' }],
  ['an endpoint with a login', { endpoint: 'http://a:secret@localhost:9000' }],
])('%s is a mistake in the job', async (_what, options) => {
  await failing(openS3Storage({ bucket, ...options }, new AbortController().signal), 'JOB_INVALID', 'secret@');
});

test('without keys in the job those of the environment are used, and none at all are said to be missing', async () => {
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  vi.stubEnv('HOME', '/nonexistent');
  onTestFinished(() => void vi.unstubAllEnvs());
  const { endpoint } = s3;
  const open = () => openS3Storage({ endpoint, bucket }, new AbortController().signal);
  const fault = await failing(calls.find!(await open()), 'LOGIN_REFUSED');
  expect(fault.message).toContain('there are no access keys');
  vi.stubEnv('AWS_ACCESS_KEY_ID', s3.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', s3.secretAccessKey);
  const storage = await open();
  await store(storage, 'environment.csv', 'x');
  expect(await textOf(storage, 'environment.csv')).toBe('x');
  await storage.close();
});
