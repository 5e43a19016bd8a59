import { BACKSLASH, CR, LF, TAB } from 'dray/sdk';

export interface ScanFormat {
  readonly delimiter: Buffer;
  /** Byte of the text qualifier; undefined: nothing is quoted. */
  readonly quote: number | undefined;
  /** A quote within quotes is written with a backslash in front, not doubled. */
  readonly isBackslashEscaped: boolean;
  readonly isTrimmed: boolean;
  /** First byte of lines that are no rows. */
  readonly comment?: number | undefined;
  readonly nullText: Buffer;
  readonly skipsEmptyRecords: boolean;
  /** True for UTF-8 itself; false if the bytes were decoded from another encoding, with U+FFFD where that failed. */
  readonly isUtf8: boolean;
  readonly maxFieldBytes?: number;
}

/** What a byte means; 0 for those that are just text. */
export const startsDelimiter = 1;
export const endsRow = 2;
export const returns = 3;
export const needsEscape = 4;
export const escapes = 5;
export const quotes = 6;

function kindsOf({ isBackslashEscaped }: ScanFormat): Uint8Array {
  const kinds = new Uint8Array(256);
  for (const byte of [TAB, CR, BACKSLASH]) kinds[byte] = needsEscape;
  if (isBackslashEscaped) kinds[BACKSLASH] = escapes;
  kinds[LF] = endsRow;
  return kinds;
}

/** For each byte what it means outside of quotes. */
export function plainKinds(format: ScanFormat): Uint8Array {
  const kinds = kindsOf(format);
  kinds[CR] = returns;
  kinds[format.delimiter[0]!] = startsDelimiter;
  return kinds;
}

/** And within. */
export function quotedKinds(format: ScanFormat): Uint8Array {
  const kinds = kindsOf(format);
  if (format.quote !== undefined) kinds[format.quote] = quotes;
  return kinds;
}
