import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

export interface OutputFolder {
  /** Relative to the current folder, as it is shown and passed on. */
  readonly name: string;
  readonly path: string;
}

/** The folder `demo-output` in the current folder, where the files of the demo stay; git ignores it. */
export async function makeOutputFolder(): Promise<OutputFolder> {
  const name = 'demo-output';
  const path = resolve(name);
  await mkdir(path, { recursive: true });
  await writeFile(join(path, '.gitignore'), '*\n');
  return { name, path };
}

export async function sizeOfFiles({ path }: OutputFolder, extension: string): Promise<{ files: number; bytes: number }> {
  const names = (await readdir(path)).filter((name) => name.endsWith(extension));
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(path, name))).size));
  return { files: names.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}
