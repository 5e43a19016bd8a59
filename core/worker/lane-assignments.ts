/** In the thread of a lane: does one assignment after the other. */
import type { MessagePort } from 'node:worker_threads';
import { DrayError } from '../sdk/index.ts';
import { watchDeadBuffers } from '../task/dead-buffers.ts';
import { Lane } from '../task/lane.ts';
import { type TaskListener, zeroCounters } from '../task/spec.ts';
import type { Answer, Assignment, FromWorker, ToWorker } from './messages.ts';
import { loadAhead, pluginLoader } from './plugin-loader.ts';

const lane = new Lane(pluginLoader);

export async function assigned(assignment: Assignment): Promise<Answer> {
  if (assignment.type === 'close') {
    await lane.close();
    return undefined;
  }
  if (assignment.type === 'load') {
    await loadAhead(assignment.plugins);
    return undefined;
  }
  const { port } = assignment;
  const { listener, cancel } = listen(port);
  const endWatch = watchDeadBuffers();
  try {
    if (assignment.type === 'join') return await lane.join(assignment.spec, cancel);
    const { spec, snapshot } = assignment;
    const error = snapshot === undefined ? undefined : await lane.join(snapshot, cancel);
    return error === undefined ? await lane.run(spec, listener, cancel) : { state: 'failed', counters: zeroCounters(), error };
  } finally {
    endWatch();
    port.close();
  }
}

/** The Controller at the other end of the port, as a task sees it. */
function listen(port: MessagePort): { listener: TaskListener; cancel: AbortSignal } {
  const cancel = new AbortController();
  const tell = (message: FromWorker) => port.postMessage(message);
  let cut: (() => number | undefined) | undefined;
  const answers = new Map<number | undefined, (refused: DrayError | undefined) => void>();
  port.on('message', (message: ToWorker) => {
    if (message.type === 'cancel') cancel.abort(DrayError.fromWire(message.reason));
    else if (message.type === 'cut') tell({ type: 'cut', keeps: cut?.() });
    else answers.get(message.task)?.(message.refused === undefined ? undefined : DrayError.fromWire(message.refused));
  });
  const listenerOf = (task: number | undefined): TaskListener => ({
    progress: (counters) => tell({ type: 'progress', task, counters }),
    dirty: (record) => tell({ type: 'dirty', task, record }),
    mayCommit: async (tally) => {
      const answered = new Promise<DrayError | undefined>((resolve) => {
        answers.set(task, resolve);
      });
      tell({ type: 'ready', task, tally });
      const refused = await answered;
      if (refused !== undefined) throw refused;
    },
    cuttable: (how) => {
      cut = how;
    },
    warn: (message) => tell({ type: 'warn', message }),
    print: (text) => tell({ type: 'print', text }),
    beside: listenerOf,
  });
  return { listener: listenerOf(undefined), cancel: cancel.signal };
}
