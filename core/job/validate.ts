import { closest, distance } from 'fastest-levenshtein';
import { findNodeAtLocation } from 'jsonc-parser';
import { DrayError, z } from '../sdk/index.ts';
import type { JobText } from './job-text.ts';
import { placeOf } from './variables.ts';

export type Path = readonly (string | number)[];

export interface ValidateOptions {
  /** Where in the job file `value` stands. */
  readonly at: Path;
  readonly isLenient: boolean;
  readonly warn: (message: string) => void;
}

interface Issue {
  readonly code: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  /** Of `invalid_type`. */
  readonly expected?: string;
  readonly keys?: readonly string[];
  readonly errors?: readonly (readonly Issue[])[];
}

/**
 * Checks a value of the job file against a schema; returns it with defaults filled in. The first mistake is reported with line and column.
 * Unknown keys are mistakes too, or warnings if lenient; keys that are accepted without effect give a warning.
 */
export function validate<S extends z.ZodObject>(schema: S, value: unknown, job: JobText, options: ValidateOptions): z.output<S> {
  const result = schema.safeParse(value);
  if (!result.success) {
    const issue = deepest(result.error.issues[0] as Issue);
    const path = [...options.at, ...issue.path] as Path;
    const given = valueAt(value, issue.path);
    const key = issue.path.at(-1);
    // As in DataX (Configuration.get, getString): a key with null is one that is left out, and a number or a truth value may stand for a text.
    if (typeof key === 'string' && given === null) return validate(schema, without(value, issue.path.slice(0, -1), [key]), job, options);
    if ((typeof given === 'number' || typeof given === 'boolean') && wantsText(issue))
      return validate(schema, replaced(value, issue.path, String(given)), job, options);
    if (issue.code !== 'unrecognized_keys') throw new DrayError('JOB_INVALID', sentenceOf(issue, path), { place: placeInJob(job, path) });
    const known = knownKeys(schema, issue.path);
    for (const key of issue.keys ?? []) {
      const message = `unknown key "${key}" in ${path.length === 0 ? 'the job file' : textOf(path)}${rightPlace(schema, issue.path, key) ?? (suggestion(key, known) || optionsPlace(schema, issue.path))}`;
      const place = placeInJob(job, [...path, key]);
      if (!options.isLenient) throw new DrayError('JOB_UNKNOWN_KEY', message, { place });
      options.warn(`${message} (${place})`);
    }
    return validate(schema, without(value, issue.path, issue.keys ?? []), job, options);
  }
  warnOfIgnored(schema, value, options);
  return result.data;
}

/** Of a union's failed branches, the issue that got furthest into the value is the one the user meant. */
function deepest(issue: Issue): Issue {
  if (issue.code !== 'invalid_union') return issue;
  const nested = (issue.errors ?? []).flat().map((inner) => deepest({ ...inner, path: [...issue.path, ...inner.path] }));
  const best = nested.filter(({ path, code }) => path.length > issue.path.length || code === 'unrecognized_keys');
  const isSilent = issue.message === 'Invalid input';
  // What takes one word alone was hardly meant.
  const rank = ({ path, code }: Issue) => 2 * path.length - (code === 'invalid_value' ? 1 : 0);
  return best.sort((a, b) => rank(b) - rank(a))[0] ?? (isSilent ? (nested.at(-1) ?? issue) : issue);
}

function sentenceOf(issue: Issue, path: Path): string {
  const message = issue.message
    .replace(/^Invalid input: e/, 'e')
    .replace(/^expected record/, 'expected object')
    .replace(/^expected array/, 'expected a list')
    .replace(/^expected object/, 'expected {…}')
    .replace(/^Too small: expected string to have >=1 characters/, 'expected a text that is not blank')
    .replace(/^Too small: expected array to have >=1 items/, 'expected a list that is not empty')
    .replace(/^Invalid option: e(xpected one of .+)/, (_, options: string) => `e${options.replaceAll('|', ', ')}`)
    .replace(/^Too small: expected number to be >=(.+)/, 'expected a number of at least $1')
    .replace(/^Too big: expected number to be <=(.+)/, 'expected a number of at most $1')
    .replace(/^[A-Z](?=[a-z ])/, (letter) => letter.toLowerCase());
  return `${textOf(path)}: ${message.replace(/, received undefined$/, ', and it is missing')}`;
}

