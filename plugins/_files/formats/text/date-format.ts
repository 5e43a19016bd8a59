import { DrayError } from 'dray/sdk';
import { fractionText, isDay } from './times.ts';

export interface DateFormat {
  readonly type: 'date' | 'timestamp';
  /** The canonical text; undefined if the text has another format or is no date. */
  readonly parse: (text: string) => string | undefined;
}

const parts = /^(yyyy|MM?|dd?|HH?|mm?|ss?|S{3}|S{6}|S{9})$/;

/**
 * Compiles a pattern of Java's SimpleDateFormat: yyyy, MM, dd, HH, mm, ss, SSS, quoted and other texts.
 * @throws DrayError JOB_INVALID for letters that mean something else
 */
export function compileDateFormat(format: string): DateFormat {
  const tokens = format.match(/'(?:[^']|'')*'|([A-Za-z])\1*|[^A-Za-z']+/g) ?? [];
  if (tokens.join('') !== format) throw invalid(format, 'a quote in it is not closed');
  const letters: string[] = [];
  const pattern = tokens.map((token, index) => {
    const letter = token[0]!;
    if (letter === "'") return escaped(token === "''" ? "'" : token.slice(1, -1).replaceAll("''", "'"));
    if (!/[A-Za-z]/.test(letter)) return escaped(token);
    if (!parts.test(token)) throw invalid(format, `"${token}" is not supported`);
    if (letters.includes(letter)) throw invalid(format, `"${letter}" stands in it twice`);
    letters.push(letter);
    // Like Java, a number that is followed by a text may be shorter; one that is followed by a number may not.
    const isBeforeNumber = /^[A-Za-z]/.test(tokens[index + 1] ?? '');
    const isFixed = isBeforeNumber || letter === 'y' || letter === 'S';
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
  };
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

function invalid(format: string, why: string): DrayError {
  return new DrayError('JOB_INVALID', `the date format "${format}" cannot be used: ${why}`, {
    remedy: "Write it with yyyy, MM, dd, HH, mm, ss and SSS; other letters stand in quotes, like 'T'.",
  });
}
