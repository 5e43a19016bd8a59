import { choice, flag, ignored, secret, texts, tls, z } from 'dray/sdk';
import { shardOptions } from './shard-options.ts';

/** A text that counts as left out when it is blank, as in DataX. */
const optionalText = z
  .string()
  .optional()
  .transform((text) => (text?.trim() === '' ? undefined : text));

const dryRun = 'job.setting.dryRun says it for the whole job';

/** One text or several, of which one is not blank. */
function named() {
  return texts().refine(isNamed, { error: 'Expected a text that is not blank' });
}

function isNamed(names: readonly string[] | undefined): boolean {
  return (names ?? []).some((name) => name.trim() !== '');
}

/** Options that the readers of all SQL databases share; names and meaning as in DataX's rdbms readers. */
export const sqlReaderShape = {
  username: z.string().optional().describe('User; may stand in the jdbcUrl instead'),
  password: secret().optional().describe('Password; write "${env:NAME}" or "${file:path}"'),
  column: texts()
    .prefault(['*'])
    .describe('Columns or SQL expressions, in order; ["*"] is all columns. _shard and _table say where a row comes from'),
  connection: z
    .array(
      z
        .strictObject({
          jdbcUrl: named().describe(
            'Where the database is; of several, the first that answers is used. db[1-4] or db{1..4} are four of them',
          ),
          database: texts()
            .optional()
            .describe('Databases of that server, in place of the one in jdbcUrl: names, order_[00-15], or "/^order_\\\\d+$/"'),
          table: texts()
            .optional()
            .describe('Tables to read one after the other; t_[00-15] is sixteen of them, "/^t_\\\\d+$/" all that match'),
          querySql: texts().optional().describe('Queries to read instead of tables; "column" and "where" then have no effect'),
        })
        .superRefine(({ table, querySql }, { addIssue }) => {
          if (isNamed(table) && isNamed(querySql))
            addIssue({ code: 'custom', path: ['querySql'], message: 'Expected either "table" or "querySql", and both are there' });
          if (!isNamed(table) && !isNamed(querySql))
            addIssue({ code: 'custom', path: table === undefined ? [] : ['table'], message: 'Expected a "table" or a "querySql"' });
        }),
    )
    .min(1)
    .describe('Databases, each with its tables or queries'),
  shards: shardOptions(),
  splitPk: optionalText.describe(
    'Column, or columns separated by commas, by whose ranges tasks are cut. Default: the best key of the table; a query is cut only if this names a column of its result',
  ),
  where: optionalText.describe('Condition in SQL that rows must meet'),
  session: texts().optional().describe('Statements run on each connection first'),
  tls: tls().describe('TLS of the connections; true verifies the server'),
  fetchSize: ignored('rows are streamed, and memory is bounded by bytes'),
  splitFactor: ignored('the number of tasks is worked out'),
  mandatoryEncoding: ignored('the server converts to UTF-8'),
  preSql: texts()
    .optional()
    .describe(
      'Queries that decide, when a connection is opened, whether its jdbcUrl is used: each must return 0, else the next one is tried',
    ),
  hint: ignored('it is about Oracle'),
  samplePercentage: ignored('it is about Oracle'),
  loadBalanceResourceMark: ignored('there are no groups of tasks'),
  dryRun: ignored(dryRun),
};

function writeModeFault(mode: string): string | undefined {
  if (!mode.startsWith('insert ignore')) return undefined;
  return 'Expected no "insert ignore", which leaves rows out in silence: use insert with job.setting.errorLimit';
}

/** Options that the writers of all SQL databases share. */
export const sqlWriterShape = {
  username: z.string().optional().describe('User; may stand in the jdbcUrl instead'),
  password: secret().optional().describe('Password; write "${env:NAME}" or "${file:path}"'),
  column: texts().prefault(['*']).describe('Columns to write, in the order of the reader; ["*"] is all columns of the table'),
  connection: z
    .array(
      z.strictObject({
        jdbcUrl: named().describe('Where the database is'),
        table: named().describe('The table to write; t_[0-3] is four of them'),
      }),
    )
    .min(1)
    .describe('The target database and table; of several tables, the n-th gets the rows of the n-th table of the reader, as with DataX'),
  writeMode: choice(['insert', 'replace', 'update'], writeModeFault)
    .prefault('insert')
    .describe('insert: a row whose key exists is dirty; replace: it takes the place of the old row; update: it changes the given columns'),
  preSql: texts()
    .optional()
    .describe(
      'Statements run before the first row; @table is the table (with publish atomic the one beside it, into which rows are loaded)',
    ),
  postSql: texts().optional().describe('Statements run after all rows are committed; @table is the table'),
  publish: z
    .enum(['direct', 'atomic', 'atomic-append'])
    .default('direct')
    .describe(
      'direct: rows are seen as tasks commit. atomic: they are loaded into a table beside the target, and take the place of all its rows in one step at the end (with writeMode replace or update they are merged into it); who reads the target sees the old rows or the new ones, never a part. atomic-append: rows are added to those that are there, all in one step',
    ),
  keepPrevious: flag()
    .default(true)
    .describe(
      'With publish atomic or atomic-append: the rows as they were stay in a table beside the target until the next such run, for `dray rollback`',
    ),
  session: texts().optional().describe('Statements run on each connection first'),
  tls: tls().describe('TLS of the connections; true verifies the server'),
  batchSize: ignored('rows are sent in batches of about a megabyte'),
  batchByteSize: ignored('rows are sent in batches of about a megabyte'),
  emptyAsNull: flag()
    .default(false)
    .describe('true: an empty text becomes NULL in columns of numbers, as in DataX; false: it is dirty there'),
  encoding: ignored('connections speak UTF-8'),
  insertSqlMode: ignored('rows are sent in bulk'),
  dryRun: ignored(dryRun),
};
