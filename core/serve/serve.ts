import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { makeStateFolder } from '../ledger/state-folder.ts';
import { DrayError } from '../sdk/index.ts';
import { serveApi } from './api.ts';
import { ServedRuns, type ServedRunsContext } from './served-runs.ts';
import { ServerFile } from './server-file.ts';

/** How long answers may take that are under way when the server stops. */
const closeGraceMs = 1000;

export interface RunningServer {
  readonly runs: ServedRuns;
  /** On 127.0.0.1. */
  readonly port: number;
  /** Takes no further requests, and stops the runs so that they can be resumed. */
  stop(reason: DrayError): Promise<void>;
}

/**
 * Begins to listen on 127.0.0.1, and says so in `server.json` of the state folder.
 * @param port 0: any that is free
 * @throws DrayError PORT_UNUSABLE, SERVER_EXISTS, STATE_UNUSABLE
 */
export async function startServer(context: ServedRunsContext, port: number): Promise<RunningServer> {
  const { state } = context;
  await makeStateFolder(state);
  // Before the port, which is probably the same: the folder is the better reason.
  await ServerFile.refuseSecond(state);
  const runs = new ServedRuns(context);
  const token = randomBytes(32).toString('base64url');
  let listening = port;
  const { fetch } = serveApi({ runs, token, port: () => listening });
  const server = createAdaptorServer({ fetch, overrideGlobalObjects: false }) as Server;
  await listen(server, port);
  listening = (server.address() as AddressInfo).port;
  const file = await ServerFile.claim(state, { port: listening, token }).catch((error: unknown) => {
    server.close();
    throw error;
  });
  return {
    runs,
    port: listening,
    async stop(reason) {
      await runs.stop(reason);
      runs.feed.close();
      await closed(server);
      // One that was submitted in the last moment.
      await runs.stop(reason);
      await file.release();
    },
  };
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'another program listens on it' : message;
    throw new DrayError('PORT_UNUSABLE', `port ${port} cannot be used: ${why}`, { cause, place: `127.0.0.1:${port}` });
  }
}

async function closed(server: Server): Promise<void> {
  const timer = setTimeout(() => server.closeAllConnections(), closeGraceMs);
  const over = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  await over;
  clearTimeout(timer);
}
