import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { listRuns } from '../../core/ledger/run-store.ts';
import { providedMariadb, providedPostgres } from '../support/provided-servers.ts';
import { runDray, startDray, writeJob } from '../support/run-dray.ts';
import { mysqlDatabase, postgresDatabase, readerOf, type TestDatabase, writerOf } from '../support/sql.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

const databases: Record<'postgres' | 'mysql', TestDatabase> = {} as never;
const rows = 60_000;

beforeAll(async () => {
  const [postgres, mariadb] = [providedPostgres(), providedMariadb()];
  await postgres.createDatabase('transformed');
  databases.postgres = postgresDatabase(postgres, 'transformed');
  databases.mysql = mysqlDatabase(mariadb, await mariadb.createDatabase('transformed'));
  await databases.mysql.sql(
    'CREATE TABLE source (id int PRIMARY KEY, born varchar(20), email varchar(40), note varchar(200), state int)',
    `INSERT INTO source SELECT seq, CONCAT(LPAD(seq % 31, 2, '0'), '.01.2026'), CONCAT('ann', seq, '@example.com'), CONCAT('ä', REPEAT('x', 150)), seq % 4 FROM seq_1_to_${rows}`,
    'ANALYZE TABLE source',
  );
});

/** A job file of one content with generated rows. */
function streamJob(transformer: readonly object[], { rows: count = 10, setting = {} } = {}) {
  const column = [
    { name: 'id', type: 'long', sequence: 1 },
    { name: 'word', value: 'dataxTest' },
    { name: 'when', type: 'date', value: '2026-11-21 10:00:00' },
  ];
  return {
    job: {
      setting: { speed: { channel: 1 }, ...setting },
      content: [
        {
          reader: { name: 'streamreader', parameter: { column, sliceRecordCount: count } },
          transformer,
          writer: { name: 'streamwriter', parameter: { print: true } },
        },
      ],
    },
  };
}

const own = () => ({ env: { DRAY_STATE_DIR: tempFolder() } });

