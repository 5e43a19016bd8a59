import type { Contestant } from '../../core/bench/course.ts';
import { measuredRun } from '../../core/bench/measured-run.ts';
import { orders } from '../../plugins/fixture/orders.ts';
import type { Arena } from '../arena.ts';
import type { Kind } from '../bench-database.ts';
import {
  type Content,
  drayContestant,
  type Job,
  type Plugin,
  passwordOf,
  runCommand,
  tableReader,
  tableWriter,
  writeJob,
} from '../dray-job.ts';
import { filesReader, filesWriter, writingJob } from '../files/ends.ts';
import { intoFiles } from '../files/written-set.ts';
import { freightOf } from '../freight.ts';
import type { OpenLane } from '../lane.ts';
import { openHaul } from '../rivals/haul.ts';
import { haulContent, haulEnv, intoTable } from '../tables/table-lanes.ts';
import type { Variant } from './variants.ts';

/** The same table into the same table. */
export function tableCosts(source: Kind, target: Kind, variants: readonly Variant[]): OpenLane {
  return async ({ rows, arena }) => {
    const haul = await openHaul(arena, source, target, freightOf(orders, rows));
    const expected = await arena.expectedDigest(target, haul.freight);
    return {
      rows: haul.freight.rows,
      contestants: await contestants(arena, `cost-${source}-${target}`, variants, haulContent(haul), haulEnv(haul)),
      ...intoTable(haul.target, haul.freight, expected),
    };
  };
}

/** Rows are changed on the way, so only their number is looked at: what transformers do to them is for tests. */
export function transformerCosts(database: Kind, variants: readonly Variant[]): OpenLane {
  return async ({ rows, arena }) => {
    const haul = await openHaul(arena, database, database, freightOf(orders, rows));
    return {
      rows: haul.freight.rows,
      contestants: await contestants(arena, `transform-${database}`, variants, haulContent(haul), haulEnv(haul)),
      prepare: () => haul.target.emptyTarget(haul.table),
      async check() {
        const found = await haul.target.digest('target', haul.table, haul.freight);
        if (found.rows !== haul.freight.rows) throw new Error(`moved ${found.rows} rows instead of ${haul.freight.rows}`);
        return undefined;
      },
    };
  };
}

/** Rows of twelve columns and 190 bytes are generated and thrown away: nothing but dray. */
export function streamCosts(variants: readonly Variant[]): OpenLane {
  return async ({ rows, arena }) => ({
    rows,
    contestants: await contestants(arena, 'transform-stream', variants, {
      reader: { name: 'streamreader', parameter: { column: generatedOrders, sliceRecordCount: rows } },
      writer: { name: 'streamwriter', parameter: { print: false } },
    }),
    prepare: async () => undefined,
    // A run that loses a row ends with an error of its own.
    check: async () => undefined,
  });
}

/** A table into a set of CSV files on the local disk. */
export function writingCosts(variants: readonly Variant[]): OpenLane {
  return async ({ rows, arena }) => {
    const freight = freightOf(orders, rows);
    const database = await arena.database('postgres');
    const { plugin, env } = await filesWriter(arena, 'csv');
    const content = { reader: tableReader(database, 'source', await arena.table('postgres', freight)), writer: plugin };
    const { prepare, check } = await intoFiles(arena, 'csv', freight);
    const all = await contestants(arena, 'cost-files', variants, content, { ...env, ...passwordOf(database, 'source') });
    return {
      rows: freight.rows,
      contestants: all.map((one, index) => ({ ...one, ...(isEncrypted(variants[index]!) ? { check: async () => undefined } : {}) })),
      prepare,
      check,
    };
  };
}

/** No other program reads files that dray has encrypted; that they come back as they were is for tests. */
function isEncrypted({ writer = {} }: Variant): boolean {
  return 'encryptionKey' in writer;
}

/** A set of CSV files, which dray has written, into a table. */
export function readingCosts(variants: readonly Variant[]): OpenLane {
  return async ({ rows, arena }) => {
    const freight = freightOf(orders, rows);
    const haul = await openHaul(arena, 'postgres', 'postgres', freight);
    await (await arena.place('local')).empty();
    await measuredRun(runCommand(await writingJob(arena, 'postgres', freight, 'csv', {}, '-to-read'), 2), arena.signal);
    const { plugin, env } = await filesReader(arena, 'csv', orders);
    const content = { reader: plugin, writer: tableWriter(haul.target, 'target', haul.table) };
    return {
      rows: freight.rows,
      contestants: await contestants(arena, 'cost-reading', variants, content, { ...env, ...passwordOf(haul.target, 'target') }),
      ...intoTable(haul.target, freight, await arena.expectedDigest('postgres', freight)),
    };
  };
}

/** One channel each; the first is the measure of the others. */
function contestants(
  arena: Arena,
  name: string,
  variants: readonly Variant[],
  content: Content,
  env: Job['env'] = {},
): Promise<Contestant[]> {
  return Promise.all(
    variants.map(async ({ title, reader, writer, transformer = [], setting = {} }, index) => {
      const varied = { reader: withMore(content.reader, reader), writer: withMore(content.writer, writer), transformer };
      const job = await writeJob(arena, `${name}-${index}`, varied, env, setting);
      return { ...drayContestant(job, 1, index === 0 ? `dray, ${title}` : title), isRival: index === 0 };
    }),
  );
}

function withMore({ name, parameter }: Plugin, more: object = {}): Plugin {
  return { name, parameter: { ...parameter, ...more } };
}

const texts = ['customer', 'order_no', 'status', 'created_at', 'updated_at', 'is_paid', 'attributes', 'token', 'note'];
const generatedOrders = [
  { name: 'id', type: 'long', sequence: 1 },
  ...texts.map((name) => ({ name, value: `${name} of an order` })),
  ...['amount', 'weight'].map((name) => ({ name, type: 'long', random: '0, 1000000' })),
];
