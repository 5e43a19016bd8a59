import pc from 'picocolors';
import { type Comparison, isEqual } from './comparison.ts';
import { grouped } from './step.ts';

export interface Move {
  /** `shop.orders → warehouse.orders` */
  readonly title: string;
  /** `3.2 s`: how long dray ran. */
  readonly time: string;
  readonly comparison: Comparison;
}

/** One line per move: equal or not, and if not, what differs. */
export function summaryOf({ title, time, comparison }: Move): string {
  const { sourceRows, targetRows, different, missing, surplus, firstIds } = comparison;
  if (isEqual(comparison))
    return `${pc.green('equal')}      ${title}: ${grouped(sourceRows)} rows, each the same to the last byte; ${time}`;
  if (sourceRows === 0) return `${pc.red('NO ROWS')}    ${title}: the source is empty`;
  const facts = [
    `${grouped(sourceRows)} rows became ${grouped(targetRows)}`,
    `${different} differ`,
    `${missing} are missing`,
    `${surplus} are surplus`,
  ];
  return `${pc.red('NOT EQUAL')}  ${title}: ${facts.join(', ')}; first at id ${firstIds.join(', ')}`;
}

export const nextSteps = `What to type next:
  npx dray --help                                                      the commands
  npx dray template -r mysqlreader -w postgresqlwriter > job.json      a job file to fill in
  npx dray run job.json                                                run it, with MYSQL_PWD and PGPASSWORD set`;
