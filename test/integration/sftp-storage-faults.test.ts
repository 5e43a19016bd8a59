import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, statfsSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { Storage } from '../../plugins/_files/storage/storage.ts';
import type { SftpOptions } from '../../plugins/sftp/connection.ts';
import { openSftpStorage } from '../../plugins/sftp/sftp-storage.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { type SshdServer, startSshd } from '../support/sshd-server.ts';
import { until } from '../support/until.ts';
import { bytesOf, loginTo, uploadTo } from './sftp-login.ts';

const never = new AbortController().signal;
const mega = 1_000_000;
let sshd: SshdServer;
let proxy: FaultProxy;
let folder: string;

beforeAll(async () => {
  sshd = await startSshd();
});
beforeEach(async () => {
  folder = mkdtempSync(join(sshd.root, 'test-'));
  proxy = await startFaultProxy(sshd);
  onTestFinished(() => proxy.stop());
});
afterAll(() => sshd?.stop());

/** A storage behind the proxy, which is still without faults. */
async function open(more: Partial<SftpOptions> = {}, signal = never): Promise<Storage> {
  const storage = await openSftpStorage({ ...loginTo(sshd, proxy), ...more }, signal);
  onTestFinished(() => storage.close());
  return storage;
}

/** Uploads and publishes a file, and asks the disk whether it is right. */
async function expectUpload(storage: Storage, bytes: Buffer): Promise<void> {
  const path = join(folder, 'up');
  await storage.publish(await uploadTo(storage, path, bytes), { replaces: false });
  expect(readFileSync(path).equals(bytes)).toBe(true);
  expect(await storage.unfinishedIn(folder)).toEqual([]);
}

async function expectDownload(storage: Storage, bytes: Buffer): Promise<void> {
  const path = join(folder, 'down');
  writeFileSync(path, bytes);
  expect((await bytesOf(storage.read(path, { from: 0 }, never))).equals(bytes)).toBe(true);
}

test.each([0, 1, 50_000, 131_072, 1_234_567, 2_097_152, 5_000_001, 7_999_999])(
  'an upload goes on after a cut at byte %i',
  async (offset) => {
    const storage = await open();
    proxy.setFaults({ connections: 0, up: { cutAfter: proxy.bytes.up + offset } });
    await expectUpload(storage, randomBytes(8 * mega));
    expect(proxy.connections).toBe(2);
  },
);

test.each([1, 500, 3000])('an upload goes on after its acknowledgements were cut at byte %i', async (offset) => {
  const storage = await open();
  proxy.setFaults({ connections: 0, down: { cutAfter: proxy.bytes.down + offset } });
  await expectUpload(storage, randomBytes(8 * mega));
  expect(proxy.connections).toBe(2);
});

test('an upload goes on as long as each connection brings it further', async () => {
  const storage = await open();
  proxy.setFaults({ up: { cutAfter: 300_000 } });
  await expectUpload(storage, randomBytes(4 * mega));
  expect(proxy.connections).toBeGreaterThan(13);
});

test.each([1, 50_000, 1_234_567, 5_000_001])('a file that is read goes on after a cut at byte %i', async (offset) => {
  const storage = await open();
  proxy.setFaults({ connections: 0, down: { cutAfter: proxy.bytes.down + offset } });
  await expectDownload(storage, randomBytes(8 * mega));
  expect(proxy.connections).toBe(2);
});

test.each([
  ['up', { corruptAt: 600_000 }],
  ['up', { endAfter: 600_000 }],
  ['down', { corruptAt: 600_000 }],
  ['down', { endAfter: 600_000 }],
])('a connection that goes %s and is damaged by %j costs no byte', async (direction, fault) => {
  const storage = await open();
  proxy.setFaults({ [direction]: fault, connections: 0 });
  await expectDownload(storage, randomBytes(4 * mega));
  await expectUpload(storage, randomBytes(4 * mega));
  expect(proxy.connections).toBe(2);
});

test.each(['up', 'down'])(
  'a connection that falls silent (%s) is given up after timeoutMs, and the files go on over another',
  async (direction) => {
    const storage = await open({ timeoutMs: 800 });
    proxy.setFaults({ [direction]: { stallAfter: 600_000 }, connections: 0 });
    await expectDownload(storage, randomBytes(4 * mega));
    await expectUpload(storage, randomBytes(4 * mega));
    expect(proxy.connections).toBe(2);
  },
);

test('a far server is as fast as its window allows', async () => {
  const storage = await open();
  proxy.setFaults({ up: { delayMs: 20 }, down: { delayMs: 20 } });
  const start = performance.now();
  await expectDownload(storage, randomBytes(8 * mega));
  await expectUpload(storage, randomBytes(8 * mega));
  // One request after the other would be 122 round trips of 40 ms.
  expect(performance.now() - start).toBeLessThan(122 * 40);
});

test('a connection that was lost between two calls is made again', async () => {
  const storage = await open();
  const upload = await storage.begin(join(folder, 'a'));
  await upload.write(randomBytes(1000));
  proxy.cut();
  await until('it is cut', 1000, async () => expect(proxy.open()).toBe(0));
  expect(await storage.find(folder)).toEqual([]);
  proxy.cut();
  await upload.write(randomBytes(1000));
  proxy.cut();
  expect(await upload.finish()).toMatchObject({ bytes: 2000 });
});