/** `job.content[0].reader` */
export function textOf(path: Path): string {
  return path.map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`)).join('');
}

export function suggestion(word: string, known: readonly string[]): string {
  if (known.length === 0) return '';
  const nearest = closest(word, [...known]);
  return distance(word.toLowerCase(), nearest.toLowerCase()) <= Math.max(2, word.length / 3) ? `; did you mean "${nearest}"?` : '';
}

/** Place of the value at `path`, or of the nearest thing around it that is there. A key's place is the key, not its value. */
export function placeInJob({ file, text, root }: JobText, path: Path): string {
  for (let depth = path.length; depth > 0; depth--) {
    const node = findNodeAtLocation(root, [...path.slice(0, depth)]);
    if (node !== undefined) return placeOf(file, text, node.parent?.type === 'property' ? node.parent.offset : node.offset);
  }
  return placeOf(file, text, root.offset);
}

function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  return schemasAt(schema, path).flatMap((one) => (one instanceof z.ZodObject ? Object.keys(one.shape) : []));
}

function schemasAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType[] {
  let found: z.ZodType[] = [schema];
  for (const step of path) found = found.flatMap((one) => children(one, step));
  return found.flatMap(unwrap);
}

/** Where a key that is known one level further in, or further out, belongs. */
function rightPlace(schema: z.ZodType, path: readonly PropertyKey[], key: string): string | undefined {
  const inner = knownKeys(schema, path).find((child) => {
    return [[child], [child, 0]].some((steps) => knownKeys(schema, [...path, ...steps]).includes(key));
  });
  if (inner !== undefined) return `; it belongs into "${inner}"`;
  for (let depth = path.length - 1; depth >= 0; depth--)
    if (knownKeys(schema, path.slice(0, depth)).includes(key)) return `; it belongs beside "${String(path[depth])}"`;
  return undefined;
}

/** Of an object with a member for any keys: whatever is unknown beside it was probably meant for that. */
function optionsPlace(schema: z.ZodType, path: readonly PropertyKey[]): string {
  const open = knownKeys(schema, path).find((child) => schemasAt(schema, [...path, child]).some((one) => one instanceof z.ZodRecord));
  return open === undefined ? '' : `; options stand in "${open}"`;
}

/** The schemas of what stands at a step into a value. */
export function children(schema: z.ZodType, step: PropertyKey): z.ZodType[] {
  return unwrap(schema).flatMap((one) => {
    if (one instanceof z.ZodArray) return [one.element as z.ZodType];
    if (!(one instanceof z.ZodObject)) return [];
    const child = (one.shape as Record<PropertyKey, z.ZodType>)[step];
    return child === undefined ? [] : [child];
  });
}

/** The schemas below optional, default, transform and union. */
export function unwrap(schema: z.ZodType): z.ZodType[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return unwrap(schema.unwrap() as z.ZodType);
  if (schema instanceof z.ZodPipe) return unwrap(schema.in as z.ZodType);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => unwrap(option as z.ZodType));
  return [schema];
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, step) => (inner as Record<PropertyKey, unknown> | null | undefined)?.[step], value);
}

function wantsText({ code, expected, errors = [] }: Issue): boolean {
  if (code === 'invalid_type') return expected === 'string';
  return errors.some((branch) => branch.some((issue) => issue.path.length === 0 && wantsText(issue)));
}

function replaced(value: unknown, path: readonly PropertyKey[], text: string): unknown {
  const copy = structuredClone(value);
  const around = valueAt(copy, path.slice(0, -1)) as Record<PropertyKey, unknown>;
  around[path.at(-1)!] = text;
  return copy;
}

function without(value: unknown, path: readonly PropertyKey[], keys: readonly string[]): unknown {
  const copy = structuredClone(value);
  let target = copy as Record<PropertyKey, unknown>;
  for (const step of path) target = target[step] as Record<PropertyKey, unknown>;
  for (const key of keys) delete target[key];
  return copy;
}

function warnOfIgnored(schema: z.ZodType, value: unknown, options: ValidateOptions, path: Path = options.at): void {
  for (const one of unwrap(schema)) {
    if (one instanceof z.ZodArray && Array.isArray(value)) {
      for (const [index, item] of value.entries()) warnOfIgnored(one.element as z.ZodType, item, options, [...path, index]);
    }
    if (!(one instanceof z.ZodObject) || typeof value !== 'object' || value === null) continue;
    for (const [key, child] of Object.entries(one.shape as Record<string, z.ZodType>)) {
      const item = (value as Record<string, unknown>)[key];
      if (item === undefined) continue;
      const reason = child.meta()?.ignored;
      if (typeof reason === 'string') options.warn(`${textOf([...path, key])} has no effect: ${reason}`);
      else warnOfIgnored(child, item, options, [...path, key]);
    }
  }
}
