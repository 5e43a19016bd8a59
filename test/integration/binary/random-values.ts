import fc from 'fast-check';

interface RandomColumn {
  readonly mysql: string;
  readonly postgres: string;
  /** SQL expressions that both servers take. */
  readonly values: fc.Arbitrary<string>;
}

const whole = (bits: number) =>
  fc
    .nat(bits - 1)
    .chain((width) => fc.bigInt({ min: -(2n ** BigInt(width)), max: 2n ** BigInt(width) - 1n }))
    .map((value) => `'${value}'`);

const digits = (most: number) =>
  fc.array(fc.constantFrom(...'0001234567899'), { minLength: 1, maxLength: most }).map((all) => all.join(''));

const decimal = fc.tuple(fc.constantFrom('', '-'), digits(35), digits(30)).map(([sign, front, behind]) => `${sign}${front}.${behind}`);

/** Any moment from the year 1 to 9999. */
const moment = fc
  .tuple(fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }), fc.nat(999))
  .map(([date, micros]) => `${date.toISOString().slice(0, -1).replace('T', ' ')}${String(micros).padStart(3, '0')}`);

/** Also such as are read by one division: up to 15 digits with a point. */
const double = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.tuple(fc.nat(999_999_999), fc.integer({ min: 0, max: 12 })).map(([number, places]) => (number / 10 ** places).toString()),
);

const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 20 }), fc.string({ unit: 'grapheme', minLength: 38, maxLength: 300 }));

const quoted = (values: fc.Arbitrary<string>) => values.map((value) => `'${value}'`);

export const randomColumns: readonly RandomColumn[] = [
  { mysql: 'smallint', postgres: 'smallint', values: whole(16) },
  { mysql: 'int', postgres: 'integer', values: whole(32) },
  { mysql: 'bigint', postgres: 'bigint', values: whole(64) },
  { mysql: 'decimal(65,30)', postgres: 'numeric(65,30)', values: decimal },
  { mysql: 'decimal(65,30)', postgres: 'numeric', values: decimal },
  { mysql: 'double', postgres: 'double precision', values: double },
  { mysql: 'float', postgres: 'real', values: fc.float({ noNaN: true, noDefaultInfinity: true }).map(String) },
  { mysql: 'date', postgres: 'date', values: quoted(moment.map((value) => value.slice(0, 10))) },
  { mysql: 'time(6)', postgres: 'time', values: quoted(moment.map((value) => value.slice(11))) },
  { mysql: 'datetime(6)', postgres: 'timestamp', values: quoted(moment) },
  { mysql: 'datetime(6)', postgres: 'timestamptz', values: quoted(moment) },
  { mysql: 'longtext', postgres: 'text', values: quoted(text.map((value) => value.replaceAll(/[\0'\\]/g, '-'))) },
];
