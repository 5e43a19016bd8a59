import { DrayError, type ErrorCode } from 'dray/sdk';
import { isTlsError } from '../_sql/tls-options.ts';

/** The parts of a pg DatabaseError that are used. */
interface ServerError extends Error {
  readonly code?: string;
  readonly where?: string;
  readonly column?: string;
  readonly constraint?: string;
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html; without the values that the server's own messages quote. */
const rowFaults: Record<string, string> = {
  '22P02': "a text that is not a value of the column's type",
  '22P03': "a text that is not a value of the column's type",
  '22001': 'a value that is too long',
  '22003': 'a number out of range',
  '22007': 'a text that is not a date or time',
  '22008': 'a date or time out of range',
  '22021': 'a NUL character or bytes that are not UTF-8',
  '22P05': 'a character that the encoding of the database does not have',
  '22026': 'a bit string of another length',
  '23502': 'NULL in a column that is not null',
  '23503': 'a foreign key without its row',
  '23505': 'a key that is there already',
  '23514': 'a value that a check constraint refuses',
  '23P01': 'a value that an exclusion constraint refuses',
  P0001: 'a row that a trigger refuses',
};

const codes: Record<string, ErrorCode> = {
  '28P01': 'LOGIN_REFUSED',
  '28000': 'LOGIN_REFUSED',
  '3D000': 'DATABASE_MISSING',
  '42P01': 'TABLE_MISSING',
  '3F000': 'TABLE_MISSING',
  '42703': 'COLUMN_MISSING',
  '42501': 'PERMISSION_DENIED',
  '53100': 'DISK_FULL',
  '57P01': 'CONNECTION_LOST',
  '57P02': 'CONNECTION_LOST',
  '57P05': 'CONNECTION_LOST',
  '25P03': 'CONNECTION_LOST',
  '57P03': 'SERVER_BUSY',
  '53000': 'SERVER_BUSY',
  '53200': 'SERVER_BUSY',
  '53300': 'SERVER_BUSY',
  '40001': 'CONFLICT',
  '40P01': 'CONFLICT',
  '55P03': 'CONFLICT',
};

const lost =
  /^(ECONNRESET|EPIPE|ETIMEDOUT|ERR_STREAM_\w+|08\w{3})$|Connection terminated|Client has encountered a connection error|Client was closed|not queryable/;

/** What the server said, as an error of ours; `doing` completes the sentence "cannot …". */
export function serverFault(error: unknown, doing: string): DrayError {
  if (error instanceof DrayError) return error;
  const { code = '', message } = error as ServerError;
  const kind = codes[code] ?? (lost.test(code) || lost.test(message) ? 'CONNECTION_LOST' : 'SQL_FAILED');
  return new DrayError(kind, `cannot ${doing}: ${message}`, { cause: error });
}

/** An error while connecting; `where` is the server for people. */
export function connectFault(error: unknown, where: string, { user, database }: { user: string | undefined; database: string }): DrayError {
  const { code = '', message } = error as ServerError;
  if (code === '3D000') return new DrayError('DATABASE_MISSING', `${where} has no database "${database}"`, { cause: error });
  if (code.startsWith('28') || /password|SASL|SCRAM/.test(message)) {
    return new DrayError(
      'LOGIN_REFUSED',
      `${where} refuses the login of ${user ?? 'a user without a name'} to database "${database}": ${message}`,
      {
        cause: error,
      },
    );
  }
  if (isTlsError(code) || /does not support SSL|certificate/i.test(message)) {
    return new DrayError('TLS_FAILED', `no trusted TLS connection to ${where}: ${message}`, { cause: error });
  }
  const kind = codes[code] === 'SERVER_BUSY' ? 'SERVER_BUSY' : 'CONNECT_FAILED';
  return new DrayError(kind, `cannot connect to ${where}: ${reasonOf(code, message)}`, { cause: error });
}

function reasonOf(code: string, message: string): string {
  if (code === 'ECONNREFUSED') return 'nothing listens there';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the host name is unknown';
  if (code === 'ETIMEDOUT' || /timeout/i.test(message)) return 'no answer within 10 s';
  return message || code;
}

/**
 * An error of COPY or INSERT: ROW_REJECTED where it is about a row (SQLSTATE classes 22, 23 and 54, and triggers), with the row if the
 * server says which; else what serverFault makes of it. Never quotes the value.
 * @param names what constraints are to be called
 */
export function writeFault(error: unknown, table: string, names: Readonly<Record<string, string>> = {}): DrayError {
  const { code = '', where = '', column, constraint: given } = error as ServerError;
  const constraint = given === undefined ? undefined : (names[given] ?? given);
  const place = /^COPY [^,]+, line (\d+)(?:, column ([^:]+?))?(?::|$)/m.exec(where);
  // Input functions of some types have other codes (tsquery: 42601, regclass: 42P01); while they run, COPY names the column.
  const isInput = place?.[2] !== undefined && !/^(08|40|53|57|58|XX)/.test(code);
  const isRowFault = /^(22|23|54)/.test(code) || code === 'P0001' || isInput;
  if (error instanceof DrayError || !isRowFault) return serverFault(error, `write to ${table}`);
  const name = column ?? place?.[2];
  const text = rowFaults[code] ?? 'a value that the server refuses';
  return new DrayError('ROW_REJECTED', `${text}${constraint === undefined ? '' : ` (${constraint})`} [${code}]`, {
    cause: error,
    ...(place === null ? {} : { row: Number(place[1]) - 1 }),
    ...(name === undefined ? {} : { column: name }),
  });
}
