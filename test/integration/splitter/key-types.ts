/** A type of a key's column, and how a number becomes a value of it. */
export interface KeyType {
  readonly type: string;
  /** A literal or expression in SQL. The order of the numbers need not be kept, but what lies close together stays so. */
  readonly literal: (number: bigint) => string;
}

const letters = [...'aAbBcCdDeEéÉèzZäÄßøñ'];
const ascii = [...'aAbBcCdDzZ019_-'];

/** Words of one to some twenty letters, one for each number, that differ in case and accents only, or not even that. */
function word(number: bigint, alphabet: readonly string[] = letters): string {
  const base = BigInt(alphabet.length);
  let rest = number;
  let text = '';
  do {
    text = alphabet[Number(rest % base)]! + text;
    rest /= base;
  } while (rest > 0n);
  return text + ' '.repeat(Number(number % 3n));
}

const scattered = (number: bigint) => (number * 0x9e3779b97f4a7c15n) & ((1n << 64n) - 1n);
const hex = (number: bigint, digits: number) => number.toString(16).padStart(digits, '0').slice(-digits);

/** Of version 4: without any order, so that the numbers' own is lost. */
function randomUuid(number: bigint): string {
  const [one, other] = [scattered(number), scattered(number + 1n)];
  return `${hex(one, 8)}-${hex(one >> 32n, 4)}-4${hex(one >> 48n, 3)}-8${hex(other, 3)}-${hex(other >> 16n, 12)}`;
}

/** Of version 7: the upper bits of the number where the time is. */
function timedUuid(number: bigint): string {
  return `${hex(number >> 31n, 8)}-${hex(number >> 15n, 4)}-7${hex(number >> 3n, 3)}-8${hex(scattered(number), 3)}-${hex(number, 12)}`;
}

const mixed = (text: string, number: bigint) => (number % 2n === 0n ? text.toUpperCase() : text);

/** Within what a type holds, from its lowest value on; numbers beyond come round again. */
const within = (number: bigint, low: bigint, count: bigint) => String(low + (number % count));

