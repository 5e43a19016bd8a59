import { createReadStream, createWriteStream, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Contestant } from '../../core/bench/course.ts';
import { type Command, measuredRun } from '../../core/bench/measured-run.ts';
import { orders } from '../../plugins/fixture/orders.ts';
import type { Arena } from '../arena.ts';
import { drayContestant, writeJob } from '../dray-job.ts';
import type { OpenLane } from '../lane.ts';
import { unlessInstalled } from '../rivals/programs.ts';
import { sftpCommand } from './sftp-words.ts';
import { intoSameFile, sha256Of } from './written-set.ts';

/** This module runs as dist/benchmarks/files/transfer-lanes.js. */
const program = resolve(import.meta.dirname, 'transfer.js');
/** The ready file is taken so often: at a few hundred MB/s the start of Node would count for too much. */
const copies = 4;
const name = 'big.copy';

type Remote = 'sftp' | 's3';

/** One big file of COPY text, as it is, from the local disk to a server. */
export function upload(kind: Remote): OpenLane {
  return async ({ rows, arena }) => {
    const file = await bigFile(arena, rows);
    const place = await arena.place(kind);
    const { writer, env } = place;
    const content = {
      reader: { name: 'txtfilereader', parameter: { path: [file], fileFormat: 'copy' } },
      writer: { ...writer, parameter: { ...writer.parameter, fileFormat: 'copy', writeMode: 'truncate' } },
    };
    const job = await writeJob(arena, `file-${kind}`, content, env);
    return {
      rows,
      contestants: [...(await transfers(arena, kind, 'put', file)), drayContestant(job, 1, 'dray run')],
      ...intoSameFile(place, await sha256Of(createReadStream(file))),
    };
  };
}

/** The way back. */
export function download(kind: Remote): OpenLane {
  return async ({ rows, arena }) => {
    const file = await bigFile(arena, rows);
    const place = await arena.place(kind);
    const local = await arena.place('local');
    await place.empty();
    const [, putting] = await transfers(arena, kind, 'put', file);
    await measuredRun(putting.command, arena.signal);
    const reader = place.reader(name);
    const content = {
      reader: { ...reader, parameter: { ...reader.parameter, fileFormat: 'copy' } },
      writer: { ...local.writer, parameter: { ...local.writer.parameter, fileFormat: 'copy', writeMode: 'truncate' } },
    };
    const job = await writeJob(arena, `${kind}-file`, content, place.env);
    return {
      rows,
      contestants: [...(await transfers(arena, kind, 'get', join(local.folder, name))), drayContestant(job, 1, 'dray run')],
      ...intoSameFile(local, await sha256Of(createReadStream(file))),
    };
  };
}

/** Brings a file to the S3 server by the SDK of Amazon and nothing else. @param key name of the object in the place */
export async function sdkPut(arena: Arena, file: string, key: string): Promise<Command> {
  const { prefix } = await arena.place('s3');
  const { options } = await storageOptions(arena, 's3');
  return { words: [process.execPath, program, 'sdk-put', file, `${prefix}${key}`], env: { DRAY_BENCH_STORAGE: JSON.stringify(options) } };
}

/** What brings a file there or back without an engine: the rival, and dray's storage. */
async function transfers(
  arena: Arena,
  kind: Remote,
  direction: 'put' | 'get',
  file: string,
): Promise<readonly [rival: Contestant, storage: Contestant]> {
  const { path, options } = await storageOptions(arena, kind);
  const transfer = (how: string) => ({
    words: [process.execPath, program, `${how}-${direction}`, file, path],
    env: { DRAY_BENCH_STORAGE: JSON.stringify(options) },
  });
  const storage = { title: `dray’s storage alone`, isRival: false, command: transfer(kind) };
  if (kind === 's3') return [{ title: 'the SDK of Amazon alone', isRival: true, command: transfer('sdk') }, storage];
  const order = direction === 'put' ? `put -f ${file} ${name}` : `get -f ${name} ${file}`;
  const sftp = {
    title: `sftp, ${direction} -f`,
    isRival: true,
    command: sftpCommand(await arena.place('sftp'), order),
    ...unlessInstalled('sftp'),
  };
  return [sftp, storage];
}

/** As dray's storages take them, and the path of the file there. */
async function storageOptions(arena: Arena, kind: Remote) {
  if (kind === 's3') {
    const { bucket, prefix, facts } = await arena.place('s3');
    const { endpoint, region, accessKeyId, secretAccessKey } = facts;
    return { path: `${prefix}${name}`, options: { endpoint, region, accessKeyId, secretAccessKey, bucket } };
  }
  const { folder, port, user, privateKey, knownHosts } = await arena.place('sftp');
  const options = { host: '127.0.0.1', port, username: user, privateKey: readFileSync(privateKey, 'utf8'), hostKey: { knownHosts } };
  return { path: `${folder}/${name}`, options };
}

async function bigFile(arena: Arena, rows: number): Promise<string> {
  const ready = await arena.copyFile({ fixture: orders, rows });
  return arena.made(name, async (path) => {
    for (let copy = 0; copy < copies; copy++) await pipeline(createReadStream(ready), createWriteStream(path, { flags: 'a' }));
  });
}
