/** What keys a path with * and ? means. */
export interface KeyPattern {
  /** All of them start with it; it ends with a `/`, or is empty. */
  readonly prefix: string;
  readonly matches: RegExp;
  /** True if all of them lie directly below the prefix. */
  readonly isFlat: boolean;
}

export function hasWildcards(path: string): boolean {
  return /[*?]/.test(path);
}

/** `*` and `?` match within one part of a key, and not the dot at its start: such files are unfinished or somebody's own. */
export function keyPattern(path: string): KeyPattern {
  const parts = path.replace(/\/+$/, '').split('/');
  const first = parts.findIndex(hasWildcards);
  return {
    prefix: parts
      .slice(0, first)
      .map((part) => `${part}/`)
      .join(''),
    matches: new RegExp(`^${parts.map(partPattern).join('/')}$`, 'us'),
    isFlat: first === parts.length - 1,
  };
}

function partPattern(part: string): string {
  const isAll = /^\*+$/.test(part);
  if (isAll) return '(?!\\.)[^/]+';
  const text = part.replace(/\*+|\?|[\\^$.|+()[\]{}]/g, (found) => {
    if (found === '?') return '[^/]';
    return found.startsWith('*') ? '[^/]*' : `\\${found}`;
  });
  return hasWildcards(part[0] ?? '') ? `(?!\\.)${text}` : text;
}

/** True if a part of the key, which lies below the folder `prefix`, starts with a dot. */
export function isHidden(key: string, prefix: string): boolean {
  return key[prefix.length] === '.' || key.includes('/.', prefix.length);
}
