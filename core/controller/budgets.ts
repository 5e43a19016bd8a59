import { Governors } from '../governor/governors.ts';
import { resourceKey, resourcesOf } from '../governor/resources.ts';
import type { Guest, SourceGovernor } from '../governor/source-governor.ts';
import type { Job } from '../job/load-job.ts';
import { isThisMachine } from '../load/this-machine.ts';
import type { Bound } from '../scheduler/estimate.ts';
import { type Resource, resourceName, type Split } from '../sdk/index.ts';
import { ServerFlow } from '../transport/server-flow.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { OpenPlan, Plan } from './plan.ts';

/** A pause ends by time alone, and what tasks have moved is counted so often. */
const lookMs = 1000;

interface Server {
  readonly governor: SourceGovernor;
  readonly flow: ServerFlow;
  countedBytes: number;
  /** The decision that listeners have heard of. */
  told: string;
  /** Of contents that use it. */
  readonly listeners: Set<(message: string) => void>;
}

/** A content at its servers. */
export interface Stay {
  /** Names at the scheduler of the servers of a task that reads this split: those that it reads from, and all targets. */
  readonly resourcesOf: (split: Split) => readonly string[];
  /** Tasks that they take at once, where they are known to take only so many. */
  readonly bounds: readonly Bound[];
  /** Shared memory of the limits of bytes of these servers, for the task. */
  readonly flowsOf: (split: Split) => readonly SharedArrayBuffer[];
  /** What the servers stand in the way of, and why; undefined: nothing. */
  remark(): string | undefined;
  /** What stands against one more task, as a part of a sentence; undefined: nothing. */
  full(): string | undefined;
  /** A task that reads this split has begun at its servers. @returns what to call when it has ended */
  taskStarted(split: Split): () => void;
  /** Before the reader or the writer is closed. */
  leave(): Promise<void>;
}

/** Keeps the budgets of all servers that the runs of this process use. */
export class Budgets {
  readonly #dispatcher: Dispatcher;
  readonly #governors: Governors;
  readonly #servers = new Map<string, Server>();
  readonly #localEnds = new Map<symbol, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(dispatcher: Dispatcher) {
    this.#dispatcher = dispatcher;
    this.#governors = new Governors({ onChange: (_decision, governor) => this.#apply(governor) });
  }

  /** Most ends of the contents at work that are servers on this machine. */
  get localEnds(): number {
    return Math.max(0, ...this.#localEnds.values());
  }

  /** Takes a content in at the servers that its plan reads from, and at those that it writes to. */
  join(
    { reader, splits }: Plan,
    writers: readonly OpenPlan['writer'][],
    job: Pick<Job, 'sourceLimits' | 'targetLimits'>,
    decided: (message: string) => void,
  ): Stay {
    const sources = new Map(splits.flatMap((split) => resourcesOf(reader, split)).map((resource) => [resourceKey(resource), resource]));
    // A job of one task is over before anybody could ask; connections cost it more than it does.
    const mayAsk = splits.length > 1;
    const guests: [Resource, Guest][] = [...sources.values()].map((resource) => [
      resource,
      { side: 'source', limits: job.sourceLimits, ask: mayAsk && reader.health ? (signal) => reader.health!(resource, signal) : undefined },
    ]);
    const targets: Resource[] = [];
    for (const writer of writers) {
      const target = writer.resource?.();
      if (target === undefined) continue;
      targets.push(target);
      const ask = mayAsk && writer.health ? (signal: AbortSignal) => writer.health!(target, signal) : undefined;
      guests.push([target, { side: 'target', limits: job.targetLimits, ask }]);
    }
    const stay = Symbol('stay');
    const isLocal = (resource: Resource | undefined) => (resource !== undefined && isThisMachine(resource.host) ? 1 : 0);
    this.#localEnds.set(
      stay,
      targets.reduce((sum, target) => sum + isLocal(target), isLocal(sources.values().next().value)),
    );
    const servers = new Set(guests.map(([resource]) => this.#server(resource)));
    const targetServers = targets.map((target) => this.#server(target));
    const sourcesOf = (split: Split) => resourcesOf(reader, split).map((resource) => this.#server(resource));
    const serversOf = (split: Split) => new Set([...sourcesOf(split), ...targetServers]);
    for (const { listeners } of servers) listeners.add(decided);
    for (const [resource, guest] of guests) this.#server(resource).governor.join(guest);
    for (const { governor } of servers) this.#apply(governor);
    this.#timer ??= setInterval(() => this.#look(), lookMs).unref();
    return {
      resourcesOf: (split) => [...serversOf(split)].map(({ governor }) => resourceName(governor.resource)),
      bounds: [[...sources.values()], ...targets.map((target) => [target])].flatMap((some) =>
        boundOf(some.map((one) => this.#server(one))),
      ),
      flowsOf: (split) => {
        // Each target gets the bytes; one at the server of the source is not charged for them twice.
        const charged = new Set([...sourcesOf(split), ...targetServers.slice(0, 1)]);
        return [...charged, ...targetServers.slice(1)].map(({ flow }) => flow.shared);
      },
      remark: () => [...servers].flatMap(({ governor }) => governor.decision.why ?? []).join('; ') || undefined,
      full: () => [...servers].flatMap(({ governor }) => governor.full ?? []).join('; ') || undefined,
      taskStarted: (split) => {
        const used = serversOf(split);
        for (const { governor } of used) governor.taskStarted();
        return () => {
          for (const { governor } of used) governor.taskEnded();
        };
      },
      leave: async () => {
        this.#localEnds.delete(stay);
        for (const { listeners } of servers) listeners.delete(decided);
        await Promise.all(guests.map(([resource, guest]) => this.#server(resource).governor.leave(guest)));
      },
    };
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #server(resource: Resource): Server {
    const key = resourceKey(resource);
    const known = this.#servers.get(key);
    if (known !== undefined) return known;
    const server = {
      governor: this.#governors.of(resource),
      flow: new ServerFlow(),
      countedBytes: 0,
      told: '',
      listeners: new Set<(message: string) => void>(),
    };
    this.#servers.set(key, server);
    return server;
  }

  #apply(governor: SourceGovernor): void {
    const { tasks, isPaused, bytesPerSecond, why } = governor.decision;
    const server = this.#server(governor.resource);
    server.flow.limit(bytesPerSecond);
    this.#dispatcher.tell({ type: 'limit', resource: resourceName(governor.resource), maxRunning: isPaused ? 0 : tasks });
    const decision = `${tasks} ${isPaused}`;
    if (decision === server.told) return;
    server.told = decision;
    if (why !== undefined) for (const tell of server.listeners) tell(why);
  }

  #look(): void {
    for (const server of this.#servers.values()) {
      const { bytes } = server.flow;
      server.governor.moved(bytes - server.countedBytes);
      server.countedBytes = bytes;
      this.#apply(server.governor);
    }
  }
}

/** Tasks that these servers take at once, each task being at one of them. */
function boundOf(servers: readonly Server[]): Bound[] {
  const threads = servers.reduce((sum, { governor }) => sum + governor.decision.tasks, 0);
  if (servers.length === 0 || !Number.isFinite(threads)) return [];
  const names = servers.map(({ governor }) => resourceName(governor.resource));
  const what = names.length === 1 ? names[0] : `${names[0]} and ${names.length - 1} more`;
  return [{ what: `the connections of ${what}`, threads }];
}
