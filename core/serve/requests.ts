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

/** @param text the body; an empty one is an empty object. @throws DrayError USAGE, which never quotes a value */
export function parsed<S extends z.ZodType>(schema: S, text: string): z.output<S> {
  let value: unknown;
  try {
    value = text === '' ? {} : JSON.parse(text);
  } catch {
    throw wrong('the body of the request is no JSON');
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw wrong(`${path.length === 0 ? 'the body of the request' : path.join('.')}: ${message}`);
}

export function wrong(message: string): DrayError {
  return new DrayError('USAGE', message, { remedy: 'docs/serve.md lists the requests.' });
}
