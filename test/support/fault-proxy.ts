import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';

/** Towards the server, or back to the client. */
export type Direction = 'up' | 'down';

/** What happens to the bytes of one direction. Offsets count from the start of each connection. */
export interface FlowFaults {
  /** How long the bytes are on their way. */
  readonly delayMs?: number;
  /** Both sides are reset once so many bytes have gone through. */
  readonly cutAfter?: number;
  /** The byte at this offset is inverted. */
  readonly corruptAt?: number;
  /** This direction ends (FIN) after so many bytes; the other one stays open. */
  readonly endAfter?: number;
  /** Nothing more goes through after so many bytes, and nobody is told. */
  readonly stallAfter?: number;
}

export interface ProxyFaults {
  readonly up?: FlowFaults;
  readonly down?: FlowFaults;
  /** The faults are for so many connections, counted from when they were set; those after them are untouched. Absent: for all. */
  readonly connections?: number;
  /** New connections are reset at once. */
  readonly refuses?: boolean;
}

/** A TCP proxy that breaks things, to be put between a client and a server. */
export interface FaultProxy {
  readonly host: string;
  readonly port: number;
  /** Connections so far, refused ones included. */
  readonly connections: number;
  /** Bytes that went through, of all connections. */
  readonly bytes: Readonly<Record<Direction, number>>;
  /** From now on, for what is open as well, whose offsets go on counting. */
  setFaults(faults: ProxyFaults): void;
  /** Where new connections go from now on. */
  setTarget(target: { host: string; port: number }): void;
  /** Resets every open connection. */
  cut(): void;
  /** Open connections. */
  open(): number;
  stop(): Promise<void>;
}

/** Listens on a free port of 127.0.0.1 and passes everything on to `target`, with these faults. */
export async function startFaultProxy(target: { host: string; port: number }, faults: ProxyFaults = {}): Promise<FaultProxy> {
  let current = faults;
  let onwardTo = target;
  let connections = 0;
  let countedFrom = 0;
  const bytes = { up: 0, down: 0 };
  const open = new Set<{ readonly number: number; cut(): void }>();

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const number = connections++;
    client.on('error', () => undefined);
    if (current.refuses === true) {
      client.resetAndDestroy();
      return;
    }
    const onward = createConnection({ host: onwardTo.host, port: onwardTo.port, noDelay: true, allowHalfOpen: true });
    onward.on('error', () => cut());
    const cut = () => {
      client.resetAndDestroy();
      onward.destroy();
    };
    const link = { number, cut };
    open.add(link);
    const faultsOf = (direction: Direction): FlowFaults => {
      const isMeant = number - countedFrom < (current.connections ?? Number.POSITIVE_INFINITY);
      return (isMeant ? current[direction] : undefined) ?? {};
    };
    pass(
      client,
      onward,
      () => faultsOf('up'),
      cut,
      (count) => (bytes.up += count),
    );
    pass(
      onward,
      client,
      () => faultsOf('down'),
      cut,
      (count) => (bytes.down += count),
    );
    for (const socket of [client, onward]) {
      socket.on('close', () => {
        open.delete(link);
        // The end of one side is passed on by `pass`; a reset is not an end.
        if (socket.errored !== null || !socket.readableEnded) cut();
      });
    }
  });
  server.listen({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The kernel gave no TCP port.');
  return {
    host: '127.0.0.1',
    port: address.port,
    bytes,
    get connections() {
      return connections;
    },
    setFaults(next) {
      current = next;
      countedFrom = connections;
    },
    setTarget(next) {
      onwardTo = next;
    },
    cut: () => {
      for (const link of [...open]) link.cut();
    },
    open: () => open.size,
    async stop() {
      for (const link of [...open]) link.cut();
      server.close();
      await once(server, 'close');
    },
  };
}

/** What the network between the two holds. */
const mostHeldBytes = 1024 * 1024;

/** Passes bytes on one after the other, each piece as the faults of that moment say. */
function pass(from: Socket, to: Socket, faultsNow: () => FlowFaults, cut: () => void, count: (bytes: number) => void): void {
  let passed = 0;
  let hasEnded = false;
  let queue = Promise.resolve();
  let held = 0;
  const forward = async (piece: Buffer, arrivedAt: number) => {
    const { delayMs = 0, cutAfter = Infinity, corruptAt = -1, endAfter = Infinity, stallAfter = Infinity } = faultsNow();
    const waitMs = arrivedAt + delayMs - performance.now();
    if (delayMs > 0 && waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    if (hasEnded) return;
    const room = Math.max(0, Math.min(cutAfter, endAfter, stallAfter) - passed);
    const kept = Buffer.from(piece.subarray(0, room));
    const corrupt = corruptAt - passed;
    if (corrupt >= 0 && corrupt < kept.length) kept[corrupt] = ~kept[corrupt]!;
    passed += kept.length;
    count(kept.length);
    if (kept.length > 0 && !to.destroyed && !to.write(kept)) {
      const over = new AbortController();
      const { signal } = over;
      await Promise.race([once(to, 'drain', { signal }), once(to, 'close', { signal })]).catch(() => undefined);
      over.abort();
    }
    if (passed >= cutAfter) cut();
    else if (passed >= endAfter) {
      hasEnded = true;
      to.end();
    }
  };
  from.on('data', (piece: Buffer) => {
    const arrivedAt = performance.now();
    held += piece.length;
    if (held > mostHeldBytes) from.pause();
    queue = queue
      .then(() => forward(piece, arrivedAt))
      .finally(() => {
        held -= piece.length;
        from.resume();
      });
  });
  from.on('end', () => {
    queue = queue.then(() => {
      if (!to.destroyed) to.end();
    });
  });
}
