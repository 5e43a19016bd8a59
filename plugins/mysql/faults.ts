import { DrayError, type ErrorCode } from 'dray/sdk';
import { isTlsError } from '../_sql/tls-options.ts';

interface ServerError extends Error {
  readonly code?: string;
  readonly errno?: number;
}

/** https://mariadb.com/kb/en/mariadb-error-code-reference/; without the values that the server's own messages quote. */
const rowFaults: Record<number, string> = {
  1048: 'NULL in a column that is not null',
  1062: 'a key that is there already',
  1153: 'a row larger than max_allowed_packet of the server',
  1261: 'too few values',
  1262: 'too many values',
  1263: 'NULL in a column that is not null',
  1264: 'a number out of range',
  1265: "a text that is not a value of the column's type, or loses digits in it",
  1292: 'a text that is not a valid number, date or time',
  1300: 'bytes that are not text in the character set',
  1364: 'no value for a column without default',
  1366: "a text that is not a value of the column's type, or a character that its character set does not have",
  1367: "a text that is not a value of the column's type",
  1406: 'a value that is too long',
  1411: 'a text that is not a valid date or time',
  1416: 'bytes that are not a geometry',
  1451: 'a foreign key that other rows need',
  1452: 'a foreign key without its row',
  1525: 'a text that is not a valid date or time',
  1526: 'a value that no partition takes',
  1586: 'a key that is there already',
  1644: 'a row that a trigger refuses',
  1690: 'a number out of range',
  1918: 'a text that is not a valid number, date or time',
  1977: 'a character that the character set of the column does not have',
  3037: 'bytes that are not a geometry',
  3140: 'a text that is not JSON',
  3819: 'a value that a check constraint refuses',
  4025: 'a value that a check constraint refuses',
  4038: 'a text that is not JSON',
};

/** Those of a server that has no room, and of one that ends, are worth another try; so are those of others' locks. */
const codes: Record<number, ErrorCode> = {
  1020: 'CONFLICT',
  1021: 'DISK_FULL',
  1037: 'SERVER_BUSY',
  1038: 'SERVER_BUSY',
  1040: 'SERVER_BUSY',
  1041: 'SERVER_BUSY',
  1044: 'PERMISSION_DENIED',
  1045: 'LOGIN_REFUSED',
  1047: 'SERVER_BUSY',
  1049: 'DATABASE_MISSING',
  1053: 'CONNECTION_LOST',
  1054: 'COLUMN_MISSING',
  1114: 'DISK_FULL',
  1135: 'SERVER_BUSY',
  1142: 'PERMISSION_DENIED',
  1143: 'PERMISSION_DENIED',
  1146: 'TABLE_MISSING',
  1152: 'CONNECTION_LOST',
  1158: 'CONNECTION_LOST',
  1159: 'CONNECTION_LOST',
  1160: 'CONNECTION_LOST',
  1161: 'CONNECTION_LOST',
  1184: 'CONNECTION_LOST',
  1203: 'SERVER_BUSY',
  1205: 'CONFLICT',
  1206: 'SERVER_BUSY',
  1213: 'CONFLICT',
  1226: 'SERVER_BUSY',
  1227: 'PERMISSION_DENIED',
  1317: 'CONNECTION_LOST',
  1412: 'CONFLICT',
  1614: 'CONFLICT',
  1637: 'SERVER_BUSY',
  1927: 'CONNECTION_LOST',
  2006: 'CONNECTION_LOST',
  2013: 'CONNECTION_LOST',
  3058: 'CONFLICT',
  3169: 'CONNECTION_LOST',
  4031: 'CONNECTION_LOST',
};

const lost = /^(ECONNRESET|EPIPE|ETIMEDOUT|PROTOCOL_CONNECTION_LOST|PROTOCOL_PACKETS_OUT_OF_ORDER)$/;

/** What the server said, as an error of ours; `doing` completes the sentence "cannot …". */
export function serverFault(error: unknown, doing: string): DrayError {
  if (error instanceof DrayError) return error;
  const { code = '', errno = 0, message } = error as ServerError;
  const isLost = lost.test(code) || /closed state|Connection lost/i.test(message);
  return new DrayError(codes[errno] ?? (isLost ? 'CONNECTION_LOST' : 'SQL_FAILED'), `cannot ${doing}: ${message}`, { cause: error });
}

/** An error while connecting; `where` is the server for people. */
export function connectFault(error: unknown, where: string, { user, database }: { user: string; database: string }): DrayError {
  const { code = '', errno = 0, message } = error as ServerError;
  if (errno === 1049) return new DrayError('DATABASE_MISSING', `${where} has no database "${database}"`, { cause: error });
  if ([1044, 1045, 1130, 1251, 1698].includes(errno)) {
    return new DrayError(
      'LOGIN_REFUSED',
      `${where} refuses the login of ${user || 'a user without a name'} to database "${database}": ${message}`,
      {
        cause: error,
      },
    );
  }
  if (codes[errno] === 'SERVER_BUSY') {
    return new DrayError('SERVER_BUSY', `${where} takes no more connections: ${message}`, { cause: error });
  }
  if (
    code === 'HANDSHAKE_NO_SSL_SUPPORT' ||
    code === 'HANDSHAKE_SSL_ERROR' ||
    isTlsError(code) ||
    /certificate|secure connection/i.test(message)
  ) {
    return new DrayError('TLS_FAILED', `no trusted TLS connection to ${where}: ${message}`, { cause: error });
  }
  return new DrayError('CONNECT_FAILED', `cannot connect to ${where}: ${reasonOf(code, message)}`, { cause: error });
}

function reasonOf(code: string, message: string): string {
  if (code === 'ECONNREFUSED') return 'nothing listens there';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the host name is unknown';
  if (code === 'ETIMEDOUT') return 'no answer within 10 s';
  return message || code;
}

/** The fault of a row by the server's error or warning number; undefined if it is not about a row. Never quotes the value. */
export function rowFault(errno: number, message: string): DrayError | undefined {
  const text = rowFaults[errno];
  if (text === undefined) return undefined;
  // Only the end of a message is the server's own; what stands before may be the value.
  const place = /(?: for column (?:`[^`]*`\.`[^`]*`\.)?[`']([^`']+)[`'])? at row (\d+)$/.exec(message);
  const column = place?.[1] ?? /^Column '([^']+)' cannot be null$/.exec(message)?.[1];
  const row = place?.[2];
  return new DrayError('ROW_REJECTED', `${text} [${errno}]`, {
    ...(row === undefined ? {} : { row: Number(row) - 1 }),
    ...(column === undefined ? {} : { column }),
  });
}

/** An error of LOAD DATA or INSERT: ROW_REJECTED where it is about a row, else what serverFault makes of it. */
export function writeFault(error: unknown, table: string): DrayError {
  const { errno = 0, message } = error as ServerError;
  return (error instanceof DrayError ? undefined : rowFault(errno, message)) ?? serverFault(error, `write to ${table}`);
}
