import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Storage } from '../../plugins/_files/storage/storage.ts';
import { s3Options } from '../../plugins/s3/s3-options.ts';
import { openS3Storage } from '../../plugins/s3/s3-storage.ts';
import writer from '../../plugins/s3/writer.ts';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { expectFault } from '../support/faults.ts';
import { type DrayResult, runDray, writeJob } from '../support/run-dray.ts';
import { bytesOf, failing, someBytes, store } from '../support/s3-files.ts';
import { openProxy, openRequestProxy } from '../support/s3-proxy.ts';
import { type S3Server, startS3 } from '../support/s3-server.ts';
import { tempFolder } from '../support/temp-folder.ts';

let s3: S3Server;
let bucket: string;
let certificates: Certificates;

beforeAll(async () => {
  s3 = await startS3();
  bucket = await s3.createBucket('options');
  certificates = makeCertificates();
});
afterAll(async () => {
  certificates?.remove();
  await s3?.stop();
});

const parameterOf = (given: object) => ({
  endpoint: s3.endpoint,
  bucket,
  accessId: s3.accessKeyId,
  accessKey: s3.secretAccessKey,
  object: 'set/rows',
  writeMode: 'truncate',
  ...given,
});

/** A storage as the writer opens it with these options. */
async function storageWith(given: object): Promise<Storage> {
  const options = writer.options.parse(parameterOf(given)) as Parameters<typeof s3Options>[0];
  const storage = await openS3Storage(s3Options(options), new AbortController().signal);
  onTestFinished(() => storage.close());
  return storage;
}

test('successOnNoObject: no object is no row and no error, and without it is an error', async () => {
  const run = (given: object) => {
    const reader = { name: 'ossreader', parameter: { ...parameterOf({}), object: ['none/*'], writeMode: undefined, ...given } };
    const content = [{ reader, writer: { name: 'stream', parameter: {} } }];
    return runDray(['run', '--json', writeJob(tempFolder(), { job: { content } })]);
  };
  const column = [{ index: 0, type: 'long' }];
  expect((await run({ column, successOnNoObject: 'true' })).report).toMatchObject({ state: 'done', rows: { read: 0, written: 0 } });
  expect((await run({ column })).report).toMatchObject({ state: 'failed', error: { code: 'PATH_MISSING' } });
});

test('DataX names the keys of Parquet by "path" and "fileName"', async () => {
  const reader = { name: 'stream', parameter: { column: [{ name: 'id', type: 'long', value: 7 }], sliceRecordCount: 1 } };
  const { object: _, ...parameter } = { ...parameterOf({}), path: '/by-path', fileName: 'rows', fileFormat: 'parquet' };
  const job = { job: { setting: { speed: { channel: 1 } }, content: [{ reader, writer: { name: 'osswriter', parameter } }] } };
  expect((await runDray(['run', '--json', writeJob(tempFolder(), job)])).report).toMatchObject({ state: 'done' });
  const { writeMode: _mode, fileName: _name, ...place } = parameter;
  const back = { job: { content: [{ reader: { name: 'ossreader', parameter: place }, writer: { name: 'streamwriter' } }] } };
  expect(await runDray(['run', writeJob(tempFolder(), back)])).toMatchObject({ exitCode: 0, stdout: '7\n' });
});

