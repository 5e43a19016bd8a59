import { DrayError } from 'dray/sdk';
import { fractionText, isDay } from './times.ts';

export interface DateFormat {
  readonly type: 'date' | 'timestamp';
  /** The canonical text; undefined if the text has another format or is no date. */
  readonly parse: (text: string) => string | undefined;
  /** The text of a canonical date or timestamp, with what the pattern leaves out cut off; undefined for what has none: infinity, years before 1. */
  readonly print: (canonical: string) => string | undefined;
}

const parts = /^(yyyy?|MM?|dd?|HH?|mm?|ss?|S|S{3}|S{6}|S{9})$/;
const canonicalDate = /^(\d{4,})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:\+00)?)?$/;

/**
 * Compiles a pattern of Java's SimpleDateFormat: yyyy, MM, dd, HH, mm, ss, SSS, quoted and other texts. S are digits of a second's fraction, and never, as in Java,
 * a number of milliseconds.
 * @throws DrayError JOB_INVALID for letters that mean something else
 */
export function compileDateFormat(format: string): DateFormat {
  const tokens = format.match(/'(?:[^']|'')*'|([A-Za-z])\1*|[^A-Za-z']+/g) ?? [];
  if (tokens.join('') !== format) throw invalid(format, 'a quote in it is not closed');
  const letters: string[] = [];
  const pattern = tokens.map((token, index) => {
    const letter = token[0]!;
    if (!/[A-Za-z]/.test(letter)) return escaped(literal(token));
    if (!parts.test(token)) throw invalid(format, `"${token}" is not supported`);
    if (letters.includes(letter)) throw invalid(format, `"${letter}" stands in it twice`);
    letters.push(letter);
    // Like Java, a number that is followed by a text may be shorter; one that is followed by a number may not.
    if (token === 'S') return '(\\d{3}|0{1,3})';
    const isBeforeNumber = /^[A-Za-z]/.test(tokens[index + 1] ?? '');
    if (letter === 'y') return '(\\d{4})';
    const isFixed = isBeforeNumber || letter === 'S';
    return isFixed ? `(\\d{${token.length}})` : '(\\d{1,2})';
  });
  if (!letters.includes('y')) throw invalid(format, 'it has no year (yyyy)');
  const expression = new RegExp(`^${pattern.join('')}$`);
  const hasTime = /[HmsS]/.test(letters.join(''));
  return {
    type: hasTime ? 'timestamp' : 'date',
    parse(text) {
      const match = expression.exec(text.trim());
      if (match === null) return undefined;
      const part = (letter: string, missing: string) =>
        letters.includes(letter) ? match[letters.indexOf(letter) + 1]!.padStart(2, '0') : missing;
      const [year, month, day] = [part('y', ''), part('M', '01'), part('d', '01')];
      if (!isDay(Number(year), Number(month), Number(day))) return undefined;
      if (!hasTime) return `${year}-${month}-${day}`;
      const [hour, minute, second] = [part('H', '00'), part('m', '00'), part('s', '00')];
      const fraction = fractionText(letters.includes('S') ? match[letters.indexOf('S') + 1] : undefined);
      if (fraction === undefined || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
      return `${year}-${month}-${day} ${hour}:${minute}:${second}${fraction}`;
    },
    print(canonical) {
      const match = canonicalDate.exec(canonical);
      if (match === null) return undefined;
      return tokens.map((token) => (/[A-Za-z]/.test(token[0]!) ? printed(token, match) : literal(token))).join('');
    },
  };
}

/** @param match of a canonical date */
function printed(token: string, match: RegExpExecArray): string {
  const letter = token[0]!;
  const digits = match['yMdHmsS'.indexOf(letter) + 1];
  if (letter === 'S') return (digits ?? '').padEnd(9, '0').slice(0, token === 'S' ? 3 : token.length);
  return letter === 'y' ? (digits ?? '') : String(Number(digits ?? 0)).padStart(token.length, '0');
}

/** A token that is no letter: a text in quotes, or as it is. */
function literal(token: string): string {
  if (token[0] !== "'") return token;
  return token === "''" ? "'" : token.slice(1, -1).replaceAll("''", "'");
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

function invalid(format: string, why: string): DrayError {
  return new DrayError('JOB_INVALID', `the date format "${format}" cannot be used: ${why}`, {
    remedy: "Write it with yyyy, MM, dd, HH, mm, ss and SSS; other letters stand in quotes, like 'T'.",
  });
}
