import type { Column, LogicalType } from 'dray/sdk';
import type { Client } from './connection.ts';
import { intervalPattern } from './interval-type.ts';

/** A type as a result or a table declares it. */
export interface DeclaredType {
  readonly name: string;
  readonly oid: number;
  /** Type modifier (length, precision); -1 if there is none. */
  readonly typmod: number;
  readonly isNullable: boolean;
}

interface CatalogType {
  readonly oid: number;
  readonly typmod: number;
  readonly native: string;
  /** Of the base type, if it is a domain. */
  readonly base: number;
  readonly base_typmod: number;
  /** Of an array, a range or a multirange: the type in it. Null for others. */
  readonly element: number | null;
  readonly element_typmod: number;
}

/** OIDs of src/include/catalog/pg_type.dat, which never change. All others are text. */
const logicalTypes: Record<number, LogicalType> = {
  16: 'boolean',
  17: 'bytes',
  20: 'integer',
  21: 'integer',
  23: 'integer',
  26: 'integer',
  114: 'json',
  700: 'double',
  701: 'double',
  1082: 'date',
  1083: 'time',
  1114: 'timestamp',
  1184: 'timestamptz',
  1700: 'decimal',
  3802: 'json',
};

const [oneByte, nameType, float4, money, bpchar, varchar, interval, timetz, numeric, jsonb] = [
  18, 19, 700, 790, 1042, 1043, 1186, 1266, 1700, 3802,
];

/** Names the types and reads their limits; one query for all of them, and one more for those within arrays and ranges. */
export async function columnsOf(client: Client, declared: readonly DeclaredType[]): Promise<Column[]> {
  const { rows } = await client.query<CatalogType>(
    `WITH RECURSIVE wanted AS (SELECT DISTINCT * FROM unnest($1::int8[], $2::int4[]) AS w(oid, typmod)),
     chain AS (
       SELECT w.oid, w.typmod, t.typtype, t.typbasetype, w.oid AS base, w.typmod AS base_typmod FROM wanted w JOIN pg_type t ON t.oid = w.oid::oid
       UNION ALL
       SELECT c.oid, c.typmod, t.typtype, t.typbasetype, d.typbasetype::int8, d.typtypmod
       FROM chain c JOIN pg_type d ON d.oid = c.base::oid AND d.typtype = 'd' JOIN pg_type t ON t.oid = d.typbasetype
     )
     SELECT c.oid::int8::text::int AS oid, typmod, format_type(c.oid::oid, typmod) AS native, base::int AS base, base_typmod,
       coalesce(r.rngsubtype, CASE WHEN t.typcategory = 'A' THEN t.typelem END)::int8::int AS element,
       CASE WHEN r.rngsubtype IS NULL THEN base_typmod ELSE -1 END AS element_typmod
     FROM chain c JOIN pg_type t ON t.oid = base::oid LEFT JOIN pg_range r ON base IN (r.rngtypid, r.rngmultitypid) WHERE c.typtype <> 'd'`,
    [declared.map(({ oid }) => oid), declared.map(({ typmod }) => typmod)],
  );
  const found = new Map(rows.map((row) => [`${row.oid} ${row.typmod}`, row]));
  const types = declared.map(({ oid, typmod }) => found.get(`${oid} ${typmod}`));
  const within = types.flatMap((type, index) =>
    type === undefined || type.element === null
      ? []
      : [{ index, name: '', oid: type.element, typmod: type.element_typmod, isNullable: true }],
  );
  const elements = new Map(
    (within.length === 0 ? [] : await columnsOf(client, within)).map((column, index) => [within[index]!.index, column]),
  );
  return declared.map(({ name, oid, typmod, isNullable }, index) => {
    const type = types[index];
    const element = elements.get(index);
    const limits = element === undefined ? limitsOf(type?.base ?? oid, type?.base_typmod ?? typmod) : { type: 'string' as const, element };
    return { name, isNullable, ...limits, nativeType: type?.native ?? 'unknown' };
  });
}

type Limits = Omit<Column, 'name' | 'isNullable' | 'nativeType'>;

/** Type modifiers are coded per type: numerictypmodin, varchartypmodin and anytimestamp_typmod_check in PostgreSQL's source. */
function limitsOf(oid: number, typmod: number): Limits {
  const type = logicalTypes[oid] ?? 'string';
  if (oid === jsonb) return { type, keepsLastKey: true };
  if (oid === float4) return { type, mantissaBits: 24 };
  // Cut off without an error: a name at 63 bytes, a "char" at one.
  if (oid === nameType) return { type, maxBytes: 63 };
  if (oid === oneByte) return { type, pattern: String.raw`^([\x00-\x7f]?|\\[0-3][0-7]{2})$` };
  // Rounded to the cents of the server's locale, which also says what points and commas mean: only texts with a currency are clear.
  if (oid === money) return { type, pattern: String.raw`^(?=.*[^\d.,\s()+-]).*[.,]\d{2}\D*$` };
  if (oid === interval) return { type, pattern: intervalPattern(typmod) };
  if (oid === timetz) return { type, pattern: `^(?!.*:60)[^.]*(\\.\\d{0,${typmod < 0 ? 6 : typmod}}0*)?([+-][\\d:]+)?$` };
  if (typmod < 0) return { type };
  if (oid === numeric) return { type, precision: ((typmod - 4) >> 16) & 0xffff, scale: (((typmod - 4) & 0x7ff) ^ 1024) - 1024 };
  if (oid === bpchar) return { type, length: typmod - 4, trailingBlanks: 'padded' };
  if (oid === varchar) return { type, length: typmod - 4 };
  if (type === 'time' || type === 'timestamp' || type === 'timestamptz') return { type, fractionDigits: typmod };
  return { type };
}
