import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type DrayResult, runDray, writeJob } from '../../support/run-dray.ts';
import type { Database } from './databases.ts';
import { columnOf, type TypeCase } from './type-case.ts';

interface End {
  readonly name: string;
  readonly parameter: Record<string, unknown>;
}

export function tableReader({ kind, login }: Database, table: string, more: object = {}): End {
  const { jdbcUrl, ...user } = login;
  return { name: `${kind}reader`.replace('postgres', 'postgresql'), parameter: { ...user, ...more, connection: [{ jdbcUrl, table }] } };
}

export function tableWriter({ kind, login }: Database, table: string, more: object = {}): End {
  const { jdbcUrl, ...user } = login;
  return { name: `${kind}writer`.replace('postgres', 'postgresql'), parameter: { ...user, ...more, connection: [{ jdbcUrl, table }] } };
}

export function fileWriter(folder: string, more: object = {}): End {
  return { name: 'txtfilewriter', parameter: { path: join(folder, 'out'), fileName: 'types', writeMode: 'truncate', ...more } };
}

/** Bytes are told from texts by a declared type; all else is read as text. */
export function fileReader(folder: string, cases: readonly TypeCase[], more: object = {}): End {
  const column = [
    { index: 0, type: 'string', name: 'id' },
    ...cases.map(({ inFile = 'string' }, index) => ({ index: index + 1, type: inFile, name: columnOf(index) })),
  ];
  return { name: 'txtfilereader', parameter: { path: join(folder, 'out'), column, ...more } };
}

/** A column of the source, of the target, and SQL expressions of values at the source. */
export interface ColumnPair {
  readonly from: string;
  readonly to: string;
  readonly values: readonly string[];
}

/** Keeps every row; but it looks at a cell, so that the reader has to deliver text. */
export const looksAtCells = { name: 'dx_filter', parameter: { columnIndex: 0, paras: ['like', 'never'] } };

/** Runs a job with the real command line. */
export function runTrip(
  folder: string,
  reader: End,
  writer: End,
  errorLimit = 0,
  transformer: readonly object[] = [],
): Promise<DrayResult> {
  const setting = { speed: { channel: 1 }, errorLimit: { record: errorLimit } };
  return runDray(['run', writeJob(folder, { job: { setting, content: [{ reader, transformer, writer }] } }), '--json']);
}

/** Runs a job that must take every row as it is. */
export async function move(folder: string, reader: End, writer: End): Promise<void> {
  const { exitCode, stderr, report } = await runTrip(folder, reader, writer, 1000);
  expect({ exitCode, stderr, dirty: report?.rows.dirty }).toEqual({
    exitCode: 0,
    stderr: expect.not.stringContaining('warning') as string,
    dirty: 0,
  });
}

/** Through files and back. */
export async function moveByFile(
  folder: string,
  { from, to, cases, compress }: { from: End; to: End; cases: readonly TypeCase[]; compress: 'none' | 'gzip' },
): Promise<void> {
  rmSync(join(folder, 'out'), { recursive: true, force: true });
  await move(folder, from, fileWriter(folder, { compress }));
  await move(folder, fileReader(folder, cases), to);
}
