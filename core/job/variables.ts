import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DrayError } from '../sdk/index.ts';

export interface VariableSources {
  /** From `-p name=value`. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What messages call the job file. */
  readonly jobFile: string;
  /** `${file:…}` is relative to it; default: the folder of `jobFile`. */
  readonly folder?: string;
  /** Called for a name that has no value, and stays as it is. */
  readonly warn?: (message: string) => void;
}

export interface Substituted {
  readonly text: string;
  /** Values of `${env:…}` and `${file:…}`, which must not be printed. */
  readonly secrets: readonly string[];
}

const reference = /\$\{(?:(env|file):([^{}]+)|(\w+))\}|\$(\w+)/y;

/**
 * Replaces `${name}`, `$name`, `${env:NAME}` and `${file:path}` in the text of a job file. Within a JSON string the value is escaped, so that
 * it cannot end the string; outside of one it stands as it is, so that numbers and lists can be variables. Comments are left alone.
 * As in DataX (StrUtil.replaceVariable) a name without a value stays as it is; `$name` is a variable only if it was given with -p, so that
 * a password may hold a dollar.
 */
export function substituteVariables(text: string, sources: VariableSources): Substituted {
  const secrets: string[] = [];
  let output = '';
  let state: 'json' | 'string' | 'line comment' | 'block comment' = 'json';
  /** What the text around ends with. */
  let quote = '"';
  for (let at = 0; at < text.length; at++) {
    const two = text.slice(at, at + 2);
    if (state === 'line comment' || state === 'block comment') {
      if (state === 'line comment' ? text[at] === '\n' : two === '*/') state = 'json';
    } else if (text[at] === '$') {
      reference.lastIndex = at;
      const match = reference.exec(text);
      const [whole, scheme, locator, braced, bare] = match ?? [];
      const isSecret = scheme !== undefined;
      const value = isSecret
        ? secretValue(scheme, locator!, text, at, sources)
        : bare === undefined
          ? plainValue(braced, state === 'string', text, at, sources)
          : ownValue(sources.parameters, bare);
      if (value !== undefined) {
        if (isSecret) secrets.push(value);
        output += state === 'string' ? escaped(value, quote) : value;
        at += whole!.length - 1;
        continue;
      }
    } else if (state === 'string') {
      if (text[at] === '\\') output += text[at++];
      else if (text[at] === quote) state = 'json';
    } else if (text[at] === '"' || text[at] === "'") {
      state = 'string';
      quote = text[at]!;
    } else if (two === '//') state = 'line comment';
    else if (two === '/*') state = 'block comment';
    output += text[at] ?? '';
  }
  return { text: output, secrets };
}

/** A value as it stands within a text that ends with `quote`. */
function escaped(value: string, quote: string): string {
  const text = JSON.stringify(value).slice(1, -1);
  return quote === "'" ? text.replaceAll("'", '\\u0027') : text;
}

/** @param name undefined: what stands there has not the form of a variable */
function plainValue(name: string | undefined, isInString: boolean, text: string, at: number, sources: VariableSources): string | undefined {
  if (name === undefined) return undefined;
  const { parameters, environment, jobFile, warn } = sources;
  const value = ownValue(parameters, name) ?? ownValue(environment, name);
  if (value !== undefined) return value;
  const place = placeOf(jobFile, text, at);
  // Outside of a text it could not stay: what stands there is no JSON.
  if (!isInString) throw new DrayError('JOB_VARIABLE', `the variable \${${name}} has no value`, { place });
  warn?.(`the variable \${${name}} has no value and stays as it is; -p ${name}=… gives it one (${place})`);
  return undefined;
}

function secretValue(scheme: string, locator: string, text: string, at: number, { environment, jobFile, folder }: VariableSources): string {
  const place = placeOf(jobFile, text, at);
  if (scheme === 'env') {
    const value = ownValue(environment, locator);
    if (value !== undefined) return value;
    throw new DrayError('JOB_VARIABLE', `the environment variable ${locator} is not set`, { place, remedy: `Run: export ${locator}=…` });
  }
  const path = resolve(folder ?? dirname(jobFile), locator);
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    throw new DrayError('JOB_VARIABLE', `the file ${path} named by \${file:${locator}} cannot be read`, {
      place,
      cause,
      remedy: 'Create it with the secret as its only line, readable by the user who runs the job.',
    });
  }
}

/** Names like `constructor` are inherited by every object, and are no variables. */
function ownValue(values: Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}

/** `file:line:column` of an offset, counted from 1 as editors do. */
export function placeOf(file: string, text: string, offset: number): string {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return `${file}:${line}:${offset - before.lastIndexOf('\n')}`;
}
