/** The parts of ssh2-sftp-client 12.1.1, and of ssh2 1.17 below it, that are used; neither brings types. */
declare module 'ssh2-sftp-client' {
  import type { EventEmitter } from 'node:events';
  import type { Socket } from 'node:net';

  type Done<T = void> = (error: Error | null | undefined, value?: T) => void;

  /** draft-ietf-secsh-filexfer-02, section 5: every field is optional. */
  export interface Attributes {
    readonly mode?: number;
    readonly size?: number;
    readonly mtime?: number;
  }

  export interface ListedName {
    readonly filename: string;
    /** A line as of `ls -l`; only its first character is dependable. */
    readonly longname: string;
    readonly attrs: Attributes;
  }

  /** statvfs(3); counts of blocks and of inodes. */
  export interface FileSystem {
    readonly f_frsize: number;
    readonly f_bavail: number;
    readonly f_files: number;
    readonly f_favail: number;
  }

  /** ssh2's SFTP channel. Errors of requests carry the status code of section 7 as a number in `code`. */
  export interface SftpChannel extends EventEmitter {
    /** Longest READ and WRITE that is sent as one request: from limits@openssh.com, else 32 kB less overhead. Private, hence perhaps absent. */
    readonly _maxReadLen?: number;
    readonly _maxWriteLen?: number;
    /** Names and versions that the server offers. Private; the ext_… calls throw for what is not in it. */
    readonly _extensions?: Readonly<Record<string, string>>;
    open(path: string, flags: number, done: Done<Buffer>): void;
    close(handle: Buffer, done: Done): void;
    /** Fills `buffer` from `offset`; `done` gets the number of bytes, 0 at the end of the file. */
    read(handle: Buffer, buffer: Buffer, offset: number, length: number, position: number, done: Done<number>): void;
    /** Copies the bytes before it returns, if they fit one request. */
    write(handle: Buffer, buffer: Buffer, offset: number, length: number, position: number, done: Done<unknown>): void;
    fstat(handle: Buffer, done: Done<Attributes>): void;
    stat(path: string, done: Done<Attributes>): void;
    lstat(path: string, done: Done<Attributes>): void;
    readdir(path: string, done: Done<ListedName[]>): void;
    mkdir(path: string, done: Done): void;
    unlink(path: string, done: Done): void;
    rename(from: string, to: string, done: Done): void;
    realpath(path: string, done: Done<string>): void;
    ext_openssh_rename(from: string, to: string, done: Done): void;
    ext_openssh_fsync(handle: Buffer, done: Done): void;
    ext_openssh_statvfs(path: string, done: Done<FileSystem>): void;
  }

  export interface ConnectConfig {
    readonly sock: Socket;
    readonly host: string;
    readonly port: number;
    readonly username: string;
    readonly password?: string;
    readonly privateKey?: string;
    readonly passphrase?: string;
    readonly agent?: string;
    readonly tryKeyboard: boolean;
    readonly readyTimeout: number;
    readonly keepaliveInterval: number;
    readonly keepaliveCountMax: number;
    readonly algorithms?: { readonly serverHostKey: readonly string[] };
    readonly hostVerifier: (key: Buffer) => boolean;
  }

  /** ssh2's Client. */
  interface SshClient extends EventEmitter {
    end(): void;
  }

  export default class SftpClient {
    constructor(name: string, listeners: { error(error: Error): void; end(): void; close(): void });
    readonly client: SshClient;
    connect(config: ConnectConfig): Promise<SftpChannel>;
  }
}
