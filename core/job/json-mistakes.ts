import { type ParseError, printParseErrorCode } from 'jsonc-parser';
import { endOfText } from './json-dialect.ts';

/** What is wrong with a job file that is no JSON, and where. */
export interface JsonMistake {
  /** Behind "the job file is not JSON: ". */
  readonly what: string;
  readonly offset: number;
}

/** Characters of other keyboards, and what they were meant to be. */
const lookalikes: Readonly<Record<string, string>> = {
  '“': '"',
  '”': '"',
  '„': '"',
  '‘': '"',
  '’': '"',
  '＂': '"',
  '，': ',',
  '、': ',',
  '：': ':',
  '；': ',',
  ';': ',',
  '｛': '{',
  '｝': '}',
  '［': '[',
  '］': ']',
  '【': '[',
  '】': ']',
};

/** Words of other languages. */
const literals: Readonly<Record<string, string>> = {
  True: 'true',
  TRUE: 'true',
  False: 'false',
  FALSE: 'false',
  None: 'null',
  NULL: 'null',
  Null: 'null',
  nil: 'null',
  undefined: 'null',
};

/**
 * The first mistake, in words.
 * @param text the job as it was written
 */
export function mistakeIn(text: string, { error, offset, length }: ParseError): JsonMistake {
  const unclosed = unclosedText(text, offset);
  if (unclosed !== undefined) return { what: 'this text has no quotation mark at its end', offset: unclosed };
  const found = text.slice(offset, offset + Math.max(1, length));
  const code = printParseErrorCode(error);
  if (code === 'InvalidSymbol') return unknownSymbol(found, offset);
  const seen = lookalikes[found[0]!];
  if (seen !== undefined) return { what: `write ${seen} in place of ${found[0]}`, offset };
  if (code === 'CommaExpected' && found[0] === '}') return { what: 'a ] is missing before this', offset };
  if (code === 'CommaExpected' && found[0] === ']') return { what: 'a } is missing before this', offset };
  if (code === 'InvalidEscapeCharacter' || code === 'InvalidUnicode') return wrongEscape(text, offset);
  return { what: words[code] ?? 'something is wrong here', offset };
}

const words: Readonly<Record<string, string>> = {
  InvalidNumberFormat: 'this is no number',
  PropertyNameExpected: 'the name of a key is missing, in quotation marks',
  ValueExpected: 'a value is missing',
  ColonExpected: 'colon expected',
  CommaExpected: 'a comma is missing before this',
  CloseBraceExpected: 'a } is missing, which ends an object',
  CloseBracketExpected: 'a ] is missing, which ends a list',
  EndOfFileExpected: 'the job has ended before this; there is a bracket too many',
  UnexpectedEndOfComment: 'this comment has no end',
  UnexpectedEndOfString: 'this text has no quotation mark at its end',
  UnexpectedEndOfNumber: 'this is no number',
};

function unknownSymbol(found: string, offset: number): JsonMistake {
  for (const [index, char] of [...found].entries()) {
    const meant = lookalikes[char];
    if (meant !== undefined) return { what: `write ${meant} in place of ${char}`, offset: offset + index };
  }
  if (found.startsWith('#')) return { what: '# begins no comment; write //', offset };
  const literal = literals[found];
  if (literal !== undefined) return { what: `write ${literal} in place of ${found}`, offset };
  if (/^(\.{2,}|…)/.test(found)) return { what: `${found} stands for something that was left out`, offset };
  return { what: `${found} is no value; texts and names of keys stand in quotation marks`, offset };
}

/** A text that goes over a line end and is followed by what nobody wrote there: its quotation mark was forgotten. */
function unclosedText(text: string, offset: number): number | undefined {
  let at = 0;
  while (at < offset) {
    const start = at + text.slice(at).search(/["']|\/\/|\/\*/);
    if (start < at || start >= offset) return undefined;
    if (text[start] === '/') {
      const end = text.indexOf(text[start + 1] === '/' ? '\n' : '*/', start);
      at = end === -1 ? text.length : end + 1;
      continue;
    }
    at = endOfText(text, start);
    if (text.slice(start, at).includes('\n') && text.slice(at, offset).trim() === '') return start;
  }
  return undefined;
}

/** @param start of the text with the escape */
function wrongEscape(text: string, start: number): JsonMistake {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] !== '\\') continue;
    const written = text.slice(at, at + 2);
    if (written === '\\u' && !/^[0-9a-f]{4}/i.test(text.slice(at + 2))) return { what: '\\u needs four hexadecimal digits', offset: at };
    if (!/[\\"'/bfnrtu]/.test(written[1] ?? '')) return { what: `${written} means nothing in a text; write \\${written}`, offset: at };
    at++;
  }
  return { what: 'a backslash in a text is written twice', offset: start };
}