describe('an endpoint with TLS', () => {
  async function run(given: object): Promise<DrayResult> {
    const reader = { name: 'stream', parameter: { column: [{ name: 'id', type: 'long', sequence: 1 }], sliceRecordCount: 10 } };
    const content = [{ reader, writer: { name: 's3', parameter: parameterOf(given) } }];
    return runDray(['run', '--json', writeJob(tempFolder(), { job: { setting: { speed: { channel: 1 } }, content } })]);
  }
  const endpointFor = async (name: string) => (await openProxy(s3.endpoint, certificates.issue('server', [name], {}))).endpoint;

  test('is written to and read from with the authority that signed its certificate', async () => {
    const login = { endpoint: await endpointFor('IP:127.0.0.1'), tls: { ca: certificates.ca } };
    expect(await run(login)).toMatchObject({ exitCode: 0 });
    const { writeMode: _, object: _name, ...reads } = parameterOf(login);
    const content = [
      { reader: { name: 's3', parameter: { ...reads, object: 'set/' } }, writer: { name: 'stream', parameter: { print: false } } },
    ];
    const { report } = await runDray(['run', '--json', writeJob(tempFolder(), { job: { content } })]);
    expect(report).toMatchObject({ state: 'done', rows: { written: 10 } });
  });

  test('is refused if nobody whom we trust signed its certificate, or if that is for another name', async () => {
    const endpoint = await endpointFor('IP:127.0.0.1');
    expectFault(await run({ endpoint }), { exitCode: 4, code: 'TLS_FAILED' });
    expectFault(await run({ endpoint, tls: true }), { exitCode: 4, code: 'TLS_FAILED' });
    const other = await endpointFor('DNS:files.example.com');
    expectFault(await run({ endpoint: other, tls: { ca: certificates.ca } }), { exitCode: 4, code: 'TLS_FAILED' });
    expect(await run({ endpoint: other, tls: { ca: certificates.ca, servername: 'files.example.com' } })).toMatchObject({ exitCode: 0 });
    expectFault(await run({ endpoint, tls: { ca: certificates.ca, servername: 'files.example.com' } }), {
      exitCode: 4,
      code: 'TLS_FAILED',
    });
  });

  test('is trusted whoever it is if the job says so', async () => {
    const endpoint = await endpointFor('DNS:files.example.com');
    expect(await run({ endpoint, tls: { verify: false } })).toMatchObject({ exitCode: 0 });
  });

  test('is what "tls" is about, and no plain one', async () => {
    expectFault(await run({ tls: true }), { exitCode: 2, code: 'JOB_INVALID', says: 'https://' });
    const ca = join(tempFolder(), 'none.pem');
    expectFault(await run({ endpoint: await endpointFor('IP:127.0.0.1'), tls: { ca } }), { exitCode: 4, code: 'TLS_FAILED', says: ca });
  });
});

test.each([1, 3])('a request that fails for a reason that may pass is sent as often as "maxAttempts" says (%i)', async (maxAttempts) => {
  let requests = 0;
  const server = createServer((_request, response) => {
    requests++;
    response.writeHead(503).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const storage = await storageWith({ endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, maxAttempts });
  await failing(storage.find('set/'), 'CONNECTION_LOST');
  expect(requests).toBe(maxAttempts);
});

test.each([1, 3])('as many parts of a file are sent side by side as "concurrency" says (%i)', async (concurrency) => {
  let most = 0;
  let open = 0;
  const held: (() => void)[] = [];
  const proxy = await openRequestProxy(s3.endpoint, async ({ method, url = '' }: IncomingMessage) => {
    if (method !== 'PUT' || !url.includes('partNumber')) return;
    most = Math.max(most, ++open);
    // Until as many are there as may come; the last ones of a file may be fewer.
    await new Promise<void>((resolve) => {
      held.push(resolve);
      const goOn = () => {
        for (const go of held.splice(0)) go();
      };
      setTimeout(goOn, open >= concurrency ? 50 : 1000);
    });
    open--;
  });
  const storage = await storageWith({ endpoint: proxy, partSize: 5, concurrency });
  const bytes = someBytes(30 * 1024 * 1024);
  await store(storage, 'parts.bin', bytes);
  expect(most).toBe(concurrency);
  expect((await bytesOf(storage, 'parts.bin')).equals(bytes)).toBe(true);
});

test.each([
  ['when-required', false],
  ['when-supported', true],
])('with "requestChecksum": "%s" a part has a CRC32 of its own: %s; an MD5 always', async (requestChecksum, hasSum) => {
  const parts: IncomingMessage['headers'][] = [];
  const proxy = await openRequestProxy(s3.endpoint, async ({ method, url = '', headers }) => {
    if (method === 'PUT' && url.includes('partNumber')) parts.push(headers);
  });
  const storage = await storageWith({ endpoint: proxy, requestChecksum });
  const upload = await storage.begin('sums.csv');
  await upload.write(Buffer.from('1,x\n'));
  await upload.finish().catch(() => upload.abort());
  expect(parts.length).toBeGreaterThan(0);
  for (const headers of parts) {
    expect(headers['content-md5']).toBeDefined();
    expect(Object.keys(headers).some((name) => name.startsWith('x-amz-checksum-') || name === 'x-amz-trailer')).toBe(hasSum);
  }
});
