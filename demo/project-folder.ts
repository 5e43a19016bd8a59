import { join, resolve } from 'node:path';

/** The folder of package.json; this module runs as dist/demo/project-folder.js. */
export const projectFolder = resolve(import.meta.dirname, '..', '..');

export function jobFile(name: string): string {
  return join(projectFolder, 'jobs', name);
}