test('a server that stays away is CONNECT_FAILED after some tries, and the upload can still be removed when it is back', async () => {
  const storage = await open();
  const upload = await storage.begin(join(folder, 'a'));
  await upload.write(randomBytes(3 * mega));
  proxy.setFaults({ refuses: true });
  proxy.cut();
  const before = proxy.connections;
  await expect(upload.finish()).rejects.toMatchObject({ code: 'CONNECT_FAILED' });
  expect(proxy.connections - before).toBe(3);
  await expect(upload.finish()).rejects.toMatchObject({ code: 'CONNECT_FAILED' });
  proxy.setFaults({});
  expect(await storage.unfinishedIn(folder)).toHaveLength(1);
  await upload.abort();
  expect(await storage.unfinishedIn(folder)).toEqual([]);
});

test('a server that lost bytes which it had accepted is noticed when the upload goes on', async () => {
  const storage = await open({ reconnect: { tries: 20, firstPauseMs: 100 } });
  const upload = await storage.begin(join(folder, 'a'));
  await upload.write(randomBytes(4 * mega));
  proxy.setFaults({ refuses: true });
  proxy.cut();
  const finishing = upload.finish();
  finishing.catch(() => undefined);
  // Only when the server has written what had reached it before the cut.
  let bytes = -1;
  await until(
    'the file stays as it is',
    2000,
    async () => {
      const before = bytes;
      bytes = statSync(join(folder, '.a.tmp')).size;
      if (bytes !== before) throw new Error('It grows.');
    },
    100,
  );
  truncateSync(join(folder, '.a.tmp'), 10);
  proxy.setFaults({});
  await expect(finishing).rejects.toMatchObject({ code: 'FILE_FAILED', message: expect.stringContaining('has 10 bytes at the server') });
});

test('a file that is another one after a new connection is FILE_CHANGED', async () => {
  const storage = await open();
  const path = join(folder, 'a');
  writeFileSync(path, randomBytes(8 * mega));
  let isCut = false;
  const reading = (async () => {
    for await (const chunk of storage.read(path, { from: 0 }, never)) {
      if (isCut || chunk.length === 0) continue;
      isCut = true;
      utimesSync(path, 1000, 1000);
      proxy.cut();
    }
  })();
  await expect(reading).rejects.toMatchObject({ code: 'FILE_CHANGED', place: storage.nameOf(path) });
});

test('when the key of the server is another one after a new connection, nothing more is sent', async () => {
  const other = await startSshd();
  onTestFinished(() => other.stop());
  const swapped = await startFaultProxy(sshd);
  onTestFinished(() => swapped.stop());
  const storage = await openSftpStorage(loginTo(sshd, swapped), never);
  onTestFinished(() => storage.close());
  const upload = await storage.begin(join(folder, 'a'));
  await upload.write(randomBytes(mega));
  swapped.setTarget(other);
  swapped.cut();
  await expect(upload.finish()).rejects.toMatchObject({ code: 'HOST_KEY_REFUSED' });
});

/** A server whose disk has room for so many bytes; needs no rights to mount anything. */
async function smallServer(bytes: number): Promise<SshdServer> {
  const program = ['/usr/lib/openssh/sftp-server', '/usr/libexec/openssh/sftp-server', '/usr/lib/ssh/sftp-server'].find((path) =>
    existsSync(path),
  );
  const filter = join(import.meta.dirname, '..', 'support', 'full-disk.js');
  const small = await startSshd({ settings: [`ForceCommand ${process.execPath} ${filter} ${bytes} ${program}`] });
  onTestFinished(() => small.stop());
  return small;
}

test('a server without room is DISK_FULL, and has its room again after abort', async () => {
  const small = await smallServer(4 * mega);
  const storage = await openSftpStorage(loginTo(small), never);
  onTestFinished(() => storage.close());
  const path = join(small.root, 'a');
  const upload = await storage.begin(path);
  await expect(upload.write(randomBytes(8 * mega))).rejects.toMatchObject({ code: 'DISK_FULL', place: storage.nameOf(path) });
  await expect(upload.finish()).rejects.toMatchObject({ code: 'DISK_FULL' });
  await upload.abort();
  expect(await storage.unfinishedIn(small.root)).toEqual([]);
  const bytes = randomBytes(mega);
  await storage.publish(await uploadTo(storage, path, bytes), { replaces: false });
  expect(readFileSync(path).equals(bytes)).toBe(true);
});

function isMounting(): boolean {
  if (process.getuid?.() !== 0) return false;
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test('a disk that is full indeed is DISK_FULL, and has its room again after abort', async ({ skip }) => {
  skip(!isMounting(), 'only root of a whole machine may mount a small disk; the test above does without');
  const small = join(folder, 'small');
  mkdirSync(small);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', small]);
  onTestFinished(() => void execFileSync('umount', ['-l', small]));
  const storage = await open();
  const path = join(small, 'a');
  const upload = await storage.begin(path);
  await expect(upload.write(randomBytes(8 * mega))).rejects.toMatchObject({ code: 'DISK_FULL', place: storage.nameOf(path) });
  await expect(upload.finish()).rejects.toMatchObject({ code: 'DISK_FULL' });
  await upload.abort();
  expect(statfsSync(small).bfree * 4096).toBeGreaterThan(3 * mega);
  await storage.publish(await uploadTo(storage, path, randomBytes(mega)), { replaces: false });
});
