import { DrayError } from 'dray/sdk';

/** A name of a job file: as it is, or any that a regular expression matches. */
export type NamePattern = string | RegExp;

/** A table of a job file. `schema`: what stands before the point, where one of both is a regular expression; a plain name is not taken apart. */
export interface TablePattern {
  readonly schema: NamePattern | undefined;
  readonly table: NamePattern;
}

/** More names than this are a slip of the pen. */
const mostNames = 100_000;

/**
 * `t_[08-10]` and `t_{08..10}` → `t_08`, `t_09`, `t_10`, as DataX writes ranges and as shells do: the width of the first bound is kept. Of several ranges the last one
 * runs fastest.
 */
export function expandRanges(text: string): string[] {
  const match = /\[(\d+)-(\d+)\]|\{(\d+)\.\.(\d+)\}/.exec(text);
  if (match === null) return [text];
  const [from, to] = [match[1] ?? match[3]!, match[2] ?? match[4]!];
  const [low, high] = [Math.min(Number(from), Number(to)), Math.max(Number(from), Number(to))];
  const width = Math.min(from.length, to.length);
  const before = text.slice(0, match.index);
  const rests = expandRanges(text.slice(match.index + match[0].length));
  if ((high - low + 1) * rests.length > mostNames) {
    throw new DrayError('JOB_INVALID', `the range in "${text}" stands for more than ${mostNames.toLocaleString('en-US')} names`, {
      remedy: 'Make it smaller, or write a regular expression: "/^name_\\\\d+$/".',
    });
  }
  return Array.from({ length: high - low + 1 }, (_, index) => `${before}${String(low + index).padStart(width, '0')}`).flatMap((name) =>
    rests.map((rest) => name + rest),
  );
}

export function hasRange(text: string): boolean {
  return /\[\d+-\d+\]|\{\d+\.\.\d+\}/.test(text);
}

/** Names in a list of a job file: several in one text are separated by commas. */
export function namePatterns(entries: readonly string[]): NamePattern[] {
  return entries.flatMap(listed).flatMap((text): NamePattern[] => (text.startsWith('/') ? [expressionOf(text)] : expandRanges(text)));
}

/** The same for tables, which may have a schema in front. */
export function tablePatterns(entries: readonly string[]): TablePattern[] {
  return entries.flatMap(listed).flatMap((text): TablePattern[] => {
    const [, schema, table] = /^(\/(?:\\.|\[(?:\\.|[^\]])*\]|[^/\\[])+\/i?|[^./]+)\.(.+)$/.exec(text) ?? [];
    const isSplit = schema !== undefined && table !== undefined && (schema.startsWith('/') || table.startsWith('/'));
    if (!isSplit) return namePatterns([text]).map((one) => ({ schema: undefined, table: one }));
    return namePatterns([schema]).flatMap((before) => namePatterns([table]).map((one) => ({ schema: before, table: one })));
  });
}

export function isMatch(pattern: NamePattern, name: string): boolean {
  return typeof pattern === 'string' ? pattern === name : pattern.test(name);
}

/** Parts of a list, blanks cut off. A comma within a regular expression separates nothing. */
function listed(entry: string): string[] {
  return [...entry.matchAll(/(?:\/(?:\\.|\[(?:\\.|[^\]])*\]|[^/\\[])+\/|[^,])+/g)]
    .map(([text]) => text.trim())
    .filter((text) => text !== '');
}

function expressionOf(text: string): RegExp {
  const [, source, flags = ''] = /^\/(.+)\/(i?)$/s.exec(text) ?? [];
  try {
    if (source === undefined) throw new SyntaxError('it does not end with /');
    return new RegExp(source, `${flags}u`);
  } catch (cause) {
    throw new DrayError('JOB_INVALID', `the regular expression ${text} cannot be read: ${(cause as Error).message}`, {
      cause,
      remedy: 'Write it as "/^order_\\\\d+$/"; in JSON backslashes are written twice.',
    });
  }
}
