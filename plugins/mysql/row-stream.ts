import type { RecordOutput } from 'dray/sdk';
import { BinaryRowWriter } from './binary-row-writer.ts';
import { RowWriter } from './cell-writer.ts';
import type { Session } from './connection.ts';
import type { CellForm } from './types.ts';

/*
 * Rows from the server into batches. mysql2 has no public hook for raw row packets, and its rows as arrays of Buffers cost about twice
 * the CPU (2.8 s against 1.4 s per million rows of 210 bytes). Its Query command keeps the state that handles the next packet in a method
 * called `row`; an instance with a method of its own sees the packets. That is not an interface: the version of mysql2 is pinned, the
 * first query of each thread checks that it works as read, and without it the public form of rows is used.
 */

/** What is used of mysql2's Packet (lib/packets/packet.js). */
interface Packet {
  readonly buffer: Buffer;
  /** Of the payload; 4 bytes behind `start`, where the header is. */
  readonly offset: number;
  readonly end: number;
  isEOF(): boolean;
}

type PacketHandler = (this: Command, packet: Packet, connection: unknown) => unknown;

/** What is used of mysql2's Query command (lib/commands/query.js). */
interface Command {
  row?: PacketHandler;
  on(event: 'error', listener: (error: Error) => void): void;
  on(event: 'end' | 'error', listener: () => void): void;
  on(event: 'result', listener: (row: (Buffer | null)[]) => void): void;
  emit(event: 'error', error: Error): void;
}

export type RowSource = 'packets' | 'arrays';

let checked: Promise<RowSource> | undefined;

/** Which form of rows this thread can use; asked of the first connection, remembered for the others. */
export async function rowSource(session: Session): Promise<RowSource> {
  checked ??= worksWithPackets(session).then((works) => (works ? 'packets' : 'arrays'));
  try {
    return await checked;
  } catch (error) {
    checked = undefined;
    throw error;
  }
}

/** Reads a known row through the packets and compares; anything unexpected means no. Rejects with what the server or the connection to it says: that tells nothing of the driver. */
async function worksWithPackets(session: Session): Promise<boolean> {
  const seen: string[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      const command = start(session, "SELECT 'dray', NULL, 12");
      const original = command.row;
      if (typeof original !== 'function') throw new TypeError('mysql2 has no row step');
      command.row = function row(packet, connection) {
        if (packet.isEOF()) return original.call(this, packet, connection);
        seen.push(packet.buffer.toString('latin1', packet.offset, packet.end));
        return this.row;
      };
      command.on('error', reject);
      command.on('end', resolve);
    });
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
  return seen.length === 1 && seen[0] === '\x04dray\xfb\x0212';
}

/** A query without callback, whose rows are events. The driver tells the loss of the connection to callbacks only, and to the connection: one lost before tells it while the query is taken. */
function start({ connection }: Session, sql: string): Command {
  let command: Command | undefined;
  let lostBefore: Error | undefined;
  const lost = (error: Error) => {
    if (command === undefined) lostBefore = error;
    else command.emit('error', error);
  };
  connection.once('error', lost);
  const started = connection.query({ sql, rowsAsArray: true, typeCast: false } as { sql: string }) as unknown as Command;
  command = started;
  for (const event of ['end', 'error'] as const) started.on(event, () => connection.off('error', lost));
  const told = lostBefore;
  if (told !== undefined) queueMicrotask(() => started.emit('error', told));
  return started;
}

export interface StreamOptions {
  readonly forms: readonly CellForm[];
  readonly source: RowSource;
  /**
   * Given if the session is to be used again after a failure: ends the query at the server. What still comes of its rows is thrown away, and only then is the
   * failure told. Absent: it is told at once, and the session is of no use any more.
   */
  readonly stop?: () => void;
}

/** Runs a query and packs its rows; resolves when all are handed over. A full channel pauses the connection, down to the socket. */
export async function streamRows(session: Session, sql: string, out: RecordOutput, { forms, source, stop }: StreamOptions): Promise<void> {
  const { connection } = session;
  const writer = out.forms?.layout === 'binary' ? new BinaryRowWriter(out, out.forms.forms, forms) : new RowWriter(out, forms);
  await new Promise<void>((resolve, reject) => {
    const command = start(session, sql);
    let pending: Promise<void> | undefined;
    let failure: { readonly error: unknown } | undefined;
    const fail = (error: unknown) => {
      failure ??= { error };
      if (stop === undefined) return reject(error as Error);
      stop();
      connection.resume();
    };
    const handOver = () => {
      if (!out.builder.isFull || pending !== undefined) return;
      connection.pause();
      pending = out.flush().then(() => {
        pending = undefined;
        connection.resume();
      });
      pending.catch(fail);
    };
    const take = (write: () => void) => {
      if (failure !== undefined) return;
      try {
        write();
      } catch (error) {
        return fail(error);
      }
      handOver();
    };
    const original = command.row;
    if (source === 'packets' && original !== undefined) {
      command.row = function row(packet, owner) {
        if (packet.isEOF()) return original.call(this, packet, owner);
        take(() => writer.writePacket(packet.buffer, packet.offset, packet.end));
        return this.row;
      };
    } else {
      command.on('result', (row) => take(() => writer.writeArray(row)));
    }
    command.on('error', (error) => {
      // What the driver still has of the rows is not to go on.
      failure ??= { error };
      reject(failure.error as Error);
    });
    command.on('end', () => {
      if (failure === undefined) void (pending ?? Promise.resolve()).then(resolve, reject);
      else reject(failure.error as Error);
    });
  });
}
