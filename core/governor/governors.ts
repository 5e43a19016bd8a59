import type { Resource } from '../sdk/index.ts';
import { resourceKey } from './resources.ts';
import { type GovernorOptions, SourceGovernor } from './source-governor.ts';

/** The governors of all servers that a process uses: one for each, however many jobs use it. */
export class Governors {
  readonly #options: GovernorOptions;
  readonly #governors = new Map<string, SourceGovernor>();

  constructor(options: GovernorOptions = {}) {
    this.#options = options;
  }

  of(resource: Resource): SourceGovernor {
    const key = resourceKey(resource);
    const known = this.#governors.get(key);
    if (known !== undefined) return known;
    const governor = new SourceGovernor(resource, this.#options);
    this.#governors.set(key, governor);
    return governor;
  }

  all(): SourceGovernor[] {
    return [...this.#governors.values()];
  }
}
