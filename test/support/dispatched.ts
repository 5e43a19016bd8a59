import { Budgets } from '../../core/controller/budgets.ts';
import { Dispatcher, defaultPool } from '../../core/controller/dispatcher.ts';
import { RunHandle } from '../../core/controller/run-handle.ts';

/** What a run needs that has four slots for itself. */
export function dispatched() {
  const dispatcher = new Dispatcher({ [defaultPool]: 4 });
  return { dispatcher, budgets: new Budgets(dispatcher), handle: new RunHandle(dispatcher, { run: 'test', job: 'test', priority: 5 }) };
}
