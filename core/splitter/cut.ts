import type { Json, KeyPoint, KeySource, KeyValue, Split, SplitKey } from '../sdk/index.ts';
import { bisect } from './bisect.ts';
import { type ChosenKey, chooseKey, nameOf } from './choose-key.ts';
import { rangesOf, type SizedRange } from './ranges.ts';
import { bytesOf, piecesOf, type SplitSizes, splitSizes, type WantedSizes } from './size.ts';
import { walk } from './walk.ts';

/** Points asked for per piece, so that pieces can be put together evenly. */
const pointsPerPiece = 4;
/** Estimates of ranges and of the whole may differ by this factor; beyond it one of them is out of date. */
const believable = 4;
/** Where the metadata states so many times the rows that are thought to have a value, the others are NULL. */
const manyNulls = 1.5;
/** An interval that is this much bigger than a piece is worth a walk through the index. */
const tooBig = 1.5;
const firstStepRows = 5000;
const maxWalkSeconds = 30;

export interface CutContext extends SplitSizes, WantedSizes {
  readonly openKey: (split: Split, key: SplitKey) => Promise<KeySource>;
  /** Says what planning is about to do that takes long or loads the source. */
  readonly announce: (message: string) => void;
  /** Says how far it is. */
  readonly progress: (message: string) => void;
}

/** How a part was cut, or why it was not. */
export interface Cut {
  readonly part: Split;
  readonly key: SplitKey | undefined;
  readonly why: string;
  /** `whole`, `histogram`, `sample`, `blocks`, `index dives`, `keyset walk` or `scan`. */
  readonly method: string;
  /** None: the part is read as a whole. */
  readonly ranges: readonly SizedRange[];
  readonly rows: number | undefined;
  readonly dives: number;
  readonly seeks: number;
  readonly notes: readonly string[];
}

interface Found {
  readonly method: string;
  readonly points: readonly KeyPoint[];
  readonly max: KeyValue | undefined;
  /** True if the rows of the points are right, and better than the metadata. */
  readonly isCounted: boolean;
  readonly dives: number;
  readonly seeks: number;
  readonly state?: Json;
  readonly notes: readonly string[];
}

/** Cuts one part of a content by its best key. */
export async function cutPart(part: Split, context: CutContext): Promise<Cut> {
  const chosen = chooseKey(part);
  const pieces = piecesOf(part, context);
  if (part.keys === undefined && (part.why !== undefined || pieces < 2)) return whole(part, undefined, part.why ?? 'it is small');
  if (chosen === undefined) return whole(part, undefined, 'it has no key by which it could be cut');
  if (part.range !== undefined) return whole(part, undefined, 'the reader has cut it');
  if (pieces < 2) return whole(part, chosen, context.channels === 1 ? 'one task is enough' : 'it is small');
  const found = await findPoints(part, chosen.key, pieces, context);
  if (found === undefined) return whole(part, chosen, `no value of ${nameOf(chosen.key)} was found to cut at`);
  const { points, rows, notes } = weighed(part, chosen.key, found);
  const bytes = bytesOf(part);
  const counted = { ...part, estimatedRows: rows, ...(bytes === undefined ? {} : { estimatedBytes: bytes }) };
  const key = found.state === undefined ? chosen.key : { ...chosen.key, state: found.state };
  const countedPieces = () => piecesOf(counted, bytes === undefined ? { ...context, ...splitSizes([counted], context) } : context);
  const ranges = rangesOf(key, points, found.isCounted ? countedPieces() : pieces, found.max);
  const effort = { dives: found.dives, seeks: found.seeks };
  if (ranges.length === 0) return { ...whole(part, chosen, 'its rows lie too close together'), rows, notes, ...effort };
  return { part, key: chosen.key, why: chosen.why, method: found.method, ranges, rows, notes, ...effort };
}

function whole(part: Split, chosen: ChosenKey | undefined, why: string): Cut {
  return { part, key: chosen?.key, why, method: 'whole', ranges: [], rows: part.estimatedRows, dives: 0, seeks: 0, notes: [] };
}

