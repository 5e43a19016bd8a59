import type { Decision, SchedulerEvent } from '../../core/scheduler/events.ts';
import { FreeSlots } from './free-slots.ts';
import { noReason, type Policy } from './policy.ts';

const channelsPerGroup = 5;

interface Group {
  readonly job: string;
  readonly channels: number;
  readonly waiting: number[];
  readonly running: Set<number>;
  host: string;
}

/**
 * DataX's way in its distributed mode: a job's channels are cut into groups of five, its tasks are dealt out to the groups beforehand, one after the other, and a group
 * keeps its five slots of one host until its last task has ended. Nothing moves from one group to another. Groups are served in the order in which they come.
 * (JobAssignUtil.assignFairly of DataX 3.0; a host that is lost ends a job there, here its groups begin again what was not done.)
 */
export class DealtPolicy implements Policy {
  readonly nextAt = undefined;
  readonly #channels: number;
  readonly #slots: FreeSlots;
  readonly #groupOf = new Map<string, Group>();
  readonly #running = new Set<Group>();
  readonly #line: Group[] = [];
  #next = 0;

  constructor({ channels, slotsPerHost }: { channels: number; slotsPerHost: number }) {
    this.#channels = channels;
    this.#slots = new FreeSlots(slotsPerHost);
  }

  handle(event: SchedulerEvent): readonly Decision[] {
    const decisions: Decision[] = [];
    if (event.type === 'submit') this.#deal(event.job.job, event.job.tasks.length);
    else if (event.type === 'ended') this.#ended(event.job, event.task, decisions);
    else if (event.type === 'host') this.#slots.join(event.host);
    else if (event.type === 'host lost') this.#lose(event.host);
    for (let group = this.#line[this.#next]; group !== undefined; group = this.#line[this.#next]) {
      const host = this.#slots.take(group.channels);
      if (host === undefined) break;
      this.#next++;
      group.host = host;
      this.#running.add(group);
      while (group.running.size < group.channels && group.waiting.length > 0) start(group, decisions);
    }
    return decisions;
  }

  #deal(job: string, tasks: number): void {
    const channels = Math.min(this.#channels, tasks);
    const count = Math.ceil(channels / channelsPerGroup);
    const groups = Array.from({ length: count }, (_, index): Group => {
      const share = Math.floor(channels / count) + (index < channels % count ? 1 : 0);
      return { job, channels: share, waiting: [], running: new Set(), host: '' };
    });
    for (let task = 0; task < tasks; task++) {
      const group = groups[task % count]!;
      group.waiting.push(task);
      this.#groupOf.set(`${job}/${task}`, group);
    }
    this.#line.push(...groups);
  }

  #ended(job: string, task: number, decisions: Decision[]): void {
    const key = `${job}/${task}`;
    const group = this.#groupOf.get(key)!;
    this.#groupOf.delete(key);
    group.running.delete(task);
    if (group.waiting.length > 0) start(group, decisions);
    if (group.running.size > 0) return;
    this.#running.delete(group);
    this.#slots.giveBack(group.host, group.channels);
  }

  #lose(host: string): void {
    this.#slots.lose(host);
    for (const group of this.#running) {
      if (group.host !== host) continue;
      this.#running.delete(group);
      group.waiting.push(...group.running);
      group.running.clear();
      this.#line.push(group);
    }
  }
}

function start(group: Group, decisions: Decision[]): void {
  const task = group.waiting.pop()!;
  group.running.add(task);
  decisions.push({ type: 'start', job: group.job, task, host: group.host, pool: 'night', why: noReason });
}