describe('a job with transformers', () => {
  const transformers = [
    { name: 'dx_substr', parameter: { columnIndex: 1, paras: ['2', '5'] } },
    { name: 'dx_filter', parameter: { columnIndex: 0, paras: ['>', '3'] } },
    { name: 'dx_js', parameter: { code: "row.word = row.id + ' ' + row.word" } },
    { name: 'drop', parameter: { column: 'when' } },
  ];

  test('delivers what comes out, and counts what was filtered', async () => {
    const path = writeJob(tempFolder(), streamJob(transformers));
    expect((await runDray(['run', path], own())).stdout).toBe('1\t1 taxTe\n2\t2 taxTe\n3\t3 taxTe\n');
    const { report } = await runDray(['run', path, '--json'], own());
    expect(report).toMatchObject({ state: 'done', rows: { read: 10, written: 3, filtered: 7, dirty: 0 } });
  });

  test('runs them on threads, too', async () => {
    const path = writeJob(tempFolder(), streamJob(transformers));
    const { report } = await runDray(['run', path, '--json', '--channels', '2'], own());
    expect(report).toMatchObject({ state: 'done', rows: { read: 20, written: 3, filtered: 17 } });
  });

  test('is checked with the columns behind them', async () => {
    const path = writeJob(tempFolder(), streamJob(transformers));
    const { stdout } = await runDray(['check', path]);
    expect(stdout).toContain('stream → dx_substr → dx_filter → js → drop → stream');
    expect(stdout).toContain('  column word string → word string');
    expect(stdout).not.toContain('column when');
    const [checked] = JSON.parse((await runDray(['check', path, '--json'])).stdout) as {
      contents: { delivered: { columns: object[] } }[];
    }[];
    expect(checked!.contents[0]!.delivered.columns).toHaveLength(2);
  });

  test.each<[string, string, object]>([
    ['run', 'a column that is not there', { name: 'dx_substr', parameter: { columnIndex: 5, paras: ['0', '1'] } }],
    ['check', 'a column that is not there', { name: 'dx_substr', parameter: { columnIndex: 5, paras: ['0', '1'] } }],
    ['plan', 'a name of none', { name: 'rename', parameter: { columns: { nobody: 'x' } } }],
  ])('is refused by dray %s for %s, with the line', async (command, _what, transformer) => {
    const path = writeJob(tempFolder(), streamJob([transformer]));
    const line =
      readFileSync(path, 'utf8')
        .split('\n')
        .findIndex((text) => text.includes('"transformer"')) + 2;
    const { exitCode, stderr } = await runDray([command, path], own());
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/JOB_INVALID: transformer 1 \((dx_substr|rename)\): .*the rows have 3 columns here: id, word, when/);
    expect(stderr).toContain(`${path}:${line}:`);
  });

  test('is told what to do about dx_groovy', async () => {
    const path = writeJob(tempFolder(), streamJob([{ name: 'dx_groovy', parameter: { code: 'return record;' } }]));
    const { exitCode, stderr } = await runDray(['run', path], own());
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(/transformer\[0\].parameter: dx_groovy cannot run here.*dx_js/)]);
  });

  test('is told of a misspelled name or option', async () => {
    const name = await runDray(['run', writeJob(tempFolder(), streamJob([{ name: 'dx_subst' }]))], own());
    expect(name.stderr).toContain('there is no transformer called "dx_subst"; the nearest is "dx_substr"');
    const option = await runDray(['run', writeJob(tempFolder(), streamJob([{ name: 'mask', parameter: { colum: 'word' } }]))], own());
    expect(option.stderr).toContain('unknown key "colum" in job.content[0].transformer[0].parameter; did you mean "column"?');
  });

  test('ends with a clear sentence when its code does not', async () => {
    const path = writeJob(tempFolder(), streamJob([{ name: 'js', parameter: { code: 'while (true);', timeoutMs: 100 } }]));
    const { exitCode, stderr } = await runDray(['run', path], own());
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('CODE_FAILED: the code took longer than 100 ms')]);
  });

  test('never prints the key of a hash', async () => {
    const path = writeJob(tempFolder(), streamJob([{ name: 'hash', parameter: { column: 'word', key: 'kEy-of-test', algorthm: 'md5' } }]));
    const { stdout, stderr } = await runDray(['run', path, '--lenient', '--json'], own());
    expect(stdout + stderr).not.toContain('kEy-of-test');
    const { stdout: plugin } = await runDray(['plugins', 'hash', '--json']);
    expect(JSON.parse(plugin)).toMatchObject([{ kind: 'transformer', options: { properties: { key: { secret: true } } } }]);
  });

  test('starts from a template that dray check accepts, and editors know its options', async () => {
    const template = await runDray(['template', '-r', 'streamreader', '-t', 'dx_pad', 'dx_js', '-w', 'streamwriter']);
    const { job } = JSON.parse(template.stdout) as { job: { content: { transformer: { name: string; parameter: object }[] }[] } };
    expect(job.content[0]!.transformer.map(({ name }) => name)).toEqual(['dx_pad', 'dx_js']);
    expect((await runDray(['check', '--offline', writeJob(tempFolder(), template.stdout)])).exitCode).toBe(0);
    const schema = JSON.parse((await runDray(['schema'])).stdout) as object;
    const named = expect.objectContaining({ if: { properties: { name: { enum: ['js', 'dx_js'] } }, required: ['name'] } }) as object;
    const transformer = { items: { allOf: expect.arrayContaining([named]) as object } };
    expect(schema).toMatchObject({ properties: { job: { properties: { content: { items: { properties: { transformer } } } } } } });
  });

  test('takes one of the user, by its path', async () => {
    const folder = tempFolder();
    writeFileSync(
      join(folder, 'twice.js'),
      `import { defineTransformer, positionOf, z } from 'dray/sdk';
       export default defineTransformer({
         name: 'twice', summary: 'Doubles a number', options: z.strictObject({ column: z.string() }),
         open: ({ column }, schema) => ({
           changes: [positionOf(schema, column)],
           row(cells) { cells[0] = String(2 * Number(cells[0])); },
         }),
       });`,
    );
    const path = writeJob(
      folder,
      streamJob(
        [
          { name: './twice.js', parameter: { column: 'id' } },
          { name: 'drop', parameter: { columnIndex: [1, 2] } },
        ],
        { rows: 3 },
      ),
    );
    expect((await runDray(['run', path], own())).stdout).toBe('2\n4\n6\n');
    expect((await runDray(['plugins', join(folder, 'twice.js')])).stdout).toContain('transformer twice: Doubles a number');
  });
});

