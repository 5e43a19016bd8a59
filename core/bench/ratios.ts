import { type LaneResult, median } from './results.ts';

/** How many times the seconds of a rival a command took, round by round: what else happened on the machine in a round happened to both. */
export interface Ratio {
  readonly lane: string;
  readonly command: string;
  readonly rival: string;
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Of each command that is no rival to each rival that took part. A void lane has none. */
export function ratiosOf({ lane, series, failure }: LaneResult): Ratio[] {
  if (failure !== undefined) return [];
  const took = series.filter((one) => one.runs.length > 0 && one.failure === undefined);
  const rivals = took.filter(({ isRival }) => isRival);
  return took
    .filter(({ isRival }) => !isRival)
    .flatMap((command) =>
      rivals.map((rival): Ratio => {
        const ratios = command.runs.map(({ seconds }, round) => seconds / rival.runs[round]!.seconds);
        return {
          ...{ lane, command: command.title, rival: rival.title },
          ...{ median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) },
        };
      }),
    );
}
