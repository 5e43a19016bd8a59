import type { Node } from 'jsonc-parser';

/*
 * DataX's parser (JSONReader of fastjson2) takes more than JSON: texts in single quotes, and texts that hold line ends and tabs as they are, as queries of several lines
 * do. Such a job is turned into JSON of the same length, so that places stay right; what JSON does not allow in a text is a noncharacter of Unicode meanwhile, which no
 * text has.
 */

/** U+FDD0 to U+FDEF are noncharacters, as many as there are control characters. */
const firstStandIn = 0xfdd0;
const quoteStandIn = '\uFFFE';
const nothing = '\uFFFF';

/** Blanks that nobody sees, and that come along when a job is copied from a web page. */
const blank = /[\u00A0\u1680\u2000-\u200D\u2028\u2029\u202F\u205F\u2060\u3000\uFEFF]/;

/** A job text as JSON with comments and trailing commas, of the same length. */
export function strictJson(text: string): string {
  let strict = '';
  let at = 0;
  while (at < text.length) {
    const from = at;
    const char = text[at]!;
    if (char === '"' || char === "'") {
      at = endOfText(text, at);
      strict += strictText(text.slice(from, at), char);
    } else if (char === '/' && (text[at + 1] === '/' || text[at + 1] === '*')) {
      at = endOfComment(text, at);
      strict += text.slice(from, at);
    } else {
      at++;
      strict += blank.test(char) ? ' ' : char;
    }
  }
  return strict;
}

/** Gives the texts below a node of the parsed job, which nobody else has seen yet, their own characters. */
export function restoreTexts(node: { -readonly [K in keyof Node]: Node[K] }): void {
  if (typeof node.value === 'string' && /[\uFDD0-\uFDEF\uFFFE\uFFFF]/.test(node.value)) {
    node.value = node.value
      .replaceAll(nothing, '')
      .replaceAll(quoteStandIn, '"')
      .replace(/[\uFDD0-\uFDEF]/g, (standIn) => String.fromCharCode(standIn.charCodeAt(0) - firstStandIn));
  }
  for (const child of node.children ?? []) restoreTexts(child);
}

/** Where the text that begins at `start` ends, behind its quotation mark; the end of the job if it has none. */
export function endOfText(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === text[start]) return at + 1;
  }
  return text.length;
}

function endOfComment(text: string, start: number): number {
  const isLine = text[start + 1] === '/';
  const end = text.indexOf(isLine ? '\n' : '*/', start + 2);
  if (end === -1) return text.length;
  return isLine ? end : end + 2;
}

function strictText(text: string, quote: string): string {
  const visible = text.replace(/[^ -\uFFFF]/g, (control) => String.fromCharCode(firstStandIn + control.charCodeAt(0)));
  if (quote === '"') return visible.replace(/\\(.)/gs, (found, char) => (char === "'" ? `'${nothing}` : found));
  const inner = visible.slice(1).replace(/\\(.)|["']/gs, (found, char) => {
    if (found === '"') return quoteStandIn;
    if (found === "'") return '"';
    return char === "'" ? `'${nothing}` : found;
  });
  return `"${inner}`;
}
