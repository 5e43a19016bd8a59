import { LoadSensor } from '../load/load-sensor.ts';
import { type SlotPlan, slotsFor } from '../load/slots.ts';
import { bytesPerThread } from './limits.ts';

const sampleMs = 2000;
const reserveBytes = 256 << 20;

interface MachineContext {
  /** Slots of all pools together, where nobody else needs the machine. */
  readonly maxSlots: number;
  readonly running: () => number;
  readonly localEnds: () => number;
  /** Told when there are more or fewer slots than before. */
  readonly onChange: (slots: number, spareCpu: number, why: string) => void;
}

/** Watches what this machine can carry, beside the work of others, and opens and closes slots. */
export class Machine {
  readonly #context: MachineContext;
  readonly #sensor = new LoadSensor();
  readonly #timer: NodeJS.Timeout;
  #plan: SlotPlan | undefined;

  constructor(context: MachineContext) {
    this.#context = context;
    this.#timer = setInterval(() => this.#look(), sampleMs).unref();
  }

  /** Why there are fewer slots than there could be; undefined: there are not. */
  get remark(): string | undefined {
    return this.#plan === undefined || this.#plan.slots === this.#plan.of ? undefined : this.#plan.why;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const { maxSlots, running, localEnds, onChange } = this.#context;
    const sample = this.#sensor.sample();
    // Tasks wait for networks and disks, too: on a machine of its own there are more slots than cores.
    const limits = { maxSlots, coresPerSlot: Math.min(1, sample.cores / maxSlots), bytesPerSlot: bytesPerThread, reserveBytes };
    const before = this.#plan?.slots ?? maxSlots;
    this.#plan = slotsFor({ sample, running: running(), localEnds: localEnds(), now: performance.now() }, limits, this.#plan);
    const spareCpu = sample.cores - (sample.busyOthers ?? 0) - (sample.ours ?? 0);
    if (this.#plan.slots !== before) onChange(this.#plan.slots, spareCpu, this.#plan.why);
  }
}
