import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { onTestFinished } from 'vitest';

/** A wire between client and server that can be cut. Ends when the test has ended. */
export interface S3Proxy {
  /** Instead of the server's. */
  readonly endpoint: string;
  /** Bytes that have gone to the client. */
  bytesDown(): number;
  /** Cuts the next connections, `times` of them, each when that many bytes have come from the server. */
  cut(times: number, afterBytes?: number): void;
  /** The same for bytes from the client. */
  cutUp(times: number, afterBytes: number): void;
}

/** @param tls makes it a TLS server with these files; behind it the wire is plain */
export async function openProxy(target: string, tls?: { readonly key: string; readonly cert: string }): Promise<S3Proxy> {
  const { hostname, port } = new URL(target);
  let bytesDown = 0;
  const cuts = { down: { times: 0, after: 0 }, up: { times: 0, after: 0 } };
  const open = new Set<Socket>();
  const join = (client: Socket) => {
    const server = connect(Number(port), hostname);
    const end = () => {
      for (const socket of [client, server]) {
        socket.destroy();
        open.delete(socket);
      }
    };
    const counts = { down: 0, up: 0 };
    const isCut = (way: 'down' | 'up', bytes: number): boolean => {
      counts[way] += bytes;
      if (cuts[way].times === 0 || counts[way] < cuts[way].after) return false;
      cuts[way].times -= 1;
      end();
      return true;
    };
    for (const socket of [client, server]) {
      open.add(socket);
      socket.on('error', end).on('close', end);
    }
    server.on('data', (bytes) => {
      if (isCut('down', bytes.length)) return;
      bytesDown += bytes.length;
      if (!client.write(bytes)) server.pause();
    });
    client.on('drain', () => server.resume());
    client.on('data', (bytes) => {
      if (!isCut('up', bytes.length) && !server.write(bytes)) client.pause();
    });
    server.on('drain', () => client.resume());
  };
  const proxy: Server =
    tls === undefined ? createServer(join) : createTlsServer({ key: readFileSync(tls.key), cert: readFileSync(tls.cert) }, join);
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => {
    proxy.close();
    for (const socket of open) socket.destroy();
  });
  return {
    endpoint: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    bytesDown: () => bytesDown,
    cut: (times, after = 0) => Object.assign(cuts.down, { times, after }),
    cutUp: (times, after) => Object.assign(cuts.up, { times, after }),
  };
}

/** Between client and server, request by request. @param before is awaited before a request goes on to the server */
export async function openRequestProxy(target: string, before: (request: IncomingMessage) => Promise<void>): Promise<string> {
  const { hostname, port } = new URL(target);
  const proxy = createHttpServer((incoming, response) => {
    const forward = () => {
      // The Host header stays: it is signed.
      const outgoing = request({ hostname, port, method: incoming.method, path: incoming.url, headers: incoming.headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      // Swift sends a body with a 404 to HEAD, which is an error on the connection after the answer.
      outgoing.on('error', () => {
        if (!response.headersSent) response.destroy();
      });
      incoming.pipe(outgoing);
    };
    before(incoming).then(forward, () => response.destroy());
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => {
    proxy.close();
    proxy.closeAllConnections();
  });
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}
