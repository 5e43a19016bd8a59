import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
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

test('the signal ends an upload, a read and a listing at once, with its reason, and the connection', async () => {
  const stop = new AbortController();
  const storage = await open({}, stop.signal);
  writeFileSync(join(folder, 'b'), randomBytes(8 * mega));
  const upload = await storage.begin(join(folder, 'a'));
  proxy.setFaults({ down: { stallAfter: 0 } });
  const waiting = [upload.write(randomBytes(8 * mega)), bytesOf(storage.read(join(folder, 'b'), { from: 0 }, never)), storage.find(folder)];
  const reason = new Error('enough');
  const refused = Promise.all(waiting.map((one) => expect(one).rejects.toBe(reason)));
  await new Promise((resolve) => setTimeout(resolve, 100));
  const start = performance.now();
  stop.abort(reason);
  await refused;
  await until('the connection is closed', 1000, async () => expect(proxy.open()).toBe(0));
  expect(performance.now() - start).toBeLessThan(500);
  await expect(storage.find(folder)).rejects.toBe(reason);
  await expect(storage.begin(join(folder, 'c'))).rejects.toBe(reason);
});

test('after the signal an upload still removes its file, and unfinished ones can be removed', async () => {
  const stop = new AbortController();
  const storage = await open({}, stop.signal);
  const upload = await storage.begin(join(folder, 'a'));
  await upload.write(randomBytes(3 * mega));
  await uploadTo(storage, join(folder, 'b'), randomBytes(10));
  stop.abort(new Error('enough'));
  await upload.abort();
  const left = await storage.unfinishedIn(folder);
  expect(left.map(({ path }) => path)).toEqual([join(folder, 'b')]);
  for (const receipt of left) await storage.discard(receipt);
  expect(existsSync(join(folder, '.b.tmp'))).toBe(false);
  await storage.close();
  await until('no connection is left', 1000, async () => expect(proxy.open()).toBe(0));
});

test('the signal of a read ends that read, and nothing else', async () => {
  const storage = await open();
  const path = join(folder, 'a');
  writeFileSync(path, randomBytes(8 * mega));
  const stop = new AbortController();
  const reason = new Error('enough');
  const reading = (async () => {
    for await (const chunk of storage.read(path, { from: 0 }, stop.signal)) if (chunk.length > 0) stop.abort(reason);
  })();
  await expect(reading).rejects.toBe(reason);
  await expect(bytesOf(storage.read(path, { from: 0 }, stop.signal))).rejects.toBe(reason);
  expect(await bytesOf(storage.read(path, { from: 0 }, never))).toHaveLength(8 * mega);
  expect(proxy.connections).toBe(1);
});

test('the signal ends the login, and the wait for a server that stays away', async () => {
  const reason = new Error('enough');
  proxy.setFaults({ down: { stallAfter: 0 } });
  const stop = new AbortController();
  const opening = openSftpStorage(loginTo(sshd, proxy), stop.signal);
  setTimeout(() => stop.abort(reason), 50);
  await expect(opening).rejects.toBe(reason);
  await expect(openSftpStorage(loginTo(sshd, proxy), stop.signal)).rejects.toBe(reason);

  proxy.setFaults({});
  const later = new AbortController();
  const storage = await open({ reconnect: { tries: 10, firstPauseMs: 60_000 } }, later.signal);
  proxy.setFaults({ refuses: true });
  proxy.cut();
  const finding = storage.find(folder);
  setTimeout(() => later.abort(reason), 50);
  const start = performance.now();
  await expect(finding).rejects.toBe(reason);
  expect(performance.now() - start).toBeLessThan(1000);
});

test('close leaves nothing open, may be called again, and does not wait for a silent server', async () => {
  const storage = await open();
  proxy.setFaults({ up: { stallAfter: 0 }, down: { stallAfter: 0 } });
  const start = performance.now();
  await storage.close();
  await storage.close();
  await expect(storage.find(folder)).rejects.toThrow('closed');
  expect(performance.now() - start).toBeLessThan(2000);
  await until('no connection is left', 1000, async () => expect(proxy.open()).toBe(0));
});

test('close ends the wait for a server that does not answer the login', async () => {
  const storage = await open();
  proxy.setFaults({ down: { stallAfter: 0 } });
  proxy.cut();
  await until('it is cut', 1000, async () => expect(proxy.open()).toBe(0));
  const finding = storage.find(folder);
  finding.catch(() => undefined);
  await until('it connects again', 1000, async () => expect(proxy.open()).toBe(1));
  const start = performance.now();
  await storage.close();
  await expect(finding).rejects.toThrow('closed');
  expect(performance.now() - start).toBeLessThan(500);
});
