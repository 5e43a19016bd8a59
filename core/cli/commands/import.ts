import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importedJob } from '../../job/imported-job.ts';
import { readJobSource } from '../../job/job-source.ts';
import { parseJobText } from '../../job/job-text.ts';
import { jobOf } from '../../job/load-job.ts';
import { SecretMask } from '../../job/secret-mask.ts';
import { asDrayError, DrayError } from '../../sdk/index.ts';
import { Screen } from '../screen.ts';

export interface ImportOptions {
  /** For the check of the job alone: in what is printed variables stay what they are. */
  readonly param: Record<string, string>;
  readonly output?: string;
}

/** `dray import datax`: prints job files as dray would have them; returns the exit code of the first that cannot be imported. */
export async function importJobs(files: readonly string[], options: ImportOptions): Promise<number> {
  const screen = new Screen();
  if (files.length > 1 && options.output === undefined) {
    screen.error(
      new DrayError('USAGE', 'several jobs do not make one file', {
        remedy: 'Import them one by one, or give a folder with --output.',
      }).toWire(),
    );
    return 2;
  }
  let exitCode = 0;
  for (const file of files) {
    try {
      await importJob(file, options, screen);
    } catch (error) {
      const failure = asDrayError(error);
      screen.error(failure.toWire());
      if (exitCode === 0) exitCode = failure.exitCode;
    }
  }
  return exitCode;
}

async function importJob(file: string, { param, output }: ImportOptions, screen: Screen): Promise<void> {
  const source = await readJobSource(file);
  // Its own mask: what a password is in this job may be an ordinary word in what is printed.
  const load = { parameters: param, environment: process.env, isLenient: true, mask: new SecretMask(), warn: () => undefined };
  const job = await jobOf(source, load);
  const text = importedJob(parseJobText(source.file, source.text.replace(/^\uFEFF/, '')), job);
  await jobOf({ ...source, text }, { ...load, isLenient: false });
  const named = `// From ${source.file === '-' ? 'standard input' : source.file}, a job file of DataX; \`dray docs datax\` lists all differences.\n${text.trimEnd()}\n`;
  if (screen.mask.apply(named) !== named) screen.warn(`${source.file}: a password in an address is printed as ***; put it into "password"`);
  if (output === undefined) screen.result(named);
  else save(join(output, `${source.name}.json`), screen.mask.apply(named), screen);
}

function save(path: string, text: string, screen: Screen): void {
  try {
    writeFileSync(path, text, { flag: 'wx' });
  } catch (cause) {
    const isThere = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    throw new DrayError(isThere ? 'FILE_EXISTS' : 'FILE_FAILED', `cannot write ${path}: ${(cause as Error).message}`, {
      cause,
      side: 'target',
      remedy: isThere ? 'Remove it, or give another folder.' : 'Make the folder, or give another one.',
    });
  }
  screen.line(path);
}
