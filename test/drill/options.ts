import { parseArgs } from 'node:util';
import { type FaultKind, faultKinds, type Pair, pairs } from './scenario.ts';

export interface DrillOptions {
  readonly seeds: readonly number[];
  /** No seed is begun after so many. */
  readonly minutes: number;
  readonly pairs: readonly Pair[];
  readonly faults: readonly FaultKind[];
  /** `--only` and `--fault` as they were given: they belong to a seed. */
  readonly narrowed: string;
  /** The folders of seeds that failed stay, with journals and logs. */
  readonly keep: boolean;
  readonly json: boolean;
}

export const usage = `npm run drill -- [options]

  --seeds N       how many (default 20)
  --first S       the first of them (default 1)
  --seed S        only this one; may be repeated
  --minutes M     begin no other seed after so long
  --only PAIR     only jobs of this pair, may be repeated: ${pairs.join(', ')}
  --fault FAULT   only this fault, where it is possible; may be repeated: ${Object.keys(faultKinds).join(', ')}
  --keep          keep job, journals and logs of seeds that failed
  --json          the results as JSON on stdout
  --help`;

/** @throws Error with a sentence for the user */
export function parseDrillOptions(args: readonly string[]): DrillOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '20' },
      first: { type: 'string', default: '1' },
      seed: { type: 'string', multiple: true, default: [] },
      minutes: { type: 'string', default: '1000000' },
      only: { type: 'string', multiple: true, default: [] },
      fault: { type: 'string', multiple: true, default: [] },
      keep: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const named = values.seed.flatMap((text) => text.split(',')).map((text) => wholeNumber('seed', text));
  const [count, first] = [wholeNumber('seeds', values.seeds), wholeNumber('first', values.first)];
  return {
    seeds: named.length > 0 ? named : Array.from({ length: count }, (_, index) => first + index),
    minutes: Number(values.minutes),
    pairs: values.only.length > 0 ? values.only.map(pairNamed) : pairs,
    faults: values.fault.length > 0 ? values.fault.map(faultNamed) : (Object.keys(faultKinds) as FaultKind[]),
    narrowed: [...values.only.map((pair) => ` --only ${pair}`), ...values.fault.map((fault) => ` --fault '${fault}'`)].join(''),
    keep: values.keep,
    json: values.json,
  };
}

function pairNamed(name: string): Pair {
  const pair = pairs.find((one) => one === name);
  if (pair === undefined) throw new Error(`There is no pair "${name}". The pairs are ${pairs.join(', ')}.`);
  return pair;
}

function faultNamed(name: string): FaultKind {
  if (!Object.hasOwn(faultKinds, name))
    throw new Error(`There is no fault "${name}". The faults are ${Object.keys(faultKinds).join(', ')}.`);
  return name as FaultKind;
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} must be a whole number, at least 1.`);
  return value;
}
