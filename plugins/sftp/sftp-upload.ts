import { DrayError } from 'dray/sdk';
import type { Attributes } from 'ssh2-sftp-client';
import { folderOf, inFolder, nameIn, temporaryName } from '../_files/storage/paths.ts';
import type { Receipt, Upload } from '../_files/storage/storage.ts';
import type { Connection } from './connection.ts';
import { isLost, leastRequestBytes, offers, openFlags } from './faults.ts';
import { removeFile, writeFault } from './files.ts';
import { kindOf } from './listing.ts';
import type { Session } from './session.ts';

/** What one WRITE carries; 16 of them fill the channel window of OpenSSH. */
const requestBytes = 128 * 1024;
export const writeAheadBytes = 2 * 1024 * 1024;

interface Block {
  readonly memory: Buffer;
  length: number;
  /** Over the connection that there is now. */
  isSent: boolean;
}

/**
 * A file that is written under a hidden name beside its own, with up to 2 MB of WRITE requests under way. Their bytes are kept until the server
 * has acknowledged them: after a lost connection they are sent again, each to its place in the file, and the upload goes on.
 */
export class SftpUpload implements Upload {
  readonly #session: Session;
  readonly #path: string;
  readonly #name: string;
  readonly #temporary: string;
  #connection: Connection;
  /** undefined once it is closed: the server gives the same handle to the next file. */
  #handle: Buffer | undefined;
  /** Not yet acknowledged, by their offsets, ascending. */
  readonly #blocks = new Map<number, Block>();
  readonly #most: number;
  /** How many of them may be under way. After a loss one, and one more for each acknowledgement: even a connection that soon breaks brings it further. */
  #allowed: number;
  #underWay = 0;
  readonly #free: Buffer[] = [];
  readonly #blockBytes: number;
  #filling: Block | undefined;
  #takenBytes = 0;
  /** Why the connection ended, until there is another one. */
  #lost: DrayError | undefined;
  /** Connections in a row without a single acknowledgement. */
  #failures = 0;
  #fault: unknown;
  #wake: (() => void) | undefined;

  /** @param name of the file for people */
  static async begin(session: Session, path: string, name: string): Promise<SftpUpload> {
    const temporary = temporaryPath(path);
    return session.retrying(async (connection) => {
      // Made anew, so that nobody can have put a link there to have us write elsewhere.
      await removeFile(connection, temporary, { verb: 'write', name });
      const flags = openFlags.write | openFlags.create | openFlags.exclusive;
      try {
        const handle = await connection.request<Buffer>((sftp, done) => sftp.open(temporary, flags, done));
        return new SftpUpload(session, path, name, connection, handle);
      } catch (error) {
        throw await writeFault(error, { verb: 'write', name }, connection, folderOf(path));
      }
    });
  }

