import { newRunId } from '../../core/controller/run-job.ts';
import type { RunEvent } from '../../core/ledger/events.ts';
import { beginRun, type Mask, type RunLedger } from '../../core/ledger/run-store.ts';
import { tempFolder } from './temp-folder.ts';

type Begun = Extract<RunEvent, { type: 'begun' }>;

/** A run that begins, in a state folder of its own. */
export function newLedger(state = tempFolder(), run = newRunId(), more: Partial<Begun> = {}, mask?: Mask): Promise<RunLedger> {
  const begun: Begun = {
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
    ...more,
  };
  return beginRun(state, begun, mask);
}
