/** Which end of a job an error belongs to; decides between exit code 3 and 4. */
export type Side = 'source' | 'target';

interface ErrorKind {
  /** Process exit code; 'side' means 3 for the source and 4 for the target. */
  readonly exit: 1 | 2 | 5 | 6 | 7 | 130 | 'side';
  /** True where the same call may succeed when it is made again. */
  readonly isRetryable?: true;
  /** What the user can do about it, as an imperative sentence. */
  readonly remedy: string;
}

/**
 * Every error dray can report. The code is stable and meant for scripts; exit codes are the ones listed by `dray --help`.
 * A plugin throws `new DrayError(code, sentence, …)`; the framework fills in which side and which task it was.
 */
export const errorKinds = {
  INTERNAL: { exit: 1, remedy: 'This is a bug in dray or in a plugin: report it with the text above; DRAY_DEBUG=1 prints the stack.' },
  USAGE: { exit: 2, remedy: 'Run `dray --help` to see the commands and their options.' },
  JOB_UNREADABLE: { exit: 2, remedy: 'Check the path of the job file and the rights on it.' },
  JOB_SYNTAX: { exit: 2, remedy: 'Mend the JSON at that place; comments and trailing commas are allowed.' },
  JOB_INVALID: { exit: 2, remedy: 'Mend the job file; `dray template -r READER -w WRITER` prints one that is right.' },
  JOB_UNKNOWN_KEY: { exit: 2, remedy: 'Correct or remove the key, or pass --lenient to run with a warning instead.' },
  JOB_VARIABLE: { exit: 2, remedy: 'Pass it with -p name=value, or set it in the environment.' },
  PLUGIN_UNKNOWN: { exit: 2, remedy: 'Run `dray plugins` to list the names; a plugin of your own is named by its path or package.' },
  PLUGIN_BROKEN: {
    exit: 2,
    remedy: 'Mend the plugin: its module must export the result of defineReader, defineWriter or defineTransformer.',
  },
  CODE_FAILED: { exit: 2, remedy: 'Mend "code" of the transformer, or give it more time or memory.' },
  CONNECT_FAILED: {
    exit: 'side',
    isRetryable: true,
    remedy: 'Check the host and port, that the server is up, and that this machine may reach it.',
  },
  LOGIN_REFUSED: { exit: 'side', remedy: 'Check the user name and password, and that this user may log in from this machine.' },
  HOST_KEY_REFUSED: { exit: 'side', remedy: 'Ask who runs the server for the fingerprint of its key, and put it into "hostKey".' },
  TLS_FAILED: { exit: 'side', remedy: 'Check the certificate and "tls" in the job file: "ca" names the authority that signed it.' },
  CONNECTION_LOST: { exit: 'side', isRetryable: true, remedy: 'Run the job again; look into the log of the server if it happens twice.' },
  CONFLICT: { exit: 'side', isRetryable: true, remedy: 'Find out what else locks these rows, or run the job when it does not.' },
  SERVER_BUSY: { exit: 'side', isRetryable: true, remedy: 'Run the job again when the server has room, or with fewer channels.' },
  COMMIT_UNKNOWN: {
    exit: 'side',
    remedy: 'Look whether the rows of this task are there; with job.setting.guarantee "exactly-once" the next attempt finds out by itself.',
  },
  FENCED: { exit: 'side', remedy: 'Nothing: a later attempt of this task has taken over, and nothing of this one remains.' },
  GUARANTEE_IMPOSSIBLE: {
    exit: 'side',
    remedy: 'Mend what is missing, or set job.setting.guarantee to "exactly-once-if-possible" or "at-least-once".',
  },
  SNAPSHOT_REFUSED: { exit: 'side', remedy: 'Grant what is missing, or set job.setting.snapshot to "per-task".' },
  SNAPSHOT_LOST: { exit: 'side', remedy: 'Run the job again: `dray resume` goes on with a new snapshot, and says so.' },
  SCHEMA_CHANGED: { exit: 'side', remedy: 'Run the job again when nobody changes the table.' },
  ROLLBACK_IMPOSSIBLE: { exit: 'side', remedy: 'Load the table again from its source.' },
  WORKER_DIED: { exit: 1, isRetryable: true, remedy: 'Run the job again; with more memory, or fewer channels, if it was out of memory.' },
  POISON_TASK: {
    exit: 1,
    remedy: 'This split kills the thread that reads it, which is a bug in dray, in a plugin or in a driver: report it.',
  },
  BENCH_FAILED: { exit: 1, remedy: 'Mend it until it runs by itself, then measure it.' },
  STATE_UNUSABLE: { exit: 2, remedy: 'Give a folder that you may write to, with --state-dir or DRAY_STATE_DIR.' },
  RUN_UNKNOWN: { exit: 2, remedy: 'List the runs with `dray runs`.' },
  RUN_NOT_RESUMABLE: { exit: 2, remedy: 'Start the job anew with `dray run`.' },
  RUN_ENDED: { exit: 2, remedy: 'Look at it with `dray status` or `dray log`; `dray resume` goes on with a run that was not done.' },
  REPORT_MISSING: {
    exit: 2,
    remedy: 'Wait until the run has ended; only runs of `dray serve` have a report kept. `dray log` tells of all.',
  },
  RUN_TAKEN_OVER: { exit: 1, remedy: 'Nothing: another process goes on with this run; `dray runs` shows it.' },
  DATABASE_MISSING: { exit: 'side', remedy: 'Check the database name at the end of jdbcUrl.' },
  TABLE_MISSING: { exit: 'side', remedy: 'Check the table name, its schema and its case, or create the table.' },
  COLUMN_MISSING: { exit: 'side', remedy: 'Check the names in "column".' },
  SHARDS_DIFFER: {
    exit: 'side',
    remedy:
      'Give the tables the same columns, name in "column" what all of them have, or set "shards": {"columns": "common"} or {"columns": "fill-null"}.',
  },
  SHARDS_COLLIDE: {
    exit: 'side',
    remedy: 'Make the keys distinct, or deliver where a row comes from with "shards": {"collisions": "add-shard"}.',
  },
  COLUMN_COUNT: { exit: 2, remedy: 'List the same number of columns in the reader and in the writer, in the same order.' },
  TYPE_UNSUPPORTED: { exit: 'side', remedy: 'Cast the column to text in "column" of the reader, or leave it out.' },
  PERMISSION_DENIED: { exit: 'side', remedy: 'Grant the right to the user of the job.' },
  SQL_FAILED: { exit: 'side', remedy: 'Run the statement by hand on that server to see what it says.' },
  PATH_MISSING: { exit: 'side', remedy: 'Check the path; patterns may use * and ?.' },
  FILE_FAILED: { exit: 'side', remedy: 'Check the rights on the file and on its folder.' },
  FILE_EXISTS: { exit: 'side', remedy: 'Remove the files, choose another fileName, or use writeMode "truncate" or "append".' },
  FILE_BROKEN: { exit: 'side', remedy: 'Fetch the file again from where it was made; none of its rows were committed.' },
  FILES_NOT_READY: { exit: 7, remedy: 'Wait until the other side has finished, or let the job wait with "ready": {"waitMinutes": N}.' },
  FILE_MISSING: { exit: 6, remedy: 'Have the set sent again, whole; nothing of it was loaded.' },
  FILE_UNLISTED: { exit: 6, remedy: 'Find out who put the file there, and remove it or have the set made again; nothing was loaded.' },
  FILE_SIZE: { exit: 6, remedy: 'Fetch the file again from where it was made; nothing was loaded.' },
  FILE_DIGEST: { exit: 6, remedy: 'Fetch the file again from where it was made; nothing was loaded.' },
  FILE_STALE: { exit: 6, remedy: 'Fetch the file and its sidecar again, together; nothing was loaded.' },
  FILE_FORGED: { exit: 6, remedy: 'Fetch the sidecars, the manifest and _SUCCESS again; if that does not help, have the set made again.' },
  SIGNATURE_WRONG: { exit: 6, remedy: 'Check "signatureKey" on both sides; if they are right, somebody else has made this set.' },
  FILE_CHANGED: { exit: 6, remedy: 'Let nothing write into the folder while it is read, and run the job again.' },
  ROWS_DIFFER: { exit: 6, remedy: 'Read the file with the options it was written with; its bytes are what they were.' },
  KEY_WRONG: { exit: 'side', remedy: 'Check "encryptionKey": it must be the key with which the file was written.' },
  CIPHER_BROKEN: { exit: 6, remedy: 'Fetch the file again from where it was made; what was decrypted was not loaded.' },
  DISK_FULL: { exit: 'side', remedy: 'Free space there and run the job again; its unfinished files are removed.' },
  ROW_REJECTED: { exit: 'side', remedy: 'Mend the row at the source, or allow dirty records with job.setting.errorLimit.' },
  NOT_STRAIGHT: { exit: 'side', remedy: 'Nothing: the task starts again, batch by batch, so that the row can be found.' },
  DIRTY_LIMIT: {
    exit: 5,
    remedy: 'Mend the rows named above, or allow for them with job.setting.errorLimit {"record": N} or {"percentage": 0.01}.',
  },
  NO_SERVER: { exit: 2, remedy: 'Start one with `dray serve`, on the same state folder (--state-dir, DRAY_STATE_DIR).' },
  SERVER_EXISTS: { exit: 2, remedy: 'Use that one, with `dray submit` and `dray status`; or stop it first.' },
  SERVER_STOPPED: {
    exit: 130,
    remedy: 'Start the server again: `dray serve --resume` goes on with what it left, `dray resume RUN` with one run.',
  },
  PORT_UNUSABLE: { exit: 2, remedy: 'Choose another one: --port N; 0 takes any that is free.' },
  REQUEST_REFUSED: { exit: 2, remedy: 'Send the token that stands in server.json of the state folder: Authorization: Bearer TOKEN.' },
  REQUEST_TOO_BIG: { exit: 2, remedy: 'Keep what the job needs in its file, and submit the path of that.' },
  CANCELLED: { exit: 130, remedy: 'Run the job again when you are ready.' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorKinds;

export interface ErrorFacts {
  /** The error this one explains; attached, never re-worded. */
  readonly cause?: unknown;
  readonly side?: Side;
  /** Where it happened: job file line, table, column, split, file. Never a cell's value. */
  readonly place?: string;
  /** Replaces the remedy of the code where a better one is known. */
  readonly remedy?: string;
  /** With ROW_REJECTED: index within the batch of the row that was refused, if the target says so. A hint; it is verified. */
  readonly row?: number;
  /** With ROW_REJECTED: name of the column that was refused, if known. */
  readonly column?: string;
}

/** What crosses a thread or goes into the JSON report: structured clone and JSON drop classes and own properties of errors. */
export interface ErrorWire {
  readonly code: ErrorCode;
  readonly message: string;
  readonly side?: Side;
  readonly place?: string;
  readonly remedy: string;
  readonly stack?: string;
}

/** The one error class. `message` is a sentence: what failed, on what. */
export class DrayError extends Error {
  override readonly name = 'DrayError';
  readonly code: ErrorCode;
  readonly side: Side | undefined;
  readonly place: string | undefined;
  readonly remedy: string;
  readonly row: number | undefined;
  readonly column: string | undefined;

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.side = facts.side;
    this.place = facts.place;
    this.remedy = facts.remedy ?? errorKinds[code].remedy;
    this.row = facts.row;
    this.column = facts.column;
  }

  get isRetryable(): boolean {
    const kind: ErrorKind = errorKinds[this.code];
    return kind.isRetryable === true;
  }

  get exitCode(): number {
    const { exit } = errorKinds[this.code];
    if (exit !== 'side') return exit;
    return this.side === 'target' ? 4 : 3;
  }

  /** The same error with what the caller knows and the thrower did not; facts already there win. */
  at(facts: { side?: Side; place?: string }): DrayError {
    const side = this.side ?? facts.side;
    const place = this.place ?? facts.place;
    if (side === this.side && place === this.place) return this;
    const error = new DrayError(this.code, this.message, {
      cause: this.cause,
      remedy: this.remedy,
      ...(side === undefined ? {} : { side }),
      ...(place === undefined ? {} : { place }),
      ...(this.row === undefined ? {} : { row: this.row }),
      ...(this.column === undefined ? {} : { column: this.column }),
    });
    if (this.stack !== undefined) error.stack = this.stack;
    return error;
  }

  toWire(): ErrorWire {
    return {
      code: this.code,
      message: this.message,
      remedy: this.remedy,
      ...(this.side === undefined ? {} : { side: this.side }),
      ...(this.place === undefined ? {} : { place: this.place }),
      ...(this.stack === undefined ? {} : { stack: this.stack }),
    };
  }

  static fromWire(wire: ErrorWire): DrayError {
    const { side, place } = wire;
    const error = new DrayError(wire.code, wire.message, {
      remedy: wire.remedy,
      ...(side === undefined ? {} : { side }),
      ...(place === undefined ? {} : { place }),
    });
    if (wire.stack !== undefined) error.stack = wire.stack;
    return error;
  }
}

/** Any thrown value as a DrayError; what nobody classified is INTERNAL. */
export function asDrayError(thrown: unknown, facts: { side?: Side; place?: string } = {}): DrayError {
  if (thrown instanceof DrayError) return thrown.at(facts);
  if (isForeignDrayError(thrown)) return DrayError.fromWire(thrown.toWire()).at(facts);
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const error = new DrayError('INTERNAL', message || 'an error without a message', { cause: thrown, ...facts });
  if (thrown instanceof Error && thrown.stack !== undefined) error.stack = thrown.stack;
  return error;
}

/** A plugin may bring a copy of the SDK of its own, whose class is another one. */
function isForeignDrayError(thrown: unknown): thrown is DrayError {
  return (
    thrown instanceof Error && thrown.name === 'DrayError' && 'code' in thrown && String(thrown.code) in errorKinds && 'toWire' in thrown
  );
}
