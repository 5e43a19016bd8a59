import { EventEmitter, once } from 'node:events';
import type { Readable } from 'node:stream';
import type { Session } from './connection.ts';

/** So much is on its way at once: mysql2 copies what it is given, and writes it whether the socket has room or not. */
const pieceBytes = 256 * 1024;

/**
 * The file that LOAD DATA LOCAL asks for, while it is being made. mysql2 wants a stream, of which it uses the events and `pause` and `resume`; who calls `write` waits for
 * the socket here, which mysql2 does not.
 */
export class LocalFile extends EventEmitter {
  readonly #session: Session;
  readonly #asked: Promise<void>;
  #ask!: () => void;
  /** Since when the server is waited for, of `performance.now()`. */
  #pendingSince: number | undefined = performance.now();

  constructor(session: Session) {
    super();
    this.#session = session;
    this.#asked = new Promise((resolve) => {
      this.#ask = resolve;
    });
  }

  /** undefined: it is the server that waits, for the next bytes. */
  get pendingSince(): number | undefined {
    return this.#pendingSince;
  }

  /** What mysql2 is given as `infileStreamFactory`: the server asks for the file. */
  readonly factory = (): Readable => {
    // mysql2 listens as soon as it has it.
    setImmediate(this.#ask);
    return this as unknown as Readable;
  };

  /** Settles when the bytes are copied and the socket has room again. @param statement rejects when none is taken any more */
  async write(bytes: Buffer, statement: Promise<unknown>): Promise<void> {
    this.#pendingSince = performance.now();
    const failed = statement.then(() => {
      throw new Error('the server has ended LOAD DATA before its last row');
    });
    failed.catch(() => undefined);
    await Promise.race([this.#asked, failed]);
    const { socket } = this.#session;
    for (let from = 0; from < bytes.length; from += pieceBytes) {
      if (!socket.writable) await failed;
      this.emit('data', bytes.subarray(from, from + pieceBytes));
      if (socket.writableNeedDrain) await Promise.race([once(socket, 'drain'), failed]);
      this.#pendingSince = performance.now();
    }
    this.#pendingSince = undefined;
  }

  /** The file ends here; the statement has an answer now. */
  end(): void {
    this.#pendingSince = performance.now();
    this.emit('end');
  }

  pause(): void {}

  resume(): void {}
}
