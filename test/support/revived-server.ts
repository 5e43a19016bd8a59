import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A server that comes back by itself after it was killed, on the same port and with its data. */
export interface Killable {
  /** Ends the server by SIGKILL, as a crash does; it begins again after so many seconds, and is not waited for. */
  kill(downSeconds: number): void;
}

/*
 * Runs its arguments, again and again. Its own end, by SIGTERM, takes the server with it. On one line, as `begin` wants it.
 */
const REVIVE = [
  'trap \'kill -s KILL "$child" 2>/dev/null; exit 0\' TERM',
  'while :; do "$@" & child=$!',
  'echo "$child" >server.pid',
  'wait "$child"',
  'pause=$(cat pause 2>/dev/null || echo 0.2)',
  'sleep "$pause" & wait $!',
  'done',
].join('; ');

/** The command of a server, as one that revives it. Ended by SIGTERM. */
export function revived(serve: readonly string[]): string[] {
  return ['/bin/sh', '-c', REVIVE, 'revive', ...serve];
}

/** @param folder in which the command runs */
export function killRevived(folder: string, downSeconds: number): void {
  writeFileSync(join(folder, 'pause'), String(Math.max(0.2, downSeconds)), { mode: 0o644 });
  const pid = readFileSync(join(folder, 'server.pid'), 'utf8').trim();
  try {
    process.kill(Number(pid), 'SIGKILL');
  } catch {
    // It is down already.
  }
}
