import { join } from 'node:path';
import type { Arena } from '../arena.ts';
import { drayContestant, type Plugin, passwordOf, tableReader, tableWriter, writeJob } from '../dray-job.ts';
import type { FileCourse, FileLane } from '../files/file-lanes.ts';

/** What stands between reader and writer; the first is the measure of the others. */
const chains: Readonly<Record<string, readonly Plugin[]>> = {
  'no transformers': [],
  'two columns changed': [
    { name: 'dx_substr', parameter: { column: 'order_no', paras: ['1', '40'] } },
    { name: 'dx_pad', parameter: { column: 'status', paras: ['r', '12', '-'] } },
  ],
  'one column filtered': [{ name: 'dx_filter', parameter: { column: 'status', paras: ['=', 'none'] } }],
  'js on two columns': [{ name: 'dx_js', parameter: { code: "row.order_no += '!'; row.status = row.status?.toUpperCase()" } }],
};

/** The same job with each of the chains, on one channel. */
export const transformerLanes: readonly FileLane[] = [
  { name: 'transform-stream', course: throughStream },
  { name: 'transform-postgres', course: throughPostgres },
];

export const transformerLaneNames: readonly string[] = transformerLanes.map(({ name }) => name);

/** Generated rows of twelve columns and 190 bytes that are thrown away: nothing but dray. */
async function throughStream(rows: number, arena: Arena): Promise<FileCourse> {
  const names = [
    'customer',
    'order_no',
    'status',
    'amount',
    'weight',
    'created_at',
    'updated_at',
    'is_paid',
    'attributes',
    'token',
    'note',
  ];
  const column = [
    { name: 'id', type: 'long', sequence: 1 },
    ...names.map((name) =>
      name === 'amount' || name === 'weight' ? { name, type: 'long', random: '0, 1000000' } : { name, value: `${name} of an order` },
    ),
  ];
  const reader = { name: 'streamreader', parameter: { column, sliceRecordCount: rows } };
  const writer = { name: 'streamwriter', parameter: { print: false } };
  return {
    contestants: await contestants(arena, 'stream', { reader, writer }, {}),
    prepare: async () => undefined,
    // A run that loses a row ends with an error of its own; what comes out of transformers is for tests to look at.
    check: async () => undefined,
  };
}

async function throughPostgres(rows: number, arena: Arena): Promise<FileCourse> {
  const database = await arena.database('postgres');
  const sides = {
    reader: tableReader(database, 'source', await arena.table('postgres', rows)),
    writer: tableWriter(database, 'target', 'orders'),
  };
  const env = { ...passwordOf(database, 'source'), ...passwordOf(database, 'target') };
  return {
    contestants: await contestants(arena, 'postgres', sides, env),
    prepare: () => database.emptyTarget(),
    async check() {
      const found = await database.digest('target', 'orders');
      if (found.rows !== rows) throw new Error(`moved ${found.rows} rows instead of ${rows}`);
      return undefined;
    },
  };
}

function contestants(
  arena: Arena,
  name: string,
  sides: { readonly reader: Plugin; readonly writer: Plugin },
  env: Readonly<Record<string, string>>,
) {
  return Promise.all(
    Object.entries(chains).map(async ([title, transformer], index) => {
      const path = await writeJob(join(arena.folder, `transform-${name}-${index}.json`), { ...sides, transformer });
      return { ...drayContestant(path, env, { channels: 1, title }), isRival: index === 0 };
    }),
  );
}
