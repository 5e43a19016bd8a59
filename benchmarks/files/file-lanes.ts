import type { Arena } from '../arena.ts';
import type { Course } from '../course.ts';
import { csvToTable, setToTable, verifiedSetToTable } from './reading-lanes.ts';
import { download, upload } from './transfer-lanes.ts';
import { tableToFiles } from './writing-lanes.ts';

export type FileCourse = Pick<Course, 'contestants' | 'prepare' | 'check'>;

/** Commands that do the same work with files, and how it is known that they have done it. */
export interface FileLane {
  readonly name: string;
  /** Makes ready what the commands need. */
  course(rows: number, arena: Arena): Promise<FileCourse>;
}

export const fileLanes: readonly FileLane[] = [
  { name: 'postgres-csv-gzip', course: (rows, arena) => tableToFiles(arena, rows, 'local', 'gzip', ['gzip']) },
  { name: 'postgres-csv-zstd', course: (rows, arena) => tableToFiles(arena, rows, 'local', 'zstd', ['gzip', 'zstd']) },
  { name: 'csv-postgres', course: (rows, arena) => csvToTable(arena, rows) },
  { name: 'verified-postgres', course: (rows, arena) => verifiedSetToTable(arena, rows) },
  { name: 'sftp-upload', course: (rows, arena) => upload(arena, rows, 'sftp') },
  { name: 'sftp-download', course: (rows, arena) => download(arena, rows, 'sftp') },
  { name: 'postgres-sftp', course: (rows, arena) => tableToFiles(arena, rows, 'sftp', 'none', ['sftp']) },
  { name: 's3-upload', course: (rows, arena) => upload(arena, rows, 's3') },
  { name: 's3-download', course: (rows, arena) => download(arena, rows, 's3') },
];

/** What `--files --memory` runs, on two channels. */
export const fileMemoryLanes: readonly FileLane[] = [
  { name: 'memory-postgres-local-zstd', course: (rows, arena) => tableToFiles(arena, rows, 'local', 'zstd') },
  { name: 'memory-local-zstd-postgres', course: (rows, arena) => setToTable(arena, rows, 'local', 'zstd') },
  { name: 'memory-postgres-sftp', course: (rows, arena) => tableToFiles(arena, rows, 'sftp', 'none') },
  { name: 'memory-sftp-postgres', course: (rows, arena) => setToTable(arena, rows, 'sftp', 'none') },
  { name: 'memory-postgres-s3', course: (rows, arena) => tableToFiles(arena, rows, 's3', 'none') },
  { name: 'memory-s3-postgres', course: (rows, arena) => setToTable(arena, rows, 's3', 'none') },
];

/** 2 GB. */
export const fileMemoryRows = 10_000_000;
export const fileMemoryRuns = 1;
export const fileLaneNames: readonly string[] = fileLanes.map(({ name }) => name);
