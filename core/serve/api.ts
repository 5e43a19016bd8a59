import { type Context, Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import { reportedError } from '../report/report.ts';
import { asDrayError, DrayError, type ErrorCode } from '../sdk/index.ts';
import { guard } from './guard.ts';
import { bodyOf, requests, wrong } from './requests.ts';
import type { ServedRuns } from './served-runs.ts';

/** Without a word for so long, proxies and clients take a connection for dead. */
const pingMs = 15_000;
const defaultStored = 50;

const statuses: Partial<Record<ErrorCode, 403 | 404 | 409 | 413 | 500 | 503>> = {
  REQUEST_REFUSED: 403,
  RUN_UNKNOWN: 404,
  REPORT_MISSING: 404,
  RUN_ENDED: 409,
  RUN_NOT_RESUMABLE: 409,
  SERVER_STOPPED: 503,
  REQUEST_TOO_BIG: 413,
  STATE_UNUSABLE: 500,
  INTERNAL: 500,
};

export interface ApiContext {
  readonly runs: ServedRuns;
  readonly token: string;
  /** The port that is listened on. */
  readonly port: () => number;
}

/** The requests of docs/serve.md. Whoever makes one is the user: the guard sees to that. */
export function serveApi({ runs, token, port }: ApiContext): Hono {
  const app = new Hono();
  app.use(guard(token, port));

  app.post('/runs', async (context) => {
    const { served, warnings } = await runs.submit(await bodyOf(context.req.raw, requests.submit));
    return context.json({ ...served.status(), warnings }, 202);
  });
  app.get('/runs', async (context) => {
    const here = runs.all.map((served) => served.status());
    const limit = limitOf(context.req.query('stored'));
    return context.json({ runs: limit === 0 ? here : [...here, ...(await runs.stored()).slice(0, limit)] });
  });
  app.get('/runs/:run', async (context) => context.json(await runs.status(context.req.param('run'))));
  app.get('/runs/:run/report', async (context) => {
    return context.body(await runs.report(context.req.param('run')), 200, { 'content-type': 'application/json' });
  });

  const cancel = async (context: Context) => {
    await bodyOf(context.req.raw, requests.nothing);
    const served = await runs.active(context.req.param('run')!);
    served.cancel(new DrayError('CANCELLED', 'the run was cancelled; the rows of its unfinished tasks were rolled back'));
    return context.json(served.status(), 202);
  };
  app.delete('/runs/:run', cancel);
  app.post('/runs/:run/cancel', cancel);
  app.post('/runs/:run/pause', async (context) => {
    await bodyOf(context.req.raw, requests.nothing);
    const served = await runs.active(context.req.param('run'));
    served.change({ isPaused: true });
    return context.json(served.status());
  });
  app.post('/runs/:run/resume', async (context) => {
    const { parameters } = await bodyOf(context.req.raw, requests.resume);
    return context.json((await runs.resume(context.req.param('run'), { parameters })).status());
  });
  app.post('/runs/:run/priority', async (context) => {
    const { priority } = await bodyOf(context.req.raw, requests.priority);
    const served = await runs.active(context.req.param('run'));
    served.change({ priority });
    return context.json(served.status());
  });
  app.post('/runs/:run/channels', async (context) => {
    const { channels } = await bodyOf(context.req.raw, requests.channels);
    const served = await runs.active(context.req.param('run'));
    served.change({ channels });
    return context.json(served.status());
  });

  app.get('/events', (context) => events(context, runs));
  app.get('/runs/:run/events', async (context) => {
    const run = context.req.param('run');
    await runs.status(run);
    return events(context, runs, run);
  });

  app.notFound((context) => failed(context, wrong(`there is no ${context.req.method} ${context.req.path}`), 404));
  app.onError((error, context) => {
    const failure = asDrayError(error);
    return failed(context, failure, statuses[failure.code] ?? 400);
  });
  return app;
}

/** Server-sent events, until the listener goes or there is nothing more to come. */
function events(context: Context, runs: ServedRuns, run?: string): Response {
  const last = Number(context.req.header('last-event-id'));
  const after = Number.isInteger(last) && last > 0 ? last : undefined;
  return streamSSE(context, async (stream) => {
    const gone = new AbortController();
    stream.onAbort(() => gone.abort());
    const ping = setInterval(() => void stream.write(': still here\n\n').catch(() => undefined), pingMs);
    const isOver = run !== undefined && runs.find(run)?.hasEnded !== false;
    try {
      for await (const { id, type, text } of runs.feed.follow({ run, after, isOver, signal: gone.signal }))
        await stream.writeSSE({ id: String(id), event: type, data: text });
    } finally {
      clearInterval(ping);
    }
  });
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const limit = text === '' ? defaultStored : Number(text);
  if (!Number.isInteger(limit) || limit < 0) throw wrong('stored: Expected a whole number');
  return limit;
}

function failed(context: Context, error: DrayError, status: 400 | 403 | 404 | 409 | 413 | 500 | 503): Response {
  // A body that nobody has read to its end is in the way of the next request.
  if (status === 403 || status === 413) context.header('connection', 'close');
  return context.json({ error: reportedError(error) }, status);
}
