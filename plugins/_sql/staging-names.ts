import { createHash } from 'node:crypto';

/** Tables that dray makes beside a target: the rows of a run before they are published, and the rows that were there before that. */
export type StagingKind = 'new' | 'old';

/** Names of PostgreSQL end at 63 bytes, those of MySQL at 64 characters; what is left is for names of indexes and sequences of the table. */
const maxBytes = 56;

/**
 * Name of a table beside the target: `dray_new_20261121_030405_a1b2c3_0f1e2d3c_orders`. The same for each process of the run; another one for
 * each other run and each other target.
 * @param target whatever tells targets apart: schema and table
 */
export function stagingName(kind: StagingKind, run: string, target: { readonly schema: string; readonly table: string }): string {
  const start = `dray_${kind}_${runPart(run)}_${targetHash(target)}_`;
  return start + firstBytes(target.table, maxBytes - start.length);
}

/** Eight hexadecimal digits that stand for the target in names. */
export function targetHash({ schema, table }: { readonly schema: string; readonly table: string }): string {
  return digest(`${schema}\0${table}`);
}

/** A pattern of LIKE (escape `\`) that finds all such tables of a target; what it finds must prove by its comment that dray made it. */
export function stagingPattern(kind: StagingKind, target: { readonly schema: string; readonly table: string }): string {
  return `dray\\_${kind}\\_%\\_${targetHash(target)}\\_%`;
}

/** What stands in the comment of such a table: proof that it is ours, and of which run. */
export interface StagingMark {
  readonly run: string;
  readonly kind: StagingKind;
  readonly target: string;
}

const markStart = 'made by dray: ';

export function markText(mark: StagingMark): string {
  return markStart + JSON.stringify(mark);
}

/** Reads the comment of a table; undefined if it is not one of ours. */
export function readMark<M extends StagingMark = StagingMark>(comment: string | null): M | undefined {
  if (comment?.startsWith(markStart) !== true) return undefined;
  try {
    return JSON.parse(comment.slice(markStart.length)) as M;
  } catch {
    return undefined;
  }
}

/** When a run began, by its name `20261121-030405-a1b2c3` (UTC); undefined if the name does not tell. */
export function startOfRun(run: string): Date | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)(-|$)/.exec(run);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [number, number, number, number, number, number];
  return new Date(Date.UTC(year, month - 1, day, hour, minute, second));
}

const staleDays = 7;

/** True for a run that began so long ago that what it left will not be asked for again. */
export function isStaleRun(run: string, now = Date.now()): boolean {
  const start = startOfRun(run);
  return start !== undefined && now - start.getTime() > staleDays * 86_400_000;
}

function runPart(run: string): string {
  const plain = run.replaceAll('-', '_');
  return /^\w{1,24}$/.test(plain) ? plain : `${plain.replaceAll(/\W/g, '').slice(0, 14)}_${digest(run)}`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

/** The beginning of a text in so many bytes of UTF-8, whole characters. */
function firstBytes(text: string, bytes: number): string {
  let used = 0;
  let result = '';
  for (const character of text) {
    used += Buffer.byteLength(character);
    if (used > bytes) break;
    result += character;
  }
  return result;
}
