import { orders } from '../../plugins/fixture/orders.ts';
import type { Kind } from '../bench-database.ts';
import { drayCommand, passwordOf, runCommand, tableReader, writeJob } from '../dray-job.ts';
import { freightOf } from '../freight.ts';
import type { OpenLane } from '../lane.ts';

const nothing = { prepare: async () => undefined, check: async () => undefined };
const toNowhere = { name: 'streamwriter', parameter: { print: false } };

/** `dray --help` beside a Node.js that does nothing. */
export const help: OpenLane = async () => ({
  rows: 0,
  contestants: [
    { title: 'node -e 0', isRival: true, command: { words: [process.execPath, '-e', '0'], env: {} } },
    { title: 'dray --help', isRival: false, command: drayCommand(['--help']) },
  ],
  ...nothing,
});

/** `dray plan` of one table. */
export function plan(kind: Kind): OpenLane {
  return async ({ rows, arena }) => {
    const freight = freightOf(orders, rows);
    const database = await arena.database(kind);
    const reader = tableReader(database, 'source', await arena.table(kind, freight));
    const job = await writeJob(arena, `plan-${kind}-${rows}`, { reader, writer: toNowhere }, passwordOf(database, 'source'));
    return {
      rows: freight.rows,
      contestants: [{ title: 'dray plan', isRival: false, command: drayCommand(['plan', job.file, '--json'], job.env) }],
      ...nothing,
    };
  };
}

/** The engine and nothing else: four columns of integers are generated and thrown away. A run that loses a row ends with an error of its own. */
export const engine: OpenLane = async ({ rows, channels, arena }) => ({
  rows,
  contestants: await Promise.all(
    channels.map(async (count) => {
      const column = ['id', 'a', 'b', 'c'].map((name, index) => ({ name, type: 'long', sequence: index }));
      // There are as many slices as channels.
      const reader = { name: 'streamreader', parameter: { column, sliceRecordCount: Math.ceil(rows / count) } };
      const job = await writeJob(arena, `engine-${count}`, { reader, writer: toNowhere }, {});
      return { title: `dray, ${count} channel${count === 1 ? '' : 's'}`, isRival: false, command: runCommand(job, count) };
    }),
  ),
  ...nothing,
});
