import { newRunId } from '../../core/controller/run-job.ts';
import { beginRun, type RunLedger } from '../../core/ledger/run-store.ts';
import { tempFolder } from './temp-folder.ts';

/** A run that begins, in a state folder of its own. */
export function newLedger(state = tempFolder(), run = newRunId()): Promise<RunLedger> {
  return beginRun(state, {
    type: 'begun',
    run,
    job: 'fake',
    file: '/nowhere/fake.json',
    digest: '',
    parameters: {},
    secretParameters: [],
    at: new Date().toISOString(),
    guarantee: 'at-least-once',
    channels: 1,
  });
}
