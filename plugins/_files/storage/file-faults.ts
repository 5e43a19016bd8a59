import { DrayError } from 'dray/sdk';

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
}

/** What the operating system or zlib says about a file that is read, in dray's words. */
export function readFault(cause: unknown, path: string): unknown {
  const code = codeOf(cause);
  if (cause instanceof DrayError || code === '' || code === 'ABORT_ERR') return cause;
  if (code === 'ENOENT') return new DrayError('PATH_MISSING', `${path} is not there`, { cause, place: path });
  if (code.startsWith('Z_')) {
    return new DrayError('FILE_BROKEN', `${path} is damaged or cut off: gzip says "${(cause as Error).message}"`, { cause, place: path });
  }
  return new DrayError('FILE_FAILED', `${path} cannot be read (${code})`, { cause, place: path });
}

/** The same about a file or folder that is written. */
export function writeFault(cause: unknown, path: string): unknown {
  const code = codeOf(cause);
  if (cause instanceof DrayError || code === '' || code === 'ABORT_ERR') return cause;
  if (code === 'ENOSPC' || code === 'EDQUOT') return new DrayError('DISK_FULL', `there is no room for ${path}`, { cause, place: path });
  return new DrayError('FILE_FAILED', `${path} cannot be written (${code})`, { cause, place: path });
}
