import { setMaxListeners } from 'node:events';
import type { AgentOptions } from 'node:https';
import type { S3, S3ClientConfig } from '@aws-sdk/client-s3';
import { DrayError } from 'dray/sdk';
import { notS3, s3Fault } from './faults.ts';

export interface S3Options {
  /** URL of a server other than Amazon's. */
  readonly endpoint?: string;
  /** Absent: `us-east-1` with an endpoint, else what the environment and ~/.aws say. */
  readonly region?: string;
  readonly bucket: string;
  /** Without keys: environment, ~/.aws, the machine's role; in the SDK's order. */
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly sessionToken?: string;
  /** The bucket stands in the path, not before the host name. Absent: true with an endpoint. */
  readonly pathStyle?: boolean;
  /** Of an upload; what is in memory is this times concurrency + 1. Absent: 8 MiB. Amazon takes 5 MiB and more. */
  readonly partBytes?: number;
  /** Requests side by side for one file. Absent: 4. */
  readonly concurrency?: number;
  /** `when-supported` adds a CRC32 to each request; servers other than Amazon's refuse or ignore it. Each part has its MD5 anyway. */
  readonly requestChecksum?: 'when-required' | 'when-supported';
  /** Of a request that fails for a reason that may pass. Absent: 5. */
  readonly maxAttempts?: number;
  /** Of an https endpoint, as for node:https. */
  readonly tls?: Pick<AgentOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized' | 'servername' | 'checkServerIdentity'>;
}

interface Call {
  /** Completes the sentence "cannot …". */
  readonly doing: string;
  /** The file it is about. */
  readonly key?: string;
  /** Absent: the signal of the run. */
  readonly signal?: AbortSignal;
}

interface HowToSend {
  readonly abortSignal: AbortSignal;
}

/** Cleaning up goes on after the run was cancelled, but not for ever. */
const cleaningTimeoutMs = 30_000;

/** A bucket and the client that reaches it. */
export class Bucket {
  readonly name: string;
  readonly partBytes: number;
  readonly concurrency: number;
  /** Fires when the run is cancelled or the storage closed. */
  readonly signal: AbortSignal;
  /** True once an answer has told that the bucket exists. */
  isKnown = false;
  readonly #client: S3;
  readonly #server: string;
  readonly #ending: Ending;

  constructor(client: S3, options: S3Options, signal: AbortSignal) {
    this.#client = client;
    this.name = options.bucket;
    this.partBytes = options.partBytes ?? 8 * 1024 * 1024;
    this.concurrency = options.concurrency ?? 4;
    this.#server = options.endpoint === undefined ? 'Amazon S3' : new URL(options.endpoint).origin;
    this.#ending = endingAfter(signal);
    this.signal = this.#ending.signal;
  }

  nameOf(key: string): string {
    return `s3://${this.name}/${key}`;
  }

  /**
   * Sends a request and waits for what answers it, or for the signal.
   * @throws DrayError for what the server or the network say; the reason of the signal, once it has fired
   */
  async call<T>(call: Call, send: (client: S3, how: HowToSend) => Promise<T>): Promise<T> {
    try {
      return await this.request(call.signal ?? this.signal, send);
    } catch (error) {
      throw (call.signal ?? this.signal).aborted ? error : this.fault(error, call);
    }
  }

