import { Arena } from './arena.ts';
import { type DrillOptions, parseDrillOptions, usage } from './options.ts';
import { type Outcome, type Result, runScenario } from './run-scenario.ts';
import { type FaultKind, faultKinds, type Scenario, scenarioOf } from './scenario.ts';

/** Runs jobs and breaks what they depend on; exit code 1 if one of them did not keep its promise. */
async function drill(options: DrillOptions): Promise<number> {
  const arena = new Arena();
  const results: Result[] = [];
  const endAt = performance.now() + options.minutes * 60_000;
  try {
    for (const seed of options.seeds) {
      if (performance.now() > endAt) break;
      const scenario = scenarioOf(seed, options.pairs, options.faults);
      const result = await runScenario(scenario, arena, options.keep).catch((error: unknown) => broken(scenario, error));
      results.push(result);
      if (!options.json) console.log(lineOf(result));
      for (const violation of result.violations) console.error(`  VIOLATION: ${violation}`);
      if (result.violations.length > 0) console.error(`  again: ${replay(seed, options)}`);
    }
  } finally {
    await arena.stop();
  }
  if (options.json) console.log(JSON.stringify({ results, table: tableOf(results) }));
  else printTable(results);
  return results.some(({ outcome }) => outcome === 'violation') ? 1 : 0;
}

/** A seed at which the drill itself has failed proves nothing. */
function broken(scenario: Scenario, error: unknown): Result {
  const violations = [`the drill failed: ${error instanceof Error ? error.stack : String(error)}`];
  return { scenario, outcome: 'violation', struck: [], violations, ends: [], seconds: 0 };
}

function replay(seed: number, { narrowed }: DrillOptions): string {
  return `npm run drill -- --seed ${seed}${narrowed} --keep`;
}

function lineOf({ scenario, outcome, struck, ends, seconds }: Result): string {
  const missed = scenario.faults.length - struck.length;
  const faults = [...struck, ...(missed === 0 ? [] : [`(${missed} came too late)`])].join(', ');
  return `${String(scenario.seed).padStart(5)}  ${outcome.padEnd(9)} ${seconds.toFixed(1).padStart(6)} s  ${jobLine(scenario)}  | ${faults} | ${ends.join(' → ')}`;
}

function jobLine(scenario: Scenario): string {
  const { pair, guarantee, publish, writeMode, channels, tables, rows, dirtyRows, snapshot, isAnalyzed, isMutated, source } = scenario;
  const extras = [
    ...(writeMode === 'update' ? ['update'] : []),
    ...(dirtyRows > 0 ? [`${dirtyRows} dirty`] : []),
    ...(snapshot === undefined ? [] : [snapshot]),
    ...(isMutated ? ['mutated'] : []),
    ...(isAnalyzed || source !== 'postgres' ? [] : ['blocks']),
  ];
  return [pair, guarantee, publish, `${channels} ch`, `${tables} × ${Math.round(rows / tables)} rows`, ...extras].join(', ');
}

type Counts = Record<Outcome, number>;

function tableOf(results: readonly Result[]): Record<string, Counts> {
  const counted = (some: readonly Result[]): Counts => {
    const counts: Counts = { done: 0, resumed: 0, refused: 0, violation: 0 };
    for (const { outcome } of some) counts[outcome]++;
    return counts;
  };
  const kinds = Object.keys(faultKinds) as FaultKind[];
  const rows = kinds.map((kind) => [kind, counted(results.filter(({ struck }) => struck.includes(kind)))] as const);
  return Object.fromEntries([
    ...rows,
    ['none in time', counted(results.filter(({ struck }) => struck.length === 0))],
    ['all seeds', counted(results)],
  ]);
}

function printTable(results: readonly Result[]): void {
  console.log('\n| fault | done | resumed | refused | violation |\n| --- | --- | --- | --- | --- |');
  for (const [fault, { done, resumed, refused, violation }] of Object.entries(tableOf(results)))
    console.log(`| ${fault} | ${done} | ${resumed} | ${refused} | ${violation} |`);
}

let options: DrillOptions | 'help';
try {
  options = parseDrillOptions(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exit(2);
}
if (options === 'help') console.log(usage);
else process.exit(await drill(options));
