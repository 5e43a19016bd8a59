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