/** Tries what the source offers, the cheapest first. */
async function findPoints(part: Split, key: SplitKey, pieces: number, context: CutContext): Promise<Found | undefined> {
  const source = await context.openKey(part, key);
  const boundSeeks = source.bounds === undefined ? 0 : 2;
  const known = await source.points?.(pieces * pointsPerPiece);
  if (known !== undefined) {
    const bounds = await source.bounds?.();
    return { ...known, max: bounds?.max, isCounted: false, dives: 0, seeks: boundSeeks, notes: known.notes ?? [] };
  }
  const bounds = await source.bounds?.();
  if (source.bounds !== undefined && bounds === undefined) return undefined;
  let dives = 0;
  let seeks = boundSeeks;
  if (bounds !== undefined && source.estimate !== undefined && source.between !== undefined && key.lacksStatistics !== true) {
    const { estimate, between } = source;
    const bisection = await bisect({ estimate, between }, key, bounds, pieces);
    dives = bisection.dives;
    seeks += bisection.seeks;
    if (bisection.isComplete || isEvenEnough(bisection.points, pieces) || source.step === undefined) {
      return { method: 'index dives', points: bisection.points, max: bounds.max, isCounted: false, dives, seeks, notes: [] };
    }
  }
  if (bounds !== undefined && source.step !== undefined) {
    const walked = await walkKey(source.step, { part, key, min: bounds.min, pieces }, context);
    // Rows that came meanwhile were walked over, too: the end must lie behind every point.
    const after = await source.bounds?.();
    return { ...walked, max: after?.max, dives, seeks: seeks + walked.seeks + boundSeeks };
  }
  if (source.scan === undefined) return undefined;
  context.announce(`planning reads ${part.name} once, because nothing else tells where the values of ${nameOf(key)} lie`);
  const scanned = await source.scan(pieces * pointsPerPiece);
  if (scanned === undefined) return undefined;
  return { ...scanned, max: undefined, isCounted: true, dives, seeks, notes: scanned.notes ?? [] };
}

interface WalkFacts {
  readonly part: Split;
  readonly key: SplitKey;
  readonly min: KeyValue;
  readonly pieces: number;
}

async function walkKey(
  step: NonNullable<KeySource['step']>,
  { part, key, min, pieces }: WalkFacts,
  { announce, progress }: CutContext,
): Promise<Omit<Found, 'max' | 'dives'>> {
  const name = nameOf(key);
  announce(
    `planning reads the index of ${name} of ${part.name}, for at most ${maxWalkSeconds} s, because its statistics do not tell where to cut`,
  );
  const walked = await walk(step, { min, pieces, rowsPerStep: firstStepRows, maxSeconds: maxWalkSeconds }, (rows) => {
    progress(`planning: ${part.name}, ${rows.toLocaleString('en-US')} values of ${name}`);
  });
  const rest = `planning stopped reading the index of ${name} of ${part.name} after ${maxWalkSeconds} s: the rest is one task`;
  return {
    method: 'keyset walk',
    points: walked.isComplete ? walked.points : withRest(walked.points, part.estimatedRows),
    isCounted: true,
    seeks: walked.seeks,
    notes: walked.isComplete ? [] : [rest],
  };
}

/** Points of which the last one holds all rows that the others do not. */
function withRest(points: readonly KeyPoint[], stated = 0): KeyPoint[] {
  const others = points.slice(0, -1);
  const { value, rows } = points.at(-1)!;
  return [...others, { value, rows: Math.max(rows, stated - others.reduce((sum, point) => sum + point.rows, 0)) }];
}

function isEvenEnough(points: readonly KeyPoint[], pieces: number): boolean {
  const total = points.reduce((sum, { rows }) => sum + rows, 0);
  return points.every(({ rows }) => rows <= (tooBig * total) / pieces);
}

interface Weighed {
  readonly points: readonly KeyPoint[];
  readonly rows: number;
  readonly notes: readonly string[];
}

/** The points' rows add up to what the metadata says of the whole, unless one of them is out of date. */
function weighed(part: Split, key: SplitKey, { points, isCounted, notes }: Found): Weighed {
  const sum = points.reduce((total, { rows }) => total + rows, 0);
  const { estimatedRows: stated } = part;
  if (stated === undefined || isCounted || sum === 0) return { points, rows: sum, notes };
  if (part.isFiltered !== true && key.isNullable && key.lacksStatistics !== true && stated > sum * manyNulls) {
    const [{ value, rows }, ...others] = points as readonly [KeyPoint, ...KeyPoint[]];
    const nulls = stated - sum;
    const note = `about ${round(nulls)} rows of ${part.name} have no ${nameOf(key)}: one task reads them all`;
    return { points: [{ value, rows: rows + nulls }, ...others], rows: stated, notes: [...notes, note] };
  }
  if (part.isFiltered !== true && (stated > sum * believable || sum > stated * believable)) {
    const outdated = `the statistics of ${part.name} are out of date: they say ${round(stated)} rows, its key about ${round(sum)}`;
    const remedy = part.refresh === undefined ? '' : `; ${part.refresh} brings them up to date`;
    return { points, rows: sum, notes: [...notes, `${outdated}${remedy}`] };
  }
  return { points: points.map(({ value, rows }) => ({ value, rows: (rows * stated) / sum })), rows: stated, notes };
}

function round(rows: number): string {
  return Math.round(rows).toLocaleString('en-US');
}
