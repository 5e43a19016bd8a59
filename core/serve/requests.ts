import { DrayError, z } from '../sdk/index.ts';

const parameters = z.record(z.string(), z.string());
const priority = z.int().min(0).max(9);
const channels = z.int().min(1).max(1000);

/** Bodies of the requests that have one; all other keys are refused. */
export const requests = {
  submit: z.strictObject({
    file: z.string().min(1),
    parameters: parameters.optional(),
    priority: priority.optional(),
    channels: channels.optional(),
    isLenient: z.boolean().optional(),
  }),
  resume: z.strictObject({ parameters: parameters.optional() }),
  priority: z.strictObject({ priority }),
  channels: z.strictObject({ channels }),
  nothing: z.strictObject({}),
} as const;

const maxBodyBytes = 256 << 10;

/**
 * Reads the body of a request; an empty one is an empty object.
 * @throws DrayError REQUEST_TOO_BIG; USAGE, which never quotes a value
 */
export async function bodyOf<S extends z.ZodType>(request: Request, schema: S): Promise<z.output<S>> {
  const result = schema.safeParse(jsonOf(await textOf(request)));
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw wrong(`${path.length === 0 ? 'the body of the request' : path.join('.')}: ${message}`);
}

/** What does not say how long it is must not be read to its end either. */
async function textOf({ body, headers }: Request): Promise<string> {
  if (Number(headers.get('content-length') ?? 0) > maxBodyBytes) throw tooBig();
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  for await (const piece of (body ?? []) as AsyncIterable<Uint8Array>) {
    size += piece.length;
    if (size > maxBodyBytes) throw tooBig();
    text += decoder.decode(piece, { stream: true });
  }
  return text + decoder.decode();
}

function jsonOf(text: string): unknown {
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch {
    throw wrong('the body of the request is no JSON');
  }
}

export function wrong(message: string): DrayError {
  return new DrayError('USAGE', message, { remedy: 'docs/serve.md lists the requests.' });
}

function tooBig(): DrayError {
  return new DrayError('REQUEST_TOO_BIG', `the body of the request has more than ${maxBodyBytes} bytes`);
}
