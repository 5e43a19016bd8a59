import { DrayError } from 'dray/sdk';

/*
 * Paths and names as all storages read them. Pure: `/` parts them, nothing here looks at a disk or a server.
 */

/** A path with * or ?, cut at its first wildcard. */
export interface PathPattern {
  /** The folder that is named before the first wildcard, without `/` at its end (`''`: the root, `.`: the folder we are in). */
  readonly folder: string;
  /** What the names below it must be, one per level; the last one is the file's. */
  readonly levels: readonly RegExp[];
}

/** True if a path has wildcards. A file may have them in its name: look for it by that name first. */
export function hasWildcard(path: string): boolean {
  return /[*?]/.test(path);
}

/**
 * What a path with wildcards means: * any characters of one name, ? one of them. A name that starts with a dot is meant only if its level starts with one. Of a folder
 * that the whole pattern fits all files below are meant, as DataX reads `/data/*`.
 */
export function patternOf(path: string): PathPattern {
  const before = path.slice(0, path.search(/[*?]|$/));
  const cut = before.lastIndexOf('/');
  const levels = path.slice(cut + 1).split('/');
  return { folder: cut < 0 ? '.' : before.slice(0, cut), levels: levels.filter((level) => level !== '').map(nameExpression) };
}

function nameExpression(level: string): RegExp {
  const expression = level
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${/^[*?]/.test(level) ? '(?!\\.)' : ''}${expression}$`, 'su');
}

/** Whether a path below `pattern.folder`, seen from there, is meant by the pattern. */
export function isMeant(pattern: PathPattern, below: string): boolean {
  const names = below.split('/');
  return names.length >= pattern.levels.length && names.every((name, level) => pattern.levels[level]?.test(name) ?? !isHidden(name));
}

/** Unfinished files, and what others keep to themselves: left out unless it is named. */
export function isHidden(name: string): boolean {
  return name.startsWith('.');
}

/** Whether the file or a folder above it is hidden, seen from the folder that was named. */
export function isHiddenBelow(below: string): boolean {
  return below.split('/').some(isHidden);
}

/** The folder of a path, without `/` at its end (`''`: the root, `.`: the folder we are in). */
export function folderOf(path: string): string {
  const cut = path.lastIndexOf('/');
  return cut < 0 ? '.' : path.slice(0, cut);
}

export function nameIn(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Path of a name in a folder. */
export function inFolder(folder: string, name: string): string {
  if (folder === '.') return name;
  return folder.endsWith('/') ? `${folder}${name}` : `${folder}/${name}`;
}

/** What a file is called until it is published. */
export function temporaryName(name: string): string {
  return `.${name}.tmp`;
}

/** What an unfinished file would have been called; undefined if this is none. */
export function finalName(temporary: string): string | undefined {
  return /^\.(.+)\.tmp$/s.exec(temporary)?.[1];
}

/**
 * A name out of a listing, which somebody else made: a name that leads out of its folder would make us read, replace or remove another file
 * than the one that was listed.
 * @param where the folder for people
 * @throws DrayError FILE_BROKEN
 */
export function safeName(name: string, where: string): string {
  if (name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name)) return name;
  throw new DrayError('FILE_BROKEN', `${where} lists ${JSON.stringify(name)}, which is not the name of a file`, {
    place: where,
    remedy: 'Find out who put it there; no honest server lists such a name.',
  });
}

/** Order of files: by the code units of their paths, the same on every machine. */
export function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}
