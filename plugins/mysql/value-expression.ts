import type { Column } from 'dray/sdk';

/**
 * SQL that turns the canonical text of a cell into a value of the target's column; undefined if the server takes the text as it is.
 * @param text SQL of the cell's text or NULL: a variable of LOAD DATA, or a literal
 */
export function valueExpression(source: Column, target: Column, text: string): string | undefined {
  const native = (target.nativeType ?? '').toLowerCase();
  if (source.type === 'boolean' && target.type !== 'string' && target.type !== 'json') return truth(text);
  if (native.startsWith('bit')) {
    // A text, even '1', would be taken as the bits of its characters.
    if (source.type === 'boolean') return `CAST(${truth(text)} AS UNSIGNED)`;
    if (source.type === 'integer') return `CAST(${text} AS DECIMAL(65,0))`;
    return `CAST(CONV(${text}, 2, 10) AS UNSIGNED)`;
  }
  if (target.type === 'bytes' && source.type === 'bytes') return `UNHEX(SUBSTR(${text}, 3))`;
  // The session's time zone is UTC; texts that come with another offset are refused by the server.
  const isInstant = source.type === 'timestamptz' || (source.type === 'string' && target.type === 'timestamptz');
  if (isInstant && target.type !== 'string') return `TRIM(TRAILING '+00' FROM ${text})`;
  // The shortest text of the largest single is a little more than that single is, and out of range for MySQL.
  if (target.mantissaBits === 24 && source.type !== 'integer') {
    return `CASE ABS(${text}) WHEN 3.4028235e38 THEN SIGN(${text}) * 3.4028234663852886e38 ELSE ${text} END`;
  }
  // The year 0 is not the year 2000.
  if (native === 'year' || native === 'year(4)') return `LPAD(${text}, GREATEST(4, CHAR_LENGTH(${text})), '0')`;
  return undefined;
}

function truth(text: string): string {
  return `CASE ${text} WHEN 'true' THEN 1 WHEN 'false' THEN 0 ELSE ${text} END`;
}
