import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';

/**
 * What happens to a statement: `before`: the connection is reset, and the server never sees the statement; `after`: it is reset when the
 * server has answered, and the client never sees the answer; `frozen`: the same, but the server keeps its session: a half-open connection.
 * `hang`: the answer does not come, and nobody is told.
 */
export type StatementFault = 'pass' | 'before' | 'after' | 'frozen' | 'hang';

/** A proxy before MySQL that knows where statements begin. */
export interface StatementProxy {
  readonly host: string;
  readonly port: number;
  /** Every statement so far, in order, of all connections. */
  readonly statements: readonly string[];
  /** Asked for each statement with its number, from 0. */
  decide: (sql: string, number: number) => StatementFault;
  stop(): Promise<void>;
}

const headerBytes = 4;
const comQuery = 3;

/** Listens on a free port of 127.0.0.1 and passes everything on to `target`. The connection must not be encrypted or compressed. */
export async function startStatementProxy(target: { host: string; port: number }): Promise<StatementProxy> {
  const statements: string[] = [];
  const sockets = new Set<Socket>();
  const proxy: StatementProxy = { host: '127.0.0.1', port: 0, statements, decide: () => 'pass', stop };
  const server = createServer({ noDelay: true }, (client) => {
    const onward = createConnection({ ...target, noDelay: true });
    for (const socket of [client, onward]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    let fault: StatementFault = 'pass';
    const packets = packetsOf((packet) => {
      if (fault !== 'pass') return;
      // Commands begin a new sequence; answers to the server's questions go on with it.
      if (packet[3] === 0 && packet[headerBytes] === comQuery) {
        const sql = packet.subarray(headerBytes + 1).toString();
        fault = proxy.decide(sql, statements.length);
        statements.push(sql);
        if (fault === 'before') {
          client.resetAndDestroy();
          onward.destroy();
          return;
        }
      }
      onward.write(packet);
    });
    client.on('data', packets);
    onward.on('data', (bytes) => {
      if (fault === 'pass') client.write(bytes);
      else if (fault !== 'hang') {
        client.resetAndDestroy();
        if (fault === 'after') onward.destroy();
      }
    });
    client.on('close', () => {
      if (fault !== 'frozen') onward.destroy();
    });
    onward.on('close', () => client.destroy());
  });
  async function stop(): Promise<void> {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  }
  server.listen({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The kernel gave no TCP port.');
  return Object.assign(proxy, { port: address.port });
}

/** Cuts a stream of bytes into packets, header included. */
function packetsOf(each: (packet: Buffer) => void): (bytes: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (bytes) => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    while (rest.length >= headerBytes) {
      const end = headerBytes + rest.readUIntLE(0, 3);
      if (rest.length < end) return;
      each(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
  };
}
