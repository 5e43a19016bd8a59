import { DrayError } from 'dray/sdk';

/** What tells cells apart, as the options give it. */
export interface Marks {
  readonly fieldDelimiter: string;
  readonly nullFormat: string;
  /** Undefined: nothing is quoted. */
  readonly quote: string | undefined;
  readonly isBackslashEscaped?: boolean;
}

/** Refuses delimiters, quotes and NULL texts that could not be told apart in a file. */
export function checkMarks({ fieldDelimiter: delimiter, nullFormat: nullText, quote, isBackslashEscaped }: Marks, side: 'read' | 'write') {
  if (/[\r\n]/.test(delimiter)) throw new DrayError('JOB_INVALID', 'fieldDelimiter holds a line end, which ends a row');
  if (quote !== undefined && delimiter.includes(quote)) throw new DrayError('JOB_INVALID', 'fieldDelimiter holds the text qualifier');
  if (isBackslashEscaped && delimiter.includes('\\'))
    throw new DrayError('JOB_INVALID', 'fieldDelimiter holds a backslash, which escapes in escapeMode 2');
  if (side === 'read') return;
  const isAmbiguous = `${nullText}${delimiter}`.indexOf(delimiter) !== nullText.length || /[\r\n]/.test(nullText);
  if (isAmbiguous || (quote !== undefined && nullText.includes(quote))) {
    throw new DrayError('JOB_INVALID', 'nullFormat holds a delimiter, a quote or a line end, so it could not be read back');
  }
}
