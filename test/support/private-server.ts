import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Who runs a server: empty for "whoever we are". */
export type ServerOwner = { readonly uid: number; readonly gid: number } | Record<string, never>;

/** A database server of our own in a temporary folder; ends and vanishes with this process, however that ends. */
export interface PrivateServer {
  /** The folder for data, socket and so on; only the server's owner and root can enter. */
  readonly folder: string;
  /** Lets the server begin, once. Returns at once: the caller polls until the server answers or `hasEnded`. */
  begin(commands: PrivateServerCommands): void;
  /** True once the server has ended, by itself or by `stop`. */
  hasEnded(): boolean;
  /** Ends the server, waits for that, removes its folder. Returns the last lines of its log. May be called again. */
  stop(): Promise<string>;
}

/** Programs and their arguments, without line feeds; both run in the folder. */
export interface PrivateServerCommands {
  /** Fills the folder; runs to its end before `serve`. */
  readonly prepare: readonly string[];
  /** The server, which stays in the foreground. */
  readonly serve: readonly string[];
}

/*
 * A shell in a session of its own reads the two commands from our pipe, starts the server and goes on reading. The pipe
 * closes when we stop the server, and equally when this process exits, throws or is killed (SIGKILL too): one way out
 * for all cases, without exit hooks or signal listeners in this process. The signal is repeated because a shell starts
 * background jobs with SIGQUIT ignored: a server that is not far enough to have its own listener would miss the only one.
 */
const GUARD = `
exec 3<&0 </dev/null
cd "$FOLDER" || exit 1
if read -r prepare <&3 && read -r serve <&3 && eval "$prepare" >>log 2>&1 3<&-; then
  eval "exec $serve" >>log 2>&1 3<&- &
  server=$!
  (
    while read -r _; do :; done
    n=0
    while kill -s "$END_SIGNAL" "$server"; do
      n=$((n + 1)); [ $n -lt 100 ] || END_SIGNAL=KILL
      sleep 0.1
    done
  ) <&3 >/dev/null 2>&1 &
  watcher=$!
  exec 3<&-
  wait "$server"
  kill "$watcher" 2>/dev/null
fi
[ ! -e log ] || tail -n 40 log
cd /
rm -rf "$FOLDER"
`;

/**
 * The user that runs a server which refuses to run as root: `name` if this machine has it, else nobody.
 * Ordinary users run their servers themselves.
 */
export function serverOwner(name: string): ServerOwner {
  if (process.getuid?.() !== 0) return {};
  const idOf = (flag: string, user: string): number =>
    Number(execFileSync('id', [flag, user], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  try {
    return { uid: idOf('-u', name), gid: idOf('-g', name) };
  } catch {
    return { uid: idOf('-u', 'nobody'), gid: idOf('-g', 'nobody') };
  }
}

/** Makes `owner` the owner of a file or folder; nothing to do for an ordinary user. */
export function giveTo(owner: ServerOwner, path: string): void {
  if (owner.uid !== undefined) chownSync(path, owner.uid, owner.gid);
}

/**
 * Makes the folder and what guards it; `begin` starts the server.
 *
 * @param prefix of the folder's name
 * @param endSignal ends the server at once: its data are thrown away, nothing needs to be flushed
 */
export function openPrivateServer(prefix: string, owner: ServerOwner, endSignal: 'QUIT' | 'KILL' | 'TERM'): PrivateServer {
  // Synchronous up to spawn: a process that ends in between would leave the folder.
  const folder = mkdtempSync(join(tmpdir(), prefix));
  giveTo(owner, folder);
  const guard = spawn('/bin/sh', ['-c', GUARD], {
    ...owner,
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'pipe', 'ignore'],
    // Nothing else of our environment: PG*, MYSQL* and locale variables would change how a server behaves.
    env: {
      PATH: `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`,
      LC_ALL: 'C',
      TMPDIR: folder,
      FOLDER: folder,
      END_SIGNAL: endSignal,
    },
  });
  let logTail = '';
  let ended = false;
  guard.stdout.setEncoding('utf8').on('data', (text: string) => {
    logTail += text;
  });
  const closed = once(guard, 'close').catch((cause: unknown) => {
    logTail += String(cause);
  });
  const finished = closed.then(async () => {
    ended = true;
    guard.stdin.destroy();
    // The guard may not delete the folder itself where the temporary folder belongs to someone else.
    await rm(folder, { recursive: true, force: true });
  });
  // EPIPE if the guard ended first, which hasEnded() tells.
  guard.stdin.on('error', () => {});
  // A forgotten stop() must not keep this process alive.
  guard.unref();
  for (const pipe of [guard.stdin, guard.stdout]) if (pipe instanceof Socket) pipe.unref();

  return {
    folder,
    begin: ({ prepare, serve }) => {
      guard.stdin.write(`${shellWords(prepare)}\n${shellWords(serve)}\n`);
    },
    hasEnded: () => ended,
    async stop() {
      guard.ref();
      if (guard.stdout instanceof Socket) guard.stdout.ref();
      guard.stdin.end();
      await finished;
      return logTail.trim();
    },
  };
}

function shellWords(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
}
