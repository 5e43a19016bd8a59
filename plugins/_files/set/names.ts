import { DrayError } from 'dray/sdk';

/** Behind the name of a data file: what `dray` knows of it. */
export const sidecarSuffix = '.meta.json';
/** Written last; a folder without it holds no finished set. */
export const successName = '_SUCCESS';

/** Names of the files of one writer in one folder. Only names that are made like that are ever deleted. */
export interface SetNames {
  /** Attempts have names of their own, so that a process that was taken for dead cannot write into the file of the one that goes on with its work. */
  readonly data: (task: number, part: number, attempt: number) => string;
  readonly manifest: string;
  /** Hidden; it is there as long as the run is, whose unfinished files are then left alone. */
  readonly mark: string;
  /** Hidden; it lists what is about to become visible, for whoever has to clean up after a crash. */
  readonly journal: string;
  /** Run that made a file of this set (data, sidecar, manifest, mark or journal); undefined: somebody else's file. */
  readonly runOf: (name: string) => string | undefined;
}

const markSuffix = '.writing.json';
const journalSuffix = '.publishing.json';

/** Whether a file tells of a run that writes, under whatever fileName. */
export function isMark(name: string): boolean {
  return name.startsWith('.') && name.endsWith(markSuffix);
}

/** Whether a file tells of a run that makes a set visible, under whatever fileName. */
export function isJournal(name: string): boolean {
  return name.startsWith('.') && name.endsWith(journalSuffix);
}

/** As the framework makes them: date, time, and what tells two of one second apart. */
const runShape = /^\d{8}-\d{6}-[0-9a-f]{6}$/;

/**
 * `<fileName>__<run>_<task>[-<part>][.try<attempt>]<suffix>`, and beside them `<fileName>__<run>.manifest.json`.
 * @param suffix of format and codecs: `.csv.gz`
 */
export function setNames(fileName: string, run: string, suffix: string): SetNames {
  const start = `${fileName}__`;
  // Ids of runs are all of one shape; "orders__archive_2024.csv" is nobody's output.
  const anyRun = runShape.test(run) ? runShape.source.slice(1, -1) : run.replace(/[A-Za-z0-9]/g, '[A-Za-z0-9]');
  const endings = [...new Set(['.csv', '.txt', '.copy', '.jsonl', '.parquet', suffix])].map(escaped).join('|');
  const data = `_\\d{4,}(?:-\\d+)?(?:\\.try\\d+)?(?:${endings})(?:\\.gz|\\.zst)?(?:\\.enc)?(?:\\.meta\\.json)?`;
  const made = new RegExp(`^${escaped(start)}(${anyRun})(?:${data}|\\.(?:manifest|publishing|writing)\\.json)$`, 's');
  const number = (value: number) => String(value).padStart(4, '0');
  return {
    data: (task, part, attempt) =>
      `${start}${run}_${number(task)}${part === 0 ? '' : `-${part}`}${attempt === 1 ? '' : `.try${attempt}`}${suffix}`,
    manifest: manifestName(fileName, run),
    mark: `.${start}${run}${markSuffix}`,
    journal: `.${start}${run}${journalSuffix}`,
    runOf: (name) => made.exec(name.replace(/^\./, ''))?.[1],
  };
}

export function manifestName(fileName: string, run: string): string {
  return `${fileName}__${run}.manifest.json`;
}

/** True for what stands beside data files and is none: sidecars, manifests, marks, and what is hidden. */
export function isBesideData(name: string): boolean {
  return name.startsWith('_') || name.startsWith('.') || name.endsWith(sidecarSuffix) || name.endsWith('.manifest.json');
}

/** A name that a manifest or a listing gives must stay in its folder. */
export function safeName(name: string, from: string): string {
  const isSafe =
    name !== '' &&
    name !== '.' &&
    name !== '..' &&
    ![...name].some((character) => character === '/' || character === '\\' || character < ' ');
  if (isSafe) return name;
  throw new DrayError('FILE_FORGED', 'a file is named with a path, and not with a name of its folder', { place: from });
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
