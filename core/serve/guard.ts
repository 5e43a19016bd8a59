import { createHash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { DrayError } from '../sdk/index.ts';

/**
 * Lets nobody in but programs of the user: a page in a browser of this machine could send requests here, also under a name of its own that it has
 * pointed at 127.0.0.1 (DNS rebinding), but knows neither the token nor can it hide its Origin.
 * @param port the one that is listened on
 */
export function guard(token: string, port: () => number): MiddlewareHandler {
  const expected = digest(`Bearer ${token}`);
  return async (context, next) => {
    const own = [`127.0.0.1:${port()}`, `localhost:${port()}`];
    const { host, origin, authorization = '' } = context.req.header();
    if (host === undefined || !own.includes(host.toLowerCase())) throw refused(`the server is not known under the name ${host ?? '""'}`);
    if (origin !== undefined && !own.some((name) => origin === `http://${name}`))
      throw refused(`the server takes no requests of ${origin}`);
    if (!timingSafeEqual(digest(authorization), expected)) throw refused('the request does not show the token of the server');
    await next();
  };
}

function refused(message: string): DrayError {
  return new DrayError('REQUEST_REFUSED', message);
}

/** Of one length, as the comparison needs it. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