  private constructor(session: Session, path: string, name: string, connection: Connection, handle: Buffer) {
    this.#session = session;
    this.#path = path;
    this.#name = name;
    this.#temporary = temporaryPath(path);
    this.#connection = connection;
    this.#handle = handle;
    this.#blockBytes = Math.min(requestBytes, connection.sftp._maxWriteLen ?? leastRequestBytes);
    this.#most = Math.max(1, Math.floor(writeAheadBytes / this.#blockBytes));
    this.#allowed = this.#most;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#explained(async () => {
      for (let from = 0; from < bytes.length; ) {
        this.#filling ??= { memory: this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#blockBytes), length: 0, isSent: false };
        const { memory, length } = this.#filling;
        const part = bytes.subarray(from, from + memory.length - length);
        memory.set(part, length);
        this.#filling.length += part.length;
        from += part.length;
        if (this.#filling.length === memory.length) await this.#sendFilled();
      }
    });
  }

  async finish(): Promise<Receipt> {
    await this.#explained(async () => {
      if (this.#filling !== undefined) await this.#sendFilled();
      for (;;) {
        while (this.#blocks.size > 0 || this.#lost !== undefined) await this.#progress();
        try {
          return await this.#settle();
        } catch (error) {
          if (!isLost(error)) throw error;
          this.#lost = error;
        }
      }
    });
    return { path: this.#path, bytes: this.#takenBytes, temporary: nameIn(this.#temporary) };
  }

  async abort(): Promise<void> {
    this.#fault ??= new DrayError('CANCELLED', `${this.#name} is no longer written`, { place: this.#name });
    await this.#session.tidying(async (connection) => {
      if (connection === this.#connection) await this.#closeHandle().catch(() => undefined);
      await removeFile(connection, this.#temporary, { verb: 'remove', name: this.#name });
    });
  }

  async #sendFilled(): Promise<void> {
    while (this.#blocks.size >= this.#most || this.#lost !== undefined) await this.#progress();
    const block = this.#filling!;
    this.#filling = undefined;
    this.#blocks.set(this.#takenBytes, block);
    this.#takenBytes += block.length;
    this.#sendAllowed();
  }

  #sendAllowed(): void {
    for (const [offset, block] of this.#blocks) {
      if (this.#underWay >= this.#allowed || this.#fault !== undefined) return;
      if (!block.isSent) this.#send(offset, block);
    }
  }

  #send(offset: number, block: Block): void {
    const connection = this.#connection;
    const handle = this.#handle!;
    block.isSent = true;
    this.#underWay++;
    connection
      .request<unknown>((sftp, done) => sftp.write(handle, block.memory, 0, block.length, offset, done))
      .then(
        () => {
          this.#blocks.delete(offset);
          this.#free.push(block.memory);
          this.#failures = 0;
          this.#underWay--;
          this.#allowed = Math.min(this.#allowed + 1, this.#most);
          this.#sendAllowed();
        },
        (error: unknown) => {
          if (!isLost(error)) this.#fault ??= error;
          else if (connection === this.#connection) this.#lost = error;
        },
      )
      .finally(() => this.#wake?.());
  }

  /** Waits until the server has answered, or goes on over a new connection. */
  async #progress(): Promise<void> {
    if (this.#fault !== undefined) throw this.#fault;
    if (this.#lost !== undefined) return this.#resume(this.#lost);
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    if (this.#fault !== undefined) throw this.#fault;
  }

  async #resume(lost: unknown): Promise<void> {
    for (let error = lost; ; ) {
      await this.#session.afterLoss(error, ++this.#failures);
      try {
        const connection = await this.#session.connection();
        const handle = await connection.request<Buffer>((sftp, done) => sftp.open(this.#temporary, openFlags.write, done));
        const { size = 0 } = await connection.request<Attributes>((sftp, done) => sftp.fstat(handle, done));
        const [acknowledged = this.#takenBytes] = this.#blocks.keys();
        if (size < acknowledged) throw this.#wrongSize(size, acknowledged);
        this.#connection = connection;
        this.#handle = handle;
        this.#lost = undefined;
        this.#allowed = 1;
        this.#underWay = 0;
        for (const block of this.#blocks.values()) block.isSent = false;
        this.#sendAllowed();
        return;
      } catch (failure) {
        if (!isLost(failure)) throw failure;
        error = failure;
      }
    }
  }

  /** On the disk of the server, where it has fsync@openssh.com (OpenSSH's PROTOCOL, section 4.6); and as long as it must be. */
  async #settle(): Promise<void> {
    const handle = this.#handle!;
    const connection = this.#connection;
    if (offers(connection.sftp, 'fsync@openssh.com')) await connection.request((sftp, done) => sftp.ext_openssh_fsync(handle, done));
    await this.#closeHandle();
    const attributes = await connection.request<Attributes>((sftp, done) => sftp.lstat(this.#temporary, done));
    if (kindOf(attributes) !== 'file' || attributes.size !== this.#takenBytes)
      throw this.#wrongSize(attributes.size ?? 0, this.#takenBytes);
  }

  async #closeHandle(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    if (handle !== undefined) await this.#connection.request((sftp, done) => sftp.close(handle, done));
  }

  #wrongSize(size: number, written: number): DrayError {
    return new DrayError('FILE_FAILED', `${this.#name} has ${size} bytes at the server after it had accepted ${written}`, {
      place: this.#name,
      remedy: 'Look into the log of the server: it lost bytes, or something else wrote the file.',
    });
  }

  async #explained(work: () => Promise<void>): Promise<void> {
    try {
      if (this.#fault !== undefined) throw this.#fault;
      await work();
    } catch (error) {
      this.#fault ??= error;
      this.#fault = await writeFault(this.#fault, { verb: 'write', name: this.#name }, this.#connection, folderOf(this.#path));
      throw this.#fault;
    }
  }
}

function temporaryPath(path: string): string {
  return inFolder(folderOf(path), temporaryName(nameIn(path)));
}