  /** The same, but throws what the SDK throws. */
  async request<T>(signal: AbortSignal, send: (client: S3, how: HowToSend) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    // The SDK looks at the signal while it sends, but neither while it waits for the next attempt nor while it looks for keys.
    return orAborted(send(this.#client, { abortSignal: signal }), signal);
  }

  fault(error: unknown, { doing, key }: Call): DrayError {
    return s3Fault(error, { doing, server: this.#server, bucket: this.name, ...(key === undefined ? {} : { place: this.nameOf(key) }) });
  }

  /** As `call`; but after the run was cancelled it still works, for 30 s. */
  async callAlways<T>(call: Call, send: (client: S3, how: HowToSend) => Promise<T>): Promise<T> {
    return this.signal.aborted ? this.clean(call, send) : this.call(call, send);
  }

  /** As `call`, with nothing but 30 s to end it: what is being removed when the run is cancelled should go. */
  async clean<T>(call: Call, send: (client: S3, how: HowToSend) => Promise<T>): Promise<T> {
    const signal = AbortSignal.timeout(cleaningTimeoutMs);
    try {
      return await this.call({ ...call, signal }, send);
    } catch (cause) {
      if (!signal.aborted) throw cause;
      const place = call.key === undefined ? {} : { place: this.nameOf(call.key) };
      throw new DrayError('CONNECTION_LOST', `cannot ${call.doing}: no answer within ${cleaningTimeoutMs / 1000} s`, { cause, ...place });
    }
  }

  /** Of an answer without what S3 always sends: a web server has been asked. */
  notS3({ doing, key = '' }: Call): DrayError {
    return new DrayError('FILE_FAILED', notS3(doing, this.#server), {
      place: this.nameOf(key),
      remedy: 'Check "endpoint" in the job file.',
    });
  }

  close(): void {
    this.#ending.end(new DrayError('INTERNAL', `${this.nameOf('')} was closed while it was in use`));
    this.#client.destroy();
  }
}

/** Loads the SDK (142 ms) and makes a client; nothing is sent. */
export async function openBucket(options: S3Options, signal: AbortSignal): Promise<Bucket> {
  const config = clientConfig(options);
  // The way of the SDK to say that it was told of its plans for Node 20: its version here is a fixed one.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const { S3: Client } = await import('@aws-sdk/client-s3');
  signal.throwIfAborted();
  return new Bucket(new Client(config), options, signal);
}

function clientConfig(options: S3Options): S3ClientConfig {
  const { endpoint, region, accessKeyId, secretAccessKey, sessionToken, tls } = options;
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    throw new DrayError('JOB_INVALID', '"accessKeyId" and "secretAccessKey" belong together: give both or none');
  }
  const hasEndpoint = endpoint !== undefined;
  if (hasEndpoint && !/^https?:\/\/[^@]+$/.test(endpoint)) {
    throw new DrayError('JOB_INVALID', '"endpoint" must be a URL with http:// or https://, and without a user name');
  }
  const checksums = options.requestChecksum === 'when-supported' ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED';
  const config: S3ClientConfig = {
    forcePathStyle: options.pathStyle ?? hasEndpoint,
    followRegionRedirects: !hasEndpoint,
    maxAttempts: options.maxAttempts ?? 5,
    requestChecksumCalculation: checksums,
    responseChecksumValidation: checksums,
    // With it the SDK makes a connection for each part, and without what `tls` says: https://github.com/smithy-lang/smithy-typescript/pull/1754
    expectContinueHeader: false,
    requestHandler: { connectionTimeout: 10_000, socketTimeout: 60_000, httpsAgent: { keepAlive: true, ...tls } },
  };
  if (hasEndpoint) config.endpoint = endpoint;
  if (region !== undefined || hasEndpoint) config.region = region ?? 'us-east-1';
  if (accessKeyId !== undefined && secretAccessKey !== undefined) {
    config.credentials = { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
  }
  return config;
}

/** A signal that fires with another one, or by `end`. */
export interface Ending {
  readonly signal: AbortSignal;
  end(reason: unknown): void;
}

/** AbortSignal.any would do, but a long-lived signal keeps all that was ever made of it: https://github.com/nodejs/node/issues/64476 */
export function endingAfter(signal: AbortSignal): Ending {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  const follow = () => controller.abort(signal.reason);
  if (signal.aborted) follow();
  else signal.addEventListener('abort', follow, { once: true });
  return {
    signal: controller.signal,
    end(reason) {
      signal.removeEventListener('abort', follow);
      controller.abort(reason);
    },
  };
}

function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    work
      .finally(() => signal.removeEventListener('abort', stop))
      .then(resolve, (error: unknown) => reject(signal.aborted ? signal.reason : error));
  });
}
