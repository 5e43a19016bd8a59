import type { BinaryForm, Column } from 'dray/sdk';
import type { Client } from './connection.ts';

/** By what `format_type` calls the types of pg_catalog without their modifiers. Of others (arrays, enumerations, domains, types of extensions) only the text is common ground. */
const forms: Readonly<Record<string, BinaryForm>> = {
  boolean: 'bool',
  smallint: 'int2',
  integer: 'int4',
  bigint: 'int8',
  real: 'float4',
  'double precision': 'float8',
  numeric: 'numeric',
  text: 'text',
  'character varying': 'text',
  character: 'text',
  json: 'text',
  bytea: 'bytea',
  date: 'date',
  'time without time zone': 'time',
  'timestamp without time zone': 'timestamp',
  'timestamp with time zone': 'timestamptz',
  uuid: 'uuid',
  jsonb: 'jsonb',
};

/** undefined: values of this column have no binary form that is used here. */
export function binaryFormOf({ nativeType = '' }: Column): BinaryForm | undefined {
  return forms[nativeType.replace(/\(\d+(?:,-?\d+)?\)/, '')];
}

/** Of all columns; undefined if one of them has none. */
export function binaryFormsOf(columns: readonly Column[]): BinaryForm[] | undefined {
  const all = columns.map(binaryFormOf);
  return all.every((form) => form !== undefined) ? all : undefined;
}

const integerTimes = new WeakMap<Client, boolean>();

/** To be called before it connects: the server then tells by itself whether its times are integers, which they may not have been before version 10. */
export function noticeTimes(client: Client): void {
  const { connection } = client as unknown as { connection: NodeJS.EventEmitter };
  connection.on('parameterStatus', ({ parameterName, parameterValue }: { parameterName: string; parameterValue: string }) => {
    if (parameterName === 'integer_datetimes') integerTimes.set(client, parameterValue === 'on');
  });
}

/** Whether binary values of this server are what they are at others. */
export function hasCommonForms(client: Client): boolean {
  return integerTimes.get(client) === true;
}
