import { closeBrace, JsonScanner, openBrace, quoteMark, skipBlanks, valueStart } from './json-scanner.ts';

const comma = 0x2c;

/** Calls `found` for each key of the object in a line, with where its text and its value stand; false from it ends the walk. */
export type KeyFound = (keyFrom: number, keyTo: number, isKeyEscaped: boolean, from: number, to: number, escapes: number) => boolean;

/** Walks over the object that a line holds; false if the line is no JSON object. */
export function walkLine(scanner: JsonScanner, bytes: Buffer, from: number, to: number, found: KeyFound): boolean {
  let at = skipBlanks(bytes, from, to);
  if (at >= to || bytes[at] !== openBrace) return false;
  at = skipBlanks(bytes, at + 1, to);
  if (at < to && bytes[at] === closeBrace) return skipBlanks(bytes, at + 1, to) === to;
  for (;;) {
    if (at >= to || bytes[at] !== quoteMark) return false;
    const keyFrom = at + 1;
    const keyTo = scanner.stringEnd(bytes, keyFrom, to);
    if (keyTo === -1) return false;
    const isKeyEscaped = scanner.escapes !== 0;
    const valueFrom = valueStart(bytes, keyTo + 1, to);
    const valueTo = valueFrom === -1 ? -1 : scanner.valueEnd(bytes, valueFrom, to);
    if (valueTo === -1) return false;
    if (!found(keyFrom, keyTo, isKeyEscaped, valueFrom, valueTo, scanner.escapes)) return true;
    at = skipBlanks(bytes, valueTo, to);
    if (at >= to) return false;
    if (bytes[at] === closeBrace) return skipBlanks(bytes, at + 1, to) === to;
    if (bytes[at] !== comma) return false;
    at = skipBlanks(bytes, at + 1, to);
  }
}

/** The text of a key. */
export function keyText(bytes: Buffer, from: number, to: number, isEscaped: boolean): string {
  return isEscaped ? (JSON.parse(bytes.toString('utf8', from - 1, to + 1)) as string) : bytes.toString('utf8', from, to);
}

/** The keys of the object in a line, in order; undefined if the line is no JSON object. */
export function keysOf(bytes: Buffer, from: number, to: number): string[] | undefined {
  const keys: string[] = [];
  const isObject = walkLine(new JsonScanner(), bytes, from, to, (keyFrom, keyTo, isEscaped) => {
    keys.push(keyText(bytes, keyFrom, keyTo, isEscaped));
    return true;
  });
  return isObject ? keys : undefined;
}
