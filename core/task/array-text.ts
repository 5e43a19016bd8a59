const quotedOr = (plain: string) => new RegExp(String.raw`"((?:[^"\\]|\\.|"")*)"|${plain}`, 'gs');
const inArray = quotedOr('[^{},"]+');
const inRange = quotedOr(String.raw`[^{}()[\],"]+`);

/**
 * The values in a text in PostgreSQL's notation of arrays (`[0:1]={a,"b c",NULL}`, braces nested for each dimension), ranges (`[1,2)`) or
 * multiranges (`{[1,2),[4,)}`), without NULLs and open bounds. https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
 */
export function elementsOf(text: string): string[] {
  const isRange = /^\{?[[(](?![-\d:\][]+=)/.test(text);
  const found: string[] = [];
  for (const [plain, quoted] of text.replace(/^\s*(\[[-\d:]+\])+\s*=/, '').matchAll(isRange ? inRange : inArray)) {
    const value = quoted === undefined ? plain.trim() : quoted.replace(/\\(.)|"(")/gs, '$1$2');
    if (quoted !== undefined || (value !== '' && value !== 'empty' && value.toUpperCase() !== 'NULL')) found.push(value);
  }
  return found;
}
