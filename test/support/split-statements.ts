import { connect, createServer, type Socket } from 'node:net';
import type { Database } from '../integration/types/databases.ts';

/** A database behind a relay, and the statements that went through it. */
export interface ListenedDatabase {
  readonly database: Database;
  /** As they were sent, without what belongs to logging in. */
  readonly statements: string[];
  close(): void;
}

/** Lets jobs reach the database through a relay of our own. What the test itself does goes past it. */
export async function listenedDatabase(database: Database): Promise<ListenedDatabase> {
  const statements: string[] = [];
  const [, host = '', port = ''] = /\/\/([^:/]+):(\d+)\//.exec(database.login.jdbcUrl) ?? [];
  const sockets = new Set<Socket>();
  const relay = createServer((client) => {
    const server = connect(Number(port), host);
    const understand = database.kind === 'postgres' ? postgresStatements() : mysqlStatements();
    client.on('data', (chunk: Buffer) => statements.push(...understand(chunk)));
    client.pipe(server).pipe(client);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => {
    relay.listen(0, '127.0.0.1', resolve);
  });
  const { port: ownPort } = relay.address() as { port: number };
  const jdbcUrl = database.login.jdbcUrl.replace(`${host}:${port}`, `127.0.0.1:${ownPort}`);
  return {
    database: { ...database, login: { ...database.login, jdbcUrl } },
    statements,
    close() {
      for (const socket of sockets) socket.destroy();
      relay.close();
    },
  };
}

type Understand = (chunk: Buffer) => string[];

/** Messages have a type and a length, but for the first one, which has no type. A simple query is `Q`. */
function postgresStatements(): Understand {
  let isStarted = false;
  return messages(
    (bytes) => {
      const at = isStarted ? 1 : 0;
      return bytes.length < at + 4 ? undefined : at + bytes.readInt32BE(at);
    },
    (message) => {
      const isQuery = isStarted && message[0] === 'Q'.charCodeAt(0);
      isStarted = true;
      return isQuery ? message.toString('utf8', 5, message.length - 1) : undefined;
    },
  );
}

/** Packets have a length of three bytes and a number, which is 0 for a command; that of a query is 3. */
function mysqlStatements(): Understand {
  return messages(
    (bytes) => (bytes.length < 4 ? undefined : 4 + bytes.readUIntLE(0, 3)),
    (packet) => (packet[3] === 0 && packet[4] === 3 ? packet.toString('utf8', 5) : undefined),
  );
}

function messages(lengthOf: (bytes: Buffer) => number | undefined, statementIn: (message: Buffer) => string | undefined): Understand {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    const found: string[] = [];
    rest = Buffer.concat([rest, chunk]);
    for (let length = lengthOf(rest); length !== undefined && rest.length >= length; length = lengthOf(rest)) {
      const statement = statementIn(rest.subarray(0, length));
      if (statement !== undefined) found.push(statement);
      rest = rest.subarray(length);
    }
    return found;
  };
}
