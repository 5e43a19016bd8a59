import { beforeAll, describe, expect, test } from 'vitest';
import { type Cell, DrayError, type Guarantee, type Json } from '../../core/sdk/index.ts';
import { type CrashMoment, type CrashPoint, withCrash } from '../support/postgres-crash-points.ts';
import { providedPostgres } from '../support/provided-servers.ts';
import { postgresDatabase, type TestDatabase } from '../support/sql.ts';
import { newRun, postgresProcess } from '../support/staged-postgres.ts';

const server = providedPostgres();
let database: TestDatabase;

beforeAll(async () => {
  await server.createDatabase('crash_points');
  database = postgresDatabase(server, 'crash_points');
  await database.sql('CREATE TABLE log (t text)');
});

const rows: Record<number, Cell[][]> = {
  1: [
    ['1', 'new'],
    ['2', 'new'],
  ],
  2: [['3', 'new']],
};

interface Scenario {
  readonly guarantee: Guarantee;
  readonly options: object;
  readonly isStraight?: boolean;
  /** `$` stands for the table. */
  readonly statements?: string[];
  readonly after: Cell[][];
}

const loaded = [...rows[1]!, ...rows[2]!];
const postSql = ["INSERT INTO log VALUES ('@table')"];
const scenarios: Record<string, Scenario> = {
  'exactly-once, direct': { guarantee: 'exactly-once', options: { postSql }, after: [['0', 'old'], ...loaded] },
  'exactly-once, exchanged': { guarantee: 'exactly-once', options: { publish: 'atomic', postSql }, after: loaded },
  'exactly-once, in place': {
    guarantee: 'exactly-once',
    options: { publish: 'atomic', postSql },
    statements: ['CREATE VIEW $_v AS SELECT * FROM $'],
    after: loaded,
  },
  'exactly-once, appended': { guarantee: 'exactly-once', options: { publish: 'atomic-append', postSql }, after: [['0', 'old'], ...loaded] },
  'exactly-once, straight on': { guarantee: 'exactly-once', options: { postSql }, isStraight: true, after: [['0', 'old'], ...loaded] },
  'at-least-once, straight on': { guarantee: 'at-least-once', options: {}, isStraight: true, after: [['0', 'old'], ...loaded] },
  'at-least-once, direct': { guarantee: 'at-least-once', options: {}, after: [['0', 'old'], ...loaded] },
  'at-least-once, exchanged': { guarantee: 'at-least-once', options: { publish: 'atomic' }, after: loaded },
};

let tables = 0;

/** Goes on after each failure as another process, as the framework does; what `publish` answered. */
async function runToItsEnd(table: string, { guarantee, options, isStraight }: Scenario): Promise<Json> {
  const [run, commits] = [newRun(), new Map<number, Json>()];
  let isPrepared = false;
  for (let life = 1; ; life++) {
    const mode = isPrepared ? 'resume' : 'run';
    const process = await postgresProcess(database, table, { run, guarantee, mode, options, isStraight });
    try {
      await process.prepare();
      isPrepared = true;
      for (const task of [1, 2]) if (!commits.has(task)) commits.set(task, await process.load(task, life, rows[task]!));
      const published = (await process.publish([...commits.values()])) ?? null;
      await rollBackAndAgain(process.writer, published);
      return published;
    } catch (error) {
      if (life > 2 || !(error instanceof DrayError) || !error.isRetryable) throw error;
    } finally {
      await process.close();
    }
  }
}

/** A rollback that has failed has done nothing, and may be tried again. */
async function rollBackAndAgain(writer: { rollback?(published: Json): Promise<void> }, published: Json): Promise<void> {
  if (published === null) return;
  await writer.rollback!(published).catch(async (error: unknown) => {
    if (!(error instanceof DrayError) || !error.isRetryable) throw error;
    await writer.rollback!(published);
  });
}

/** Between two statements that only look there is no other state to die in. What commits may also be cut off before it is answered. */
function momentsOf(statement: string): CrashMoment[] {
  if (/^(SET|WITH|SELECT (?!pg_try_advisory_lock|setval|pg_terminate))/.test(statement)) return [];
  return /COMMIT|^(CREATE|DROP|DELETE)/.test(statement) ? ['sent', 'answered'] : ['answered'];
}

/** What is wrong after a run that broke at this point; undefined if nothing is. */
async function faultAfter(scenario: Scenario, point: CrashPoint | undefined): Promise<{ statements: string[]; wrong: string | undefined }> {
  const table = `t${++tables}`;
  await database.sql(`CREATE TABLE ${table} (id int, word text)`, `INSERT INTO ${table} VALUES (0, 'old')`);
  await database.sql(...(scenario.statements ?? []).map((text) => text.replaceAll('$', table)));
  let published: Json = null;
  let statements: string[] = [];
  try {
    statements = await withCrash(point, async () => {
      published = await runToItsEnd(table, scenario);
    });
  } catch (error) {
    return { statements, wrong: String(error instanceof DrayError ? `${error.code} ${error.message}` : error) };
  }
  // After an atomic publish and its rollback the table is as it was.
  const expected = published === null ? scenario.after : [['0', 'old']];
  const found = await database.sql(`SELECT id, word FROM ${table} ORDER BY id`);
  const posted = await database.sql(`SELECT count(*) FROM log WHERE t = '${table}'`);
  const left = await database.sql(`SELECT relname FROM pg_class WHERE relname ~ '^dray_(new|old)_'`);
  const isPosted = posted[0]![0] === ('postSql' in scenario.options ? '1' : '0');
  const isRight = JSON.stringify(found) === JSON.stringify(expected) && isPosted && left.length === 0;
  return { statements, wrong: isRight ? undefined : `${JSON.stringify(found)}, postSql ${posted[0]![0]} times, ${left.flat().join(' ')}` };
}

describe('a connection that breaks at any statement costs no row and doubles none', () => {
  test.each(Object.keys(scenarios))('%s', { timeout: 600_000 }, async (name) => {
    const scenario = scenarios[name]!;
    const { statements, wrong } = await faultAfter(scenario, undefined);
    expect(wrong).toBeUndefined();
    expect(statements.length).toBeGreaterThan(10);
    const wrongs: string[] = [];
    for (const [statement, text] of statements.entries()) {
      for (const moment of momentsOf(text)) {
        const after = await faultAfter(scenario, { statement, moment });
        if (after.wrong !== undefined) wrongs.push(`${moment} ${statement} ${text.slice(0, 120)}: ${after.wrong}`);
      }
    }
    expect(wrongs).toEqual([]);
  });
});
