import type { Split } from 'dray/sdk';
import { isTable, type Part, partsIn, sessionOf } from './parts.ts';

export type TablePart = Part & { readonly table: string };

/** The tables that a task will read, until they are looked up: all of a session at once, when the first of them is read. */
export class ExpectedParts {
  readonly #bySession = new Map<string, TablePart[]>();

  /** @param isKnown tables that need not be looked up any more */
  expect(splits: readonly Split[], isKnown: (part: TablePart) => boolean): void {
    this.#bySession.clear();
    for (const part of partsIn(splits).filter(isTable)) {
      if (isKnown(part)) continue;
      const others = this.#bySession.get(sessionOf(part));
      if (others === undefined) this.#bySession.set(sessionOf(part), [part]);
      else others.push(part);
    }
  }

  /** Those that are looked up together with this one; none if it is better looked up alone. Each is returned once. */
  with(part: Part): readonly TablePart[] {
    const session = sessionOf(part);
    const all = this.#bySession.get(session) ?? [];
    this.#bySession.delete(session);
    return all.length > 1 && all.some(({ table }) => table === part.table) ? all : [];
  }
}
