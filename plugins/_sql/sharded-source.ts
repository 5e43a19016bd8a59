import type { Column, PluginContext, Split } from 'dray/sdk';
import { type Part, partsIn, selectExpressions } from './parts.ts';
import type { Place } from './places.ts';
import { plannedExpressions, plannedTexts } from './planned-columns.ts';
import { type OwnValues, ownExpression, type SharedColumns, sharedColumns, wantedColumns } from './shard-columns.ts';
import type { ShardPolicy } from './shard-options.ts';
import { isPlain, listedNames, lookAt, plainParts, resolveParts, type Shard, type ShardDialect } from './shards.ts';

/** The parts of a content and what their tables have in common. */
interface Known<T> {
  readonly parts: readonly [Part, ...Part[]];
  /** By part; empty where there is but one table, or none. */
  readonly shards: readonly Shard<T>[];
  readonly shared: SharedColumns | undefined;
}

interface SourceOptions {
  readonly column: readonly string[];
  readonly shards: ShardPolicy;
}

/** SQL of the columns of one table. */
export interface Selected {
  readonly expressions: readonly string[];
  /** By place: true where the reader itself says what stands there. */
  readonly own: readonly boolean[];
}

interface TableNames {
  readonly quoteName: (name: string) => string;
  readonly quoteText: (text: string) => string;
}

/** What the SQL readers know of their tables, as one logical table: looked up once, in the main thread. Tasks find in their splits what they need. */
export class ShardedSource<T> {
  readonly #places: readonly Place[];
  readonly #dialect: ShardDialect<T>;
  readonly #policy: ShardPolicy;
  readonly #names: TableNames;
  readonly #warn: PluginContext['warn'];
  /** `column` of the job file with what the policy adds. */
  readonly #wanted: readonly string[];
  #known: Promise<Known<T>> | undefined;

  constructor(
    places: readonly Place[],
    dialect: ShardDialect<T>,
    names: TableNames,
    { column, shards }: SourceOptions,
    warn: PluginContext['warn'],
  ) {
    this.#places = places;
    this.#dialect = dialect;
    this.#names = names;
    this.#policy = shards;
    this.#wanted = wantedColumns(column, shards);
    this.#warn = warn;
  }

  /** @param planned splits of an earlier process of the run */
  async known(planned?: readonly Split[]): Promise<Known<T>> {
    this.#known ??= planned === undefined ? this.#resolve() : this.#resume(partsIn(planned));
    return this.#known;
  }

  /** True where there is one table, or one query: the types of its columns are those that are read. */
  get isOne(): boolean {
    return isPlain(this.#places) && plainParts(this.#places).length === 1;
  }

  /** True where the tables are shards of one: there are several, or they were searched for. */
  get isSharded(): boolean {
    return !isPlain(this.#places);
  }

  async #resolve(): Promise<Known<T>> {
    if (isPlain(this.#places)) {
      const [first, ...others] = plainParts(this.#places);
      return { parts: [{ ...first!, isFirst: true }, ...others], shards: [], shared: undefined };
    }
    const { parts, shards, skipped } = await resolveParts(this.#places, this.#dialect, this.#policy);
    if (skipped.length > 0) this.#warn(`${skipped.length} of the source left out, because missing: no ${listedNames(skipped)}`);
    const shared = shards.length === 0 ? undefined : sharedColumns(shards, this.#wanted, this.#policy.columns);
    for (const note of shared?.notes ?? []) this.#warn(note);
    const isUniform = shared === undefined || shared.widened.size + shared.filled.size === 0;
    const lacking = new Map(shards.map(({ part }, index) => [part, shared!.parts[index]!]));
    const [first, ...others] = parts.map((part) => lacking.get(part as Shard<T>['part']) ?? part);
    const all: [Part, ...Part[]] = [isUniform ? { ...first!, isFirst: true } : first!, ...others];
    const renamed = new Map(parts.map((part, index) => [part, all[index]!]));
    return { parts: all, shards: shards.map((shard) => ({ ...shard, part: renamed.get(shard.part) as Shard<T>['part'] })), shared };
  }

  /** What is missing by now is told by the task that reads it; what has been read need not be there any more. */
  async #resume(parts: readonly Part[]): Promise<Known<T>> {
    const [first, ...others] = parts;
    if (parts.filter(({ table }) => table !== undefined).length <= 1) return { parts: [first!, ...others], shards: [], shared: undefined };
    const shards = await lookAt(parts, this.#dialect);
    const shared = shards.length === 0 ? undefined : sharedColumns(shards, this.#wanted, this.#policy.columns);
    const there = shards[0]?.part ?? first!;
    return { parts: [there, ...parts.filter((part) => part !== there)], shards, shared };
  }

  /** What a table selects before anything is planned, and names of those columns. */
  selected(
    shared: SharedColumns | undefined,
    known: readonly Column[],
    values: OwnValues,
  ): Selected & { readonly names: readonly string[] } {
    const star = shared?.star ?? known.map(({ name }) => name);
    const names = this.#wanted.flatMap((text) => (text.trim() === '*' ? star : [text]));
    const lacks = [...(shared?.filled.keys() ?? [])].filter((name) => !known.some((column) => column.name === name));
    const own = names.map((name) => ownExpression(name, known, { ...values, lacks }, this.#names.quoteText));
    const plain = selectExpressions(names, known, this.#names.quoteName);
    return { names, expressions: plain.map((text, index) => own[index] ?? text), own: own.map((text) => text !== undefined) };
  }

  /** The same for a read. */
  planned(columns: readonly Column[], known: readonly Column[], values: OwnValues): Selected {
    const own = plannedTexts(this.#wanted, columns).map(({ text }) => ownExpression(text, known, values, this.#names.quoteText));
    const plain = plannedExpressions(this.#wanted, columns, known, this.#names.quoteName);
    return { expressions: plain.map((text, index) => own[index] ?? text), own: own.map((text) => text !== undefined) };
  }
}
