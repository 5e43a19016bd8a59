import { createReadStream } from 'node:fs';
import { basename, dirname, extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DrayError } from '../sdk/index.ts';

/** A job file, wherever it came from. */
export interface JobSource {
  /** What messages call it, and where a run that is resumed looks for it again: a path, a URL without its password, or `-`. */
  readonly file: string;
  /** Name of the job: that of the file without folder and extension. */
  readonly name: string;
  /** Folder from which the paths in it count: its own, or the working directory. */
  readonly folder: string;
  readonly text: string;
  /** What must not be printed: the password of a URL. */
  readonly secrets: readonly string[];
}

/** A job file is written by people. */
const maxBytes = 16 * 1024 * 1024;
const timeoutMs = 20_000;

const isWeb = (given: string) => /^https?:\/\//i.test(given);

/** Name of the job that `given` leads to, also where it cannot be read. */
export function jobNameOf(given: string): string {
  if (given === '-') return 'stdin';
  const path = isWeb(given) && URL.canParse(given) ? new URL(given).pathname.replace(/\/+$/, '') : given;
  return basename(path, extname(path)) || 'job';
}

/**
 * Reads a job file: a path, a `file://`, `http://` or `https://` URL, or `-` for standard input.
 * @throws DrayError JOB_UNREADABLE
 */
export async function readJobSource(given: string): Promise<JobSource> {
  if (given === '-') return { file: '-', name: 'stdin', folder: process.cwd(), text: await standardInput(), secrets: [] };
  if (isWeb(given)) return fromWeb(given);
  const path = /^file:/i.test(given) ? pathOf(given) : given;
  let text: string;
  try {
    text = await textOf(createReadStream(path), tooBig);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : reasonOf(cause);
    throw new DrayError('JOB_UNREADABLE', `cannot read the job file ${path}: ${reason}`, { cause });
  }
  return { file: path, name: jobNameOf(path), folder: dirname(resolve(path)), text, secrets: [] };
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new DrayError('JOB_UNREADABLE', `cannot read the job file ${url}: ${(cause as Error).message}`, {
      cause,
      remedy: 'Write a file URL as file:///folder/job.json.',
    });
  }
}

async function fromWeb(given: string): Promise<JobSource> {
  if (!URL.canParse(given)) throw unfetched(given.replace(/\/\/[^/@]*@/, '//'), 'it is not a URL');
  const url = new URL(given);
  const { username, password } = url;
  // fetch refuses them within a URL.
  url.username = '';
  url.password = '';
  const file = url.href;
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const headers: Record<string, string> = { accept: 'application/json, text/plain;q=0.9, */*;q=0.1' };
  if (username !== '') headers.authorization = `Basic ${Buffer.from(login).toString('base64')}`;
  let text: string;
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(timeoutMs) });
    if (!response.ok) {
      await response.body?.cancel();
      throw unfetched(file, `the server answers ${response.status} ${response.statusText}`.trimEnd());
    }
    text = await textOf((response.body ?? []) as AsyncIterable<Uint8Array>, tooBig);
  } catch (cause) {
    if (cause instanceof DrayError) throw cause;
    throw unfetched(file, reasonOf(cause), cause);
  }
  return { file, name: jobNameOf(file), folder: process.cwd(), text, secrets: password === '' ? [] : [decodeURIComponent(password)] };
}

const tooBig = new Error(`it has more than ${maxBytes / 1024 / 1024} MB, which no job file has`);

/** All of it, unless that is too much: a device may never end. */
async function textOf(pieces: AsyncIterable<Uint8Array>, tooMuch: Error): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of pieces) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooMuch;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function unfetched(file: string, reason: string, cause?: unknown): DrayError {
  return new DrayError('JOB_UNREADABLE', `cannot fetch the job file ${file}: ${reason}`, {
    cause,
    remedy: 'Check the URL, and that this machine may fetch it; or save the job as a file and give its path.',
  });
}

function reasonOf(error: unknown): string {
  const { name, message, cause } = error as Error;
  if (name === 'TimeoutError') return `no answer within ${timeoutMs / 1000} seconds`;
  return cause instanceof Error && cause.message !== '' ? cause.message : message;
}

let input: Promise<string> | undefined;

/** Can be read once only, and is asked for again by what looks at the job twice. */
function standardInput(): Promise<string> {
  input ??= readInput();
  return input;
}

async function readInput(): Promise<string> {
  const tooMuch = new DrayError('JOB_UNREADABLE', `standard input has more than ${maxBytes / 1024 / 1024} MB, which no job file has`, {
    remedy: 'Pipe a job file into it: dray run - < job.json',
  });
  return textOf(process.stdin as AsyncIterable<Buffer>, tooMuch);
}
