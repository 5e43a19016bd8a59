import { z } from 'zod';

/*
 * Option values as people write them in job files. A plugin's options are one zod strictObject built from zod and from these:
 * validation, defaults, `dray template`, the reference pages and the JSON Schema for editors all come from it.
 */

/** A whole number, also as a string of digits ("3"), which DataX allows everywhere. */
export function integer(limits: { min?: number; max?: number } = {}) {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = limits;
  return z.union(
    [
      z.int().min(min).max(max),
      z
        .string()
        .regex(/^-?\d+$/, 'Expected a whole number')
        .transform(Number)
        .pipe(z.int().min(min).max(max)),
    ],
    { error: `Expected a whole number${limits.min === undefined ? '' : `, at least ${min}`}` },
  );
}

/** true or false, also as "true" or "false". */
export function flag() {
  return z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')], { error: 'Expected true or false' });
}

/** One of some words, in any case and with blanks around it; `fault` says what else is wrong with a word. */
export function choice<const W extends readonly [string, ...string[]]>(
  words: W,
  fault: (given: string) => string | undefined = () => undefined,
) {
  const listed = words.filter((word) => word !== '');
  const expected = `Expected ${listed.slice(0, -1).join(', ')}${listed.length > 1 ? ' or ' : ''}${listed.at(-1)}`;
  return z
    .string({ error: expected })
    .transform((text) => text.trim().toLowerCase())
    .pipe(z.enum(words, { error: ({ input }) => fault(String(input)) ?? expected }))
    .meta({ enum: listed });
}

/** A text that must never be printed; it is masked wherever dray writes anything. */
export function secret() {
  return z.string().meta({ secret: true });
}

/** One text or a list of texts; the value is always a list. */
export function texts() {
  return z.union([z.string().transform((text) => [text]), z.array(z.string())], { error: 'Expected a text or a list of texts' });
}

/** A key that DataX knows and that has no effect here: accepted, and a warning gives the reason. */
export function ignored(reason: string) {
  return z
    .unknown()
    .optional()
    .meta({ ignored: reason, description: `Accepted for DataX's sake, no effect: ${reason}` });
}

/** A key that DataX knows, and that would change what the job does: it is an error, which gives the reason, instead of being left out. */
export function refused(reason: string) {
  return z
    .never({ error: reason })
    .optional()
    .meta({ refused: reason, description: `Refused: ${reason}` });
}

/**
 * TLS of a connection. `true` asks for TLS with the server's certificate and name verified against the system's authorities;
 * nothing weaker happens without `"verify": false` standing in the job file.
 */
export function tls() {
  return z
    .union([
      z.boolean(),
      z.strictObject({
        ca: z.string().optional().describe('Path of a PEM file with the authority that signed the server certificate'),
        cert: z.string().optional().describe('Path of a PEM file with the client certificate'),
        key: z.string().optional().describe('Path of a PEM file with the key of the client certificate'),
        servername: z.string().optional().describe('Name the certificate must be for, if it is not the host'),
        verify: z.boolean().default(true).describe('false accepts any certificate: the connection is encrypted, but may be to anyone'),
      }),
    ])
    .default(false);
}

/**
 * How texts become dates where a column has no form of its own. A plugin that turns texts into dates, or dates into texts, takes this as its option `columnForms`:
 * `common.column` of the job file stands in it unless the plugin's parameter has it. Forms are patterns of Java's SimpleDateFormat.
 */
export function columnForms() {
  return z
    .strictObject({
      datetimeFormat: z.string().min(1).optional().describe('Of dates with a time of day, like yyyy-MM-dd HH:mm:ss'),
      dateFormat: z.string().min(1).optional().describe('Of dates alone'),
      extraFormats: z.array(z.string().min(1)).optional().describe('Further forms that texts may have'),
      timeZone: z.string().min(1).optional().describe('Zone in which milliseconds since 1970 become a date; default UTC'),
    })
    .optional()
    .describe('Forms of dates where a column has none of its own; default: common.column of the job file');
}