describe('MySQL → PostgreSQL through transformers', () => {
  const transformer = [
    { name: 'cast', parameter: { column: 'born', type: 'date', format: 'dd.MM.yyyy' } },
    { name: 'dx_filter', parameter: { column: 'state', paras: ['=', '0'] } },
    { name: 'mask', parameter: { column: 'email', type: 'email' } },
    { name: 'drop', parameter: { column: ['state', 'note'] } },
  ];
  const job = (table: string, setting: object) => ({
    job: {
      setting: { speed: { channel: 2 }, errorLimit: { percentage: 0.5 }, guarantee: 'exactly-once', splitBytes: 1 << 20, ...setting },
      content: [
        {
          reader: readerOf(databases.mysql, 'source'),
          transformer,
          writer: writerOf(databases.postgres, table, { column: ['id', 'born', 'email'] }),
        },
      ],
    },
  });
  const table = (name: string) => databases.postgres.sql(`CREATE TABLE ${name} (id int PRIMARY KEY, born date, email varchar(40))`);
  const filtered = rows / 4;
  // Of the days 0 to 30 the first one does not exist.
  const undated = Array.from({ length: rows }, (_, index) => index + 1).filter((id) => id % 31 === 0 && id % 4 !== 0).length;
  const undatedAndFiltered = Math.floor(rows / 31) - undated;

  test('loads cast, filtered and masked rows, and those that were dirty once they are mended', async () => {
    await table('cleaned');
    const where = own();
    const path = writeJob(tempFolder(), job('cleaned', {}));
    const { report, exitCode } = await runDray(['run', path, '--json'], where);
    const dirty = undated + undatedAndFiltered;
    expect(exitCode).toBe(0);
    expect(report).toMatchObject({ guarantee: 'exactly-once', rows: { read: rows, filtered: filtered - undatedAndFiltered, dirty } });
    expect(report!.rows.written).toBe(rows - report!.rows.filtered - dirty);
    expect(await databases.postgres.sql('SELECT id, born, email FROM cleaned WHERE id IN (1, 2, 4) ORDER BY id')).toEqual([
      ['1', '2026-01-01', 'a***@example.com'],
      ['2', '2026-01-02', 'a***@example.com'],
    ]);
    const lines = readFileSync(report!.quarantine!, 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(dirty);
    const kept = lines.map((line) => JSON.parse(line) as { side: string; cause: string; column: string; cells: Record<string, string> });
    expect(kept[0]).toMatchObject({ side: 'transformer', column: 'born', cause: 'transformer 1 (cast): a value that is no date' });
    expect(Object.keys(kept[0]!.cells)).toEqual(['id', 'born', 'email', 'note', 'state']);
    expect(await runDray(['replay', report!.run], where)).toMatchObject({ exitCode: 5, stderr: expect.stringContaining('0 rows loaded') });
    const mended = kept.map((row) => ({ ...row, cells: { ...row.cells, born: '31.12.2025' } }));
    writeFileSync(report!.quarantine!, `${mended.map((row) => JSON.stringify(row)).join('\n')}\n`);
    const replayed = await runDray(['replay', report!.run, '--json'], where);
    expect([replayed.exitCode, JSON.parse(replayed.stdout)]).toMatchObject([
      0,
      { loaded: undated, filtered: undatedAndFiltered, refused: [] },
    ]);
    expect(
      await databases.postgres.sql(
        "SELECT count(*), count(DISTINCT id) FILTER (WHERE born = '2025-12-31' AND email LIKE 'a%*@example.com') FROM cleaned",
      ),
    ).toEqual([[String(rows - filtered), String(undated)]]);
  });

  test('counts what a killed process has filtered, too', async () => {
    await table('resumed');
    const where = own();
    const path = writeJob(tempFolder(), job('resumed', { speed: { channel: 1, record: 10_000 } }));
    const running = startDray(['run', path], where);
    await until('a task commits', 30_000, async () => {
      const [newest] = await listRuns(where.env.DRAY_STATE_DIR);
      expect([...(newest?.tasks.values() ?? [])].some((task) => task.committed !== undefined)).toBe(true);
    });
    running.signal('SIGKILL');
    await running.ended;
    const [killed] = await listRuns(where.env.DRAY_STATE_DIR);
    const { report, exitCode } = await runDray(['resume', killed!.begun.run, '--json'], where);
    expect(exitCode).toBe(0);
    expect(report!.tasks.some(({ isFromEarlierProcess, rows: counts }) => isFromEarlierProcess && counts.filtered > 0)).toBe(true);
    expect(report!.rows).toMatchObject({ read: rows, filtered: filtered - undatedAndFiltered, dirty: undated + undatedAndFiltered });
    const [row] = await databases.postgres.sql('SELECT count(*), count(DISTINCT id) FROM resumed');
    expect(row).toEqual([String(report!.rows.written), String(report!.rows.written)]);
  });
});
