import type { Json, KeyKind, SplitKey } from 'dray/sdk';
import type { KeyDialect } from '../_sql/key-range.ts';
import type { KeyColumn } from '../_sql/split-keys.ts';
import { quoteName } from './connection.ts';

/** How the values of a key's column are read as text, and written into SQL again. */
export type ValueForm = 'number' | 'quoted' | 'text' | 'hex';

/** What a range of a key carries to the task that reads it. */
export interface KeyState {
  readonly forms: readonly ValueForm[];
  /** undefined: none has the key's columns in front. */
  readonly index?: string;
}

const kinds: Record<string, readonly [KeyKind, ValueForm]> = {
  tinyint: ['integer', 'number'],
  smallint: ['integer', 'number'],
  mediumint: ['integer', 'number'],
  int: ['integer', 'number'],
  bigint: ['integer', 'number'],
  year: ['integer', 'number'],
  decimal: ['decimal', 'number'],
  date: ['date', 'quoted'],
  datetime: ['timestamp', 'quoted'],
  timestamp: ['timestamp', 'quoted'],
  uuid: ['uuid', 'quoted'],
  char: ['string', 'text'],
  varchar: ['string', 'text'],
  tinytext: ['string', 'text'],
  text: ['string', 'text'],
  mediumtext: ['string', 'text'],
  longtext: ['string', 'text'],
  binary: ['bytes', 'hex'],
  varbinary: ['bytes', 'hex'],
};

/**
 * A column as part of a key. Left out are types whose comparison with a literal is not their order (ENUM, SET), or not exact (FLOAT, DOUBLE).
 * @param dataType DATA_TYPE of information_schema.COLUMNS
 */
export function keyColumn(name: string, dataType: string, isNullable: boolean): KeyColumn {
  const type = dataType.toLowerCase();
  return { name, kind: kinds[type]?.[0], isNullable, nativeType: type };
}

export function keyState(columns: readonly KeyColumn[], index: string | undefined): Json {
  const forms = columns.map(({ nativeType }) => kinds[nativeType]![1]);
  return { forms, ...(index === undefined ? {} : { index }) };
}

export function stateOf({ state }: Pick<SplitKey, 'state'>): KeyState {
  return state as unknown as KeyState;
}

/** Literals that mean the same under any sql_mode and character set: texts go as hexadecimal UTF-8. */
export function keyDialect({ forms }: KeyState): KeyDialect {
  return { column: quoteName, literal: (value, index) => literal(value, forms[index]!), comparesRows: false };
}

function literal(value: string, form: ValueForm): string {
  switch (form) {
    case 'number':
      return checked(value, /^-?\d+(\.\d+)?$/);
    case 'quoted':
      return `'${checked(value, /^[\w:. -]+$/)}'`;
    case 'text':
      return `_utf8mb4 X'${Buffer.from(value, 'utf8').toString('hex')}'`;
    case 'hex':
      return `X'${checked(value, /^[0-9A-Fa-f]*$/)}'`;
  }
}

function checked(value: string, pattern: RegExp): string {
  if (!pattern.test(value)) throw new Error('a value of a key is not what its type prints');
  return value;
}

/** The key's columns in a SELECT, as the texts that `literal` takes. */
export function keySelection(columns: readonly string[], { forms }: KeyState): string {
  return columns.map((name, index) => (forms[index] === 'hex' ? `HEX(${quoteName(name)})` : quoteName(name))).join(', ');
}
