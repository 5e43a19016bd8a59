import { readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { thisProcess } from '../../../core/sdk/process-identity.ts';
import { ServerFile, serverOf } from '../../../core/serve/server-file.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const gone = { ...thisProcess(), pid: 2 ** 22 + 1, started: 'never' };
const leave = (state: string, facts: object) => writeFileSync(join(state, 'server.json'), JSON.stringify(facts));

test('of many servers that start at once on the file of a dead one, one has the state folder', async () => {
  const state = tempFolder();
  leave(state, { port: 1, token: 'dead', ...gone });
  expect(await serverOf(state)).toBeUndefined();
  const claims = await Promise.allSettled(
    Array.from({ length: 20 }, (_, port) => ServerFile.claim(state, { port, token: `token ${port}` })),
  );
  const won = claims.flatMap((claim) => (claim.status === 'fulfilled' ? [claim.value] : []));
  expect(won).toHaveLength(1);
  for (const claim of claims) if (claim.status === 'rejected') expect(claim.reason).toMatchObject({ code: 'SERVER_EXISTS', exitCode: 2 });
  const winner = claims.findIndex(({ status }) => status === 'fulfilled');
  expect(await serverOf(state)).toMatchObject({ port: winner, token: `token ${winner}`, pid: process.pid });
  expect(statSync(join(state, 'server.json')).mode & 0o777).toBe(0o600);
  await won[0]!.release();
  expect(readdirSync(state)).toEqual([]);
});

test('a server does not remove the file of the one that has replaced it', async () => {
  const state = tempFolder();
  const file = await ServerFile.claim(state, { port: 1, token: 'mine' });
  leave(state, { port: 2, token: 'another', ...thisProcess() });
  await file.release();
  expect(await serverOf(state)).toMatchObject({ token: 'another' });
});

test('a server of another host counts until it was not heard of for a while', async () => {
  const state = tempFolder();
  leave(state, { port: 1, token: 'far', host: 'far-away', pid: 1, kernel: 'another', started: '1' });
  await expect(ServerFile.claim(state, { port: 2, token: 'here' })).rejects.toMatchObject({ code: 'SERVER_EXISTS' });
  const before = new Date(Date.now() - 60_000);
  utimesSync(join(state, 'server.json'), before, before);
  await (await ServerFile.claim(state, { port: 2, token: 'here' })).release();
});

test.each(['', '{', '{}', 'null'])('a damaged file %j is no server, and is replaced', async (text) => {
  const state = tempFolder();
  writeFileSync(join(state, 'server.json'), text);
  expect(await serverOf(state)).toBeUndefined();
  const file = await ServerFile.claim(state, { port: 7, token: 'new' });
  expect(await serverOf(state)).toMatchObject({ port: 7 });
  await file.release();
});
