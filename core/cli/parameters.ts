import { InvalidArgumentError } from 'commander';

/** One word of a command line, with quotes around parts of it or without. */
const word = /(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/gy;

/**
 * The values of `-p name=value`, and of `-p "-Dname=value -Dother=value"` as datax.py takes them, where a shell still removes quotes.
 * @param before values of the options in front of this one
 */
export function parameter(text: string, before: Record<string, string>): Record<string, string> {
  if (/^\s*-D/.test(text)) return { ...before, ...Object.fromEntries(wordsOf(text).map(definition)) };
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must be name=value, or "-Dname=value -Dother=value".');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

function definition(text: string): [string, string] {
  const [, name, value] = /^-D([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name !== undefined && value !== undefined) return [name, value];
  throw new InvalidArgumentError(`"${text}" is not -Dname=value; a value with blanks stands in quotes.`);
}

function wordsOf(text: string): string[] {
  const words: string[] = [];
  let at = text.search(/\S/);
  while (at !== -1 && at < text.length) {
    word.lastIndex = at;
    const found = word.exec(text)?.[0];
    if (found === undefined) throw new InvalidArgumentError(`a quote in ${text.slice(at)} is not closed.`);
    words.push(
      found.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/gs, (_, double?: string, single?: string, escaped?: string) =>
        double === undefined ? (single ?? escaped ?? '') : double.replace(/\\(["\\$`])/g, '$1'),
      ),
    );
    const rest = text.slice(word.lastIndex).search(/\S/);
    at = rest === -1 ? -1 : word.lastIndex + rest;
  }
  return words;
}
