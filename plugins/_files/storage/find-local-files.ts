import { readdir } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { readFault } from './file-faults.ts';

/**
 * The files that a path means, sorted: a file, all files below a folder, or what a pattern with * and ? fits, files and folders. Files and folders whose names start with a dot are
 * left out unless they are named: unfinished output is called like that.
 */
export async function findLocalFiles(path: string): Promise<string[]> {
  return (await filesAt(path)).sort((a, b) => (a < b ? -1 : 1));
}

async function filesAt(path: string): Promise<string[]> {
  const kind = await kindOf(path);
  if (kind === 'folder') return matching(['**'], resolve(path));
  if (kind === 'file') return [resolve(path)];
  if (!/[*?]/.test(path)) return [];
  const { escapePath } = await import('tinyglobby');
  const pattern = resolve(path)
    .split(/([*?]+)/)
    .map((part, index) => (index % 2 === 0 ? escapePath(part) : part.replace(/\*+/g, '*')))
    .join('');
  return matching([pattern, `${pattern}/**`], '/');
}

/** What stands at a path, as it is: a name may hold the characters of patterns. */
async function kindOf(path: string): Promise<'file' | 'folder' | 'nothing'> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'nothing';
    throw readFault(error, path);
  }
}

async function matching(patterns: string[], folder: string): Promise<string[]> {
  const { glob } = await import('tinyglobby');
  let fault: unknown;
  // The library skips folders that it may not read; their files would be missing without a word.
  const watchedReaddir = ((at: string, options: { withFileTypes: true }, done: (error: unknown, entries: unknown) => void) =>
    readdir(at, options, (error, entries) => {
      if (error !== null && error.code !== 'ENOENT' && error.code !== 'ENOTDIR') fault ??= readFault(error, at);
      done(error, entries);
    })) as unknown as typeof readdir;
  const files = await glob(patterns, {
    cwd: folder,
    absolute: true,
    expandDirectories: false,
    braceExpansion: false,
    extglob: false,
    fs: { readdir: watchedReaddir },
  });
  if (fault !== undefined) throw fault;
  return files;
}
