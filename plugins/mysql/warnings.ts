import { DrayError } from 'dray/sdk';
import type { ResultSetHeader } from 'mysql2';
import type { Session } from './connection.ts';
import { rowFault } from './faults.ts';

/** Warnings about the statement, not about a row: VALUES() is deprecated (1287), a statement unsafe for the binary log (1592). */
const harmless = new Set(['1287', '1592']);

/**
 * Throws if a statement that writes rows gave a warning: then the server has bent or skipped one.
 * @throws DrayError ROW_REJECTED, with row and column where the warning says them
 */
export async function refuseWarnings(session: Session, { warningStatus }: ResultSetHeader): Promise<void> {
  if (warningStatus === 0) return;
  const warnings = (await session.query('SHOW WARNINGS')).filter(([, code]) => !harmless.has(code!));
  const [first] = warnings;
  if (first === undefined) return;
  const [, code, message] = first as [string, string, string];
  throw rowFault(Number(code), message) ?? new DrayError('ROW_REJECTED', `a value that the server takes only with a warning [${code}]`);
}
