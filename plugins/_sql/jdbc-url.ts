import { DrayError } from 'dray/sdk';
import { expandRanges } from './name-patterns.ts';

/** What a JDBC URL says, and no more: user and password stand beside it in the job file. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Query parameters, names in lower case. */
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * Reads `jdbc:mysql://host:port/database?x=y`, and the same without `jdbc:`.
 * @param schemes accepted, the first is the one named in messages
 */
export function parseJdbcUrl(text: string, schemes: readonly string[], defaultPort: number): Address {
  const example = `jdbc:${schemes[0]}://host:${defaultPort}/database`;
  const url = text.trim().replace(/^jdbc:/i, '');
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !schemes.includes(parsed.protocol.slice(0, -1).toLowerCase())) {
    const variable = /\$\{?(\w+)/.exec(text)?.[1];
    const remedy =
      variable === undefined
        ? `Write it as ${example}.`
        : `Give the variable ${variable} a value with -p ${variable}=…; the whole is written as ${example}.`;
    throw new DrayError('JOB_INVALID', `the jdbcUrl "${withoutUser(text)}" cannot be read`, { remedy });
  }
  const database = decodeURIComponent(parsed.pathname.slice(1));
  if (database === '' || parsed.hostname === '') {
    throw new DrayError('JOB_INVALID', `the jdbcUrl "${withoutUser(text)}" names no ${database === '' ? 'database' : 'host'}`, {
      remedy: `Write it as ${example}.`,
    });
  }
  return {
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: parsed.port === '' ? defaultPort : Number(parsed.port),
    database,
    user: parsed.username === '' ? undefined : decodeURIComponent(parsed.username),
    password: parsed.password === '' ? undefined : decodeURIComponent(parsed.password),
    parameters: Object.fromEntries([...parsed.searchParams].map(([name, value]) => [name.toLowerCase(), value])),
  };
}

/** Scheme with user and host; database; query. */
const urlParts = /^((?:jdbc:)?[a-z]+:\/\/[^/?]*)(?:\/([^?]*))?(\?.*)?$/is;

/** Addresses that a jdbcUrl with ranges in its host or database stands for. User, password and query have none. */
export function urlPatterns(text: string): string[] {
  const [, head = text, database, query = ''] = urlParts.exec(text.trim()) ?? [];
  const at = head.lastIndexOf('@') + 1;
  const [login, host] = at === 0 ? ['', head] : [head.slice(0, at), head.slice(at)];
  return expandRanges(`${host}${database === undefined ? '' : `/${database}`}`).map((one) => `${login}${one}${query}`);
}

/** What stands where a jdbcUrl names its database, patterns included; undefined: nothing. */
export function databaseIn(text: string): string | undefined {
  const database = urlParts.exec(text.trim())?.[2];
  return database === undefined || database === '' ? undefined : decoded(database);
}

/** The same address with another database. */
export function withDatabase(text: string, database: string): string {
  const [, head = text, , query = ''] = urlParts.exec(text.trim()) ?? [];
  return `${head}/${encodeURIComponent(database)}${query}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function withoutUser(text: string): string {
  return text.replace(/\/\/[^@/]*@/, '//').replace(/(password=)[^&]*/i, '$1***');
}
