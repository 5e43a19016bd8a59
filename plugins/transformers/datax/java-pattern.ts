import { DrayError } from 'dray/sdk';

/** Character classes that JavaScript does not have, as members of a [class]. */
const classes: Record<string, string> = {
  'p{Lower}': 'a-z',
  'p{Upper}': 'A-Z',
  'p{ASCII}': '\\x00-\\x7f',
  'p{Alpha}': 'a-zA-Z',
  'p{Digit}': '0-9',
  'p{Alnum}': 'a-zA-Z0-9',
  'p{Punct}': '!-\\/:-@\\[-`\\{-~',
  'p{Blank}': ' \\t',
  'p{XDigit}': '0-9a-fA-F',
  'p{Space}': ' \\t\\n\\v\\f\\r',
  s: ' \\t\\n\\v\\f\\r',
  h: ' \\t\\xa0\\u1680\\u180e\\u2000-\\u200a\\u202f\\u205f\\u3000',
};

/**
 * A regular expression of Java that must match the whole text (String.matches), as one of JavaScript. What means the same in both is taken over; the rest is
 * translated or refused, never taken for something else.
 * @throws DrayError JOB_INVALID
 */
export function javaPattern(source: string): RegExp {
  const { flags, rest } = leadingFlags(source);
  try {
    return new RegExp(`^(?:${translated(rest)})$`, `u${flags}`);
  } catch (cause) {
    const why = (cause as Error).message.replace(/^Invalid regular expression: /, '');
    throw new DrayError('JOB_INVALID', `the regular expression cannot be used: ${why}`, {
      cause,
      remedy: 'Write it in a form that JavaScript knows, too: without possessive quantifiers (a++), atomic groups and flags within.',
    });
  }
}

/** `(?i)` and `(?s)` in front of an expression. */
function leadingFlags(source: string): { flags: string; rest: string } {
  const match = /^\(\?([imsu]+)\)/.exec(source);
  if (match === null) return { flags: '', rest: source };
  return { flags: [...new Set(match[1]!.replaceAll('u', ''))].join(''), rest: source.slice(match[0].length) };
}

/** Stands for a token of the expression: an escape, the borders of a [class], anything else. */
const token = /\\Q([\s\S]*?)(?:\\E|$)|\\(p\{\w+\}|P\{\w+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|k<\w+>|[\s\S])|\[|\]|[\s\S]/gu;

function translated(source: string): string {
  let depth = 0;
  return source.replace(token, (whole: string, quoted: string | undefined, sign: string | undefined) => {
    if (quoted !== undefined) return quoted.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
    if (sign !== undefined) return escaped(whole, sign, depth > 0);
    if (whole === '[') {
      if (depth++ > 0) throw new Error('a [class] within a [class]');
    } else if (whole === ']') depth--;
    return whole;
  });
}

function escaped(whole: string, sign: string, isInClass: boolean): string {
  const members = classes[sign];
  if (members !== undefined) return isInClass ? members : `[${members}]`;
  const without = classes[sign.replace(/^P/, 'p').replace(/^S$/, 's').replace(/^H$/, 'h')];
  if (without !== undefined && /^[PSH]/.test(sign)) {
    if (isInClass) throw new Error(`${whole} within a [class]`);
    return `[^${without}]`;
  }
  if (sign === 'A' && !isInClass) return '^';
  if (sign === 'z' && !isInClass) return '$';
  // Letters that mean nothing in JavaScript are refused by its "u" mode; so would be signs that need no backslash there.
  if (/^[a-zA-Z0-9^$\\.*+?()[\]{}|/]/.test(sign) || (sign === '-' && isInClass)) return whole;
  return sign === '-' ? '-' : sign;
}
