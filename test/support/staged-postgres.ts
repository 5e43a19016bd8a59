import type { Cell, Guarantee, Schema } from '../../core/sdk/index.ts';
import plugin from '../../plugins/postgres/writer.ts';
import type { TestDatabase } from './sql.ts';
import { type Attempts, attemptsOf } from './writer-attempts.ts';

/** Rows of an id and a word. */
export const idWordSchema: Schema = {
  columns: [
    { name: 'id', type: 'integer', isNullable: true },
    { name: 'word', type: 'string', isNullable: true },
  ],
};

export interface ProcessOptions {
  readonly run: string;
  readonly schema?: Schema;
  readonly guarantee?: Guarantee;
  readonly mode?: 'run' | 'resume' | 'replay';
  readonly isStraight?: boolean | undefined;
  /** Beside the connection. */
  readonly options?: object;
  readonly at?: { readonly host: string; readonly port: number };
}

/** The postgres writer as one process of a run opens it. */
export function postgresProcess(database: TestDatabase, table: string, given: ProcessOptions): Promise<Attempts> {
  const { host, port } = given.at ?? database;
  const parameter = {
    ...{ username: database.user, password: database.password },
    connection: [{ jdbcUrl: `jdbc:postgresql://${host}:${port}/${database.name}`, table: [table] }],
    ...given.options,
  };
  const { run, schema = idWordSchema, guarantee = 'at-least-once', mode = 'run' } = given;
  return attemptsOf(plugin, parameter, { run, schema, guarantee, mode, isStraight: given.isStraight });
}

/** Loads rows in two tasks and publishes them; what `publish` returned. */
export async function moveRows(database: TestDatabase, table: string, given: ProcessOptions & { rows: readonly (readonly Cell[])[] }) {
  const half = Math.ceil(given.rows.length / 2);
  const process = await postgresProcess(database, table, given);
  try {
    await process.prepare();
    const commits = [await process.load(1, 1, given.rows.slice(0, half)), await process.load(2, 1, given.rows.slice(half))];
    return { published: (await process.publish(commits)) ?? null, warnings: process.warnings };
  } finally {
    await process.close();
  }
}

let runs = 0;
/** A name as runs have them, never the same. */
export function newRun(): string {
  return `20261121-030405-${String(++runs).padStart(6, '0')}`;
}
