import { type Column, DrayError } from 'dray/sdk';

/**
 * `column` of a reader, once the run has been planned: `*` is what it was then, by name, whatever the table has by now.
 * @returns for each planned column its name, or what the job file says
 */
export function plannedTexts(
  wanted: readonly string[],
  planned: readonly Column[],
): { readonly text: string; readonly isOfStar: boolean }[] {
  const isStar = (text: string) => text.trim() === '*';
  const stars = wanted.filter(isStar).length;
  const starWidth = stars === 0 ? 0 : (planned.length - wanted.length + stars) / stars;
  let at = 0;
  return wanted.flatMap((text): { text: string; isOfStar: boolean }[] => {
    const from = at;
    at += isStar(text) ? starWidth : 1;
    return isStar(text) ? planned.slice(from, at).map(({ name }) => ({ text: name, isOfStar: true })) : [{ text, isOfStar: false }];
  });
}

/**
 * The same as SQL.
 * @param known columns of the table; names among them are quoted, all else is as the user wrote it
 */
export function plannedExpressions(
  wanted: readonly string[],
  planned: readonly Column[],
  known: readonly Column[],
  quoteName: (name: string) => string,
): string[] {
  return plannedTexts(wanted, planned).map(({ text, isOfStar }) => {
    return isOfStar || known.some(({ name }) => name === text) ? quoteName(text) : text;
  });
}

/** What is being compared with the plan. */
export interface PlannedPlace {
  /** `table orders`, or `querySql` */
  readonly name: string;
  /** False for a further table of the content: its types may differ from those of the first, by which was planned, in their widths. */
  readonly isPlanned: boolean;
}

/** @throws DrayError SCHEMA_CHANGED if the columns to be read are not the ones that were planned */
export function requirePlanned(planned: readonly Column[], now: readonly Column[], place: PlannedPlace): void {
  const difference = differenceOf(planned, now, place.isPlanned);
  if (difference !== undefined) throw schemaChanged(place, difference);
}

function differenceOf(planned: readonly Column[], now: readonly Column[], isPlanned: boolean): string | undefined {
  if (planned.length !== now.length) return `it has ${now.length} columns, and ${planned.length} were planned`;
  for (const [index, column] of now.entries()) {
    const was = planned[index]!;
    if (column.name !== was.name) return `column ${index + 1} is "${column.name}", and "${was.name}" was planned`;
    if (column.type === was.type && (!isPlanned || column.nativeType === was.nativeType)) continue;
    return `column "${column.name}" is ${column.nativeType ?? column.type}, and ${was.nativeType ?? was.type} was planned`;
  }
  return undefined;
}

/** @param difference a clause that ends the sentence */
export function schemaChanged({ name, isPlanned }: PlannedPlace, difference: string, cause?: unknown): DrayError {
  if (isPlanned) return new DrayError('SCHEMA_CHANGED', `${name} has changed since the run was planned: ${difference}`, { cause });
  return new DrayError('SCHEMA_CHANGED', `${name} has not the columns of the first table, by which the run was planned: ${difference}`, {
    cause,
    remedy: 'Give the tables of one content the same columns, name those to read in "column", or make them contents of their own.',
  });
}

/** A table that is looked for when it is to be read, and was there when the run was planned. */
export async function requireTable<T>(name: string, found: Promise<T>): Promise<T> {
  try {
    return await found;
  } catch (error) {
    if (!(error instanceof DrayError) || error.code !== 'TABLE_MISSING') throw error;
    throw schemaChanged({ name: `table ${name}`, isPlanned: true }, error.message, error);
  }
}
