import { accessSync, constants } from 'node:fs';

/** True if there is a program at this path that we may start. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
