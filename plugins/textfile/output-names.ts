import { readdir } from 'node:fs/promises';
import { writeFault } from './file-faults.ts';

export interface OutputNames {
  /** Name under which a task's file is published. */
  readonly final: (task: number) => string;
  /** Hidden name under which it is written. */
  readonly temporary: (final: string) => string;
  /** Published files of other runs. */
  readonly isOlder: (name: string) => boolean;
  /** Unpublished files of other runs. */
  readonly isOlderTemporary: (name: string) => boolean;
  /** Unpublished files of this run. */
  readonly isOwnTemporary: (name: string) => boolean;
}

/**
 * Names of a writer's files: `<fileName>__<run>_<task><suffix>`. Only names that are made like that are ever deleted; a file that merely
 * starts with the same letters is someone else's.
 */
export function outputNames({
  fileName,
  run,
  suffix,
  isGzip,
}: {
  fileName: string;
  run: string;
  suffix: string;
  isGzip: boolean;
}): OutputNames {
  const ending = `${suffix}${isGzip ? '.gz' : ''}`;
  const anySuffix = [...new Set(['.csv', '.txt', suffix])].map((one) => escaped(one)).join('|');
  // Ids of runs are all of one shape; "orders__archive_2024.csv" is nobody's output.
  const anyRun = run.replace(/[A-Za-z0-9]/g, '[A-Za-z0-9]');
  const made = new RegExp(`^${escaped(fileName)}__(${anyRun})_\\d{4,}(?:${anySuffix})(?:\\.gz)?$`, 's');
  const runOf = (name: string) => made.exec(name)?.[1];
  const published = (name: string) => (name.startsWith('.') && name.endsWith('.tmp') ? name.slice(1, -'.tmp'.length) : '');
  return {
    final: (task) => `${fileName}__${run}_${String(task).padStart(4, '0')}${ending}`,
    temporary: (final) => `.${final}.tmp`,
    isOlder: (name) => name === fileName || ![run, undefined].includes(runOf(name)),
    isOlderTemporary: (name) => ![run, undefined].includes(runOf(published(name))),
    isOwnTemporary: (name) => runOf(published(name)) === run,
  };
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

/** Names of the files in a folder, sorted; none if there is no such folder. */
export async function filesIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.flatMap((entry) => (entry.isFile() ? [entry.name] : [])).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw writeFault(error, folder);
  }
}
