import type { PrivateServer } from './private-server.ts';
import { until } from './until.ts';

/**
 * Waits until a server that was just started answers. If it ends instead, or does not answer within a minute, it is
 * stopped and the error carries the last lines of its log.
 *
 * @param name of the server, for the error
 * @param greet connects and disconnects; throws while the server does not answer
 */
export async function answering(name: string, server: PrivateServer, greet: () => Promise<void>): Promise<void> {
  let died = false;
  try {
    await until(`${name} accepts connections`, 60_000, async () => {
      died = server.hasEnded();
      if (!died) await greet();
    });
    if (died) throw new Error('It ended.');
  } catch (cause) {
    const log = await server.stop();
    throw new Error(`The private ${name} did not start. Last lines of its log:\n${log}`, { cause });
  }
}
