import { readFileSync, rmSync } from 'node:fs';
import { defineWriter, type TaskWriter, type WriterPlugin } from 'dray/sdk';
import type { Moment } from './scenario.ts';

/** Environment variable: path of a file that names a moment. The first thread that comes to that moment removes it, and ends. */
export const ticketVariable = 'DRAY_DRILL_TICKET';

/** The same writer, in which threads of tasks can be made to end. */
export function mortal(writer: WriterPlugin): WriterPlugin {
  return defineWriter({
    ...writer,
    name: `mortal-${writer.name}`,
    aliases: [],
    async open(options, context) {
      const opened = await writer.open(options, context);
      const openTask = opened.openTask.bind(opened);
      opened.openTask = async (task) => dying(await openTask(task));
      return opened;
    },
  });
}

function dying(task: TaskWriter): TaskWriter {
  const write = task.write.bind(task);
  const commit = task.commit.bind(task);
  task.write = async (batch) => {
    await write(batch);
    dieAt('write');
  };
  task.commit = async (tally) => {
    dieAt('before commit');
    const committed = await commit(tally);
    dieAt('after commit');
    return committed;
  };
  return task;
}

function dieAt(moment: Moment): void {
  const ticket = process.env[ticketVariable];
  if (ticket === undefined) return;
  try {
    if (readFileSync(ticket, 'utf8') !== moment) return;
    rmSync(ticket);
  } catch {
    // There is none, or another thread was faster.
    return;
  }
  process.exit(9);
}
