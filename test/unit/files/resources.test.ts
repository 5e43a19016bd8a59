import { expect, onTestFinished, test } from 'vitest';
import { resourceName } from '../../../core/sdk/index.ts';
import { openLocalStorage } from '../../../plugins/_files/storage/local-storage.ts';
import { openS3Storage } from '../../../plugins/s3/s3-storage.ts';

test.each([
  ['http://127.0.0.1:9000', '127.0.0.1:9000'],
  ['https://s3.example.com', 's3.example.com:443'],
  ['http://minio', 'minio:80'],
  ['http://[::1]:9000', '[::1]:9000'],
  [undefined, 's3.amazonaws.com:443'],
])('the server of a bucket at the endpoint %s is %s', async (endpoint, name) => {
  const given = { bucket: 'b', accessKeyId: 'key', secretAccessKey: 'secret', region: 'us-east-1' };
  const storage = await openS3Storage({ ...given, ...(endpoint === undefined ? {} : { endpoint }) }, new AbortController().signal);
  onTestFinished(() => storage.close());
  expect(storage.resource.kind).toBe('s3');
  expect(resourceName(storage.resource)).toBe(name);
});

test('files of this machine are on its disks', () => {
  expect(resourceName(openLocalStorage().resource)).toBe('localhost');
});