function fraction(number: bigint, digits: number): string {
  const text = String(number < 0n ? -number : number).padStart(digits + 1, '0');
  return `${number < 0n ? '-' : ''}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

const [secondsPerDay, micros] = [86_400n, 1_000_000n];
/** From year 1 to the end of 9999. */
const days = 3_652_059n;

function day(number: bigint): string {
  const date = new Date(Date.UTC(2000, 0, 1));
  date.setUTCFullYear(1, 0, 1 + Number(number % days));
  return date.toISOString().slice(0, 10);
}

function time(number: bigint): string {
  const seconds = (number / micros) % secondsPerDay;
  const part = (value: bigint) => String(value).padStart(2, '0');
  return `${part(seconds / 3600n)}:${part((seconds / 60n) % 60n)}:${part(seconds % 60n)}.${String(number % micros).padStart(6, '0')}`;
}

/** The whole range in microseconds, both its ends included. */
const moment = (number: bigint) => `'${day(number / micros / secondsPerDay)} ${time(number)}'`;

export const mysqlText = (text: string) => `_utf8mb4 X'${Buffer.from(text).toString('hex')}'`;
const collated = (charset: string, collation: string, alphabet?: readonly string[]): KeyType => ({
  type: `varchar(40) CHARACTER SET ${charset} COLLATE ${collation}`,
  literal: (number) => mysqlText(word(number, alphabet)),
});

export const mysqlTypes: Record<string, KeyType> = {
  tinyint: { type: 'tinyint', literal: (number) => within(number, -128n, 256n) },
  int: { type: 'int', literal: (number) => within(number, -(1n << 31n), 1n << 32n) },
  bigint: { type: 'bigint', literal: (number) => String(number - 150n) },
  unsigned: { type: 'bigint unsigned', literal: (number) => String((1n << 64n) - 1n - number) },
  zerofill: { type: 'int unsigned zerofill', literal: (number) => within(number, 0n, 1n << 32n) },
  decimal: { type: 'decimal(30,10)', literal: (number) => fraction(number - 150n, 10) },
  wide_decimal: { type: 'decimal(65,30)', literal: (number) => `${fraction(150n - number, 3)}000000000000000000000000001` },
  year: { type: 'year', literal: (number) => (number % 256n === 0n ? '0' : within(number % 256n, 1900n, 256n)) },
  date: { type: 'date', literal: (number) => `'${day(number)}'` },
  datetime: { type: 'datetime', literal: (number) => `'${day(number)} 23:59:59'` },
  microseconds: { type: 'datetime(6)', literal: moment },
  timestamp: { type: 'timestamp(3)', literal: (number) => `FROM_UNIXTIME(${fraction(1000n + (number % 2_147_483_646_999n), 3)})` },
  uuid_v4: { type: 'uuid', literal: (number) => `'${randomUuid(number)}'` },
  uuid_v7: { type: 'uuid', literal: (number) => `'${timedUuid(number)}'` },
  uuid_text: { type: 'char(36)', literal: (number) => `'${mixed(randomUuid(number), number)}'` },
  uuid_ascii: { type: 'char(36) CHARACTER SET ascii COLLATE ascii_bin', literal: (number) => `'${mixed(timedUuid(number), number)}'` },
  general_ci: collated('utf8mb4', 'utf8mb4_general_ci'),
  unicode_ci: collated('utf8mb4', 'utf8mb4_unicode_ci'),
  german: collated('utf8mb4', 'utf8mb4_german2_ci'),
  accents: collated('utf8mb4', 'utf8mb4_uca1400_as_ci'),
  case: collated('utf8mb4', 'utf8mb4_uca1400_nopad_as_cs'),
  bin: collated('utf8mb4', 'utf8mb4_bin'),
  nopad_bin: collated('utf8mb4', 'utf8mb4_nopad_bin'),
  latin: collated('latin1', 'latin1_swedish_ci'),
  utf16: collated('utf16', 'utf16_unicode_ci'),
  gbk: collated('gbk', 'gbk_chinese_ci', ascii),
  varbinary: { type: 'varbinary(40)', literal: (number) => `X'${Buffer.from(word(number)).toString('hex')}'` },
  binary: { type: 'binary(8)', literal: (number) => `X'${number.toString(16).padStart(16, '0')}'` },
};

export const postgresText = (text: string) => `'${text.replaceAll("'", "''")}'`;
const worded = (type: string): KeyType => ({ type, literal: (number) => postgresText(word(number)) });
/** Up to the end of the year 294276, in microseconds. */
const moments = 9_434_315_999_999_999_999n;
const sincePostgres = (number: bigint) => `timestamp '4713-01-01 00:00:00 BC' + interval '${fraction(number % moments, 6)} seconds'`;

/** Collations made for the tests; ICU compares by these without minding case, or accents. */
export const postgresCollations = [
  "CREATE COLLATION no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
  "CREATE COLLATION no_accents (provider = icu, locale = 'und-u-ks-level1', deterministic = false)",
];

export const postgresTypes: Record<string, KeyType> = {
  smallint: { type: 'smallint', literal: (number) => `(${within(number, -32_768n, 65_536n)})` },
  int: { type: 'int', literal: (number) => within(number, -(1n << 31n), 1n << 32n) },
  bigint: { type: 'bigint', literal: (number) => String(number - 150n) },
  numeric: { type: 'numeric', literal: (number) => `${fraction(150n - number, 9)}000000000000000000000000000000000000000001` },
  decimal: { type: 'decimal(30,10)', literal: (number) => fraction(number - 150n, 10) },
  date: { type: 'date', literal: (number) => `date '4713-01-01 BC' + ${number % 2_147_483_494n}` },
  timestamp: { type: 'timestamp', literal: sincePostgres },
  timestamptz: { type: 'timestamptz', literal: moment },
  uuid: { type: 'uuid', literal: (number) => `'${mixed(randomUuid(number), number)}'` },
  uuid_text: { type: 'char(36)', literal: (number) => `'${mixed(randomUuid(number), number)}'` },
  text: worded('text'),
  c: worded('varchar(40) COLLATE "C"'),
  icu: worded('text COLLATE "en-x-icu"'),
  no_case: worded('text COLLATE no_case'),
  no_accents: worded('varchar(40) COLLATE no_accents'),
  char: worded('char(40) COLLATE "und-x-icu"'),
  bytea: { type: 'bytea', literal: (number) => `'\\x${Buffer.from(word(number)).toString('hex')}'` },
};

/** What is a key now and then. */
export const otherPostgresTypes: Record<string, KeyType> = {
  name: worded('name'),
  double: { type: 'float8', literal: (number) => `${fraction(number - 150n, 3)}e-20` },
  real: { type: 'real', literal: (number) => `${fraction(number - 150n, 3)}e-20` },
  interval: { type: 'interval', literal: (number) => `interval '${number % 9_000_000_000n} seconds' - interval '1 month'` },
  inet: { type: 'inet', literal: (number) => `inet '0.0.0.0' + ${number % (1n << 32n)}` },
  bits: { type: 'varbit', literal: (number) => `B'${number.toString(2)}'` },
  array: { type: 'text[]', literal: (number) => `ARRAY[${postgresText(word(number))}, 'b"\\']` },
  money: { type: 'money', literal: (number) => `'${fraction(number - 150n, 2)}'::numeric::money` },
};
