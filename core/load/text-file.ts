import { readFileSync } from 'node:fs';

/** A file of the kernel's, or undefined where there is none, or none that we may read. */
export function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** The number in a file that holds nothing else; undefined also for `max`. */
export function numberIn(path: string): number | undefined {
  const text = textOf(path)?.trim();
  return text === undefined || !/^-?\d+$/.test(text) ? undefined : Number(text);
}

/** The number behind a name, in a file of lines `name 123` or `name: 123 kB`. */
export function numberAfter(name: string, text: string | undefined): number | undefined {
  const match = text === undefined ? null : new RegExp(`^${name}:?\\s+(\\d+)`, 'm').exec(text);
  return match === null ? undefined : Number(match[1]);
}
