import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { jobNameOf, readJobSource } from '../../../core/job/job-source.ts';
import { writeJob } from '../../support/run-dray.ts';
import { tempFolder } from '../../support/temp-folder.ts';

/** A web server of this test; returns `127.0.0.1:port`. */
async function serve(answer: RequestListener): Promise<string> {
  const server: Server = createServer(answer);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a path and its file URL are the same job', async () => {
  const folder = tempFolder();
  const path = writeJob(folder, '{"job": 1}', 'a b.json');
  const expected = { file: path, name: 'a b', folder, text: '{"job": 1}' };
  expect(await readJobSource(path)).toMatchObject(expected);
  expect(await readJobSource(pathToFileURL(path).href)).toMatchObject(expected);
});

test('a job file is fetched, and named by its URL', async () => {
  const host = await serve((_request, response) => response.end('{"job": 2}'));
  expect(await readJobSource(`http://${host}/jobs/night.json?v=1`)).toMatchObject({
    file: `http://${host}/jobs/night.json?v=1`,
    name: 'night',
    folder: process.cwd(),
    text: '{"job": 2}',
  });
});

test('the password of a URL is sent to the server, and stands in no name', async () => {
  const host = await serve((request, response) => response.end(request.headers.authorization));
  const { file, text, secrets } = await readJobSource(`http://me:ge%40heim@${host}/job.json`);
  expect(Buffer.from(text.replace('Basic ', ''), 'base64').toString()).toBe('me:ge@heim');
  expect(secrets).toEqual(['ge@heim']);
  expect(file).toBe(`http://${host}/job.json`);
});

test.each([
  ['a server that says no', 404, '', 'the server answers 404 Not Found'],
  ['an endless answer', 200, 'x'.repeat(17 * 1024 * 1024), 'it has more than 16 MB'],
])('%s is one sentence with the URL', async (_what, status, body, message) => {
  const host = await serve((_request, response) => response.writeHead(status).end(body));
  await expect(readJobSource(`http://${host}/job.json`)).rejects.toMatchObject({
    code: 'JOB_UNREADABLE',
    exitCode: 2,
    message: expect.stringMatching(new RegExp(`^cannot fetch the job file http://${host}/job.json: ${message}`)),
  });
});

test('a server that is not there is told with its address', async () => {
  const host = await serve(() => undefined);
  const gone = host.replace(/\d+$/, '1');
  await expect(readJobSource(`http://${gone}/job.json`)).rejects.toMatchObject({
    code: 'JOB_UNREADABLE',
    message: expect.stringMatching(/127\.0\.0\.1:1.*(ECONNREFUSED|bad port)/),
  });
});

test('a file URL that names no file is refused with its right form', async () => {
  await expect(readJobSource('file://elsewhere/job.json')).rejects.toMatchObject({
    code: 'JOB_UNREADABLE',
    remedy: expect.stringContaining('file:///'),
  });
});

test.each([
  ['jobs/orders.json', 'orders'],
  ['-', 'stdin'],
  ['http://host/instance/12/config.xml', 'config'],
  ['http://host/', 'job'],
])('the job in %s is called %s', (given, name) => {
  expect(jobNameOf(given)).toBe(name);
});

test('a file without an end is read no further than job files go', async () => {
  await expect(readJobSource('/dev/zero')).rejects.toMatchObject({
    code: 'JOB_UNREADABLE',
    message: 'cannot read the job file /dev/zero: it has more than 16 MB, which no job file has',
  });
});
