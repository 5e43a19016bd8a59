import { expect, test } from 'vitest';
import { listRuns } from '../../../core/ledger/run-store.ts';
import { runDray, startDray, writeJob } from '../../support/run-dray.ts';
import { createDatabase, makeShards } from '../../support/shard-source.ts';
import { writerOf } from '../../support/sql.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { until } from '../../support/until.ts';

const rows = 20_000;

test.each(['mysql', 'postgres'] as const)(
  '%s: a resumed run reads the tables that were planned, whatever patterns would find by now',
  async (kind) => {
    const { databases, reader, urlOf, prefix } = await makeShards(kind, 'resumed', 2);
    const target = await createDatabase(kind, 'resumed_target');
    for (const [index, { sql }] of databases.entries()) {
      const numbers = kind === 'postgres' ? `generate_series(1, ${rows}) AS s(seq)` : `seq_1_to_${rows}`;
      await sql(
        'CREATE TABLE big_1 (id int PRIMARY KEY, note varchar(200))',
        `INSERT INTO big_1 SELECT seq * 2 + ${index}, REPEAT('x', 150) FROM ${numbers}`,
        kind === 'postgres' ? 'ANALYZE big_1' : 'ANALYZE TABLE big_1',
      );
    }
    await target.sql('CREATE TABLE big (id int PRIMARY KEY, note varchar(200))');
    const folder = tempFolder();
    const path = writeJob(folder, {
      job: {
        setting: { speed: { channel: 1, record: 20_000 }, splitBytes: 1 << 20 },
        content: [{ reader: reader([{ jdbcUrl: urlOf(`${prefix}[00-01]`), table: '/^big_\\d$/' }]), writer: writerOf(target, 'big') }],
      },
    });
    const options = { env: { DRAY_STATE_DIR: folder } };
    const running = startDray(['run', path], options);
    await until('a task commits', 30_000, async () => {
      const [run] = await listRuns(folder);
      expect([...(run?.tasks.values() ?? [])].some(({ committed }) => committed !== undefined)).toBe(true);
    });
    running.signal('SIGINT');
    expect((await running.ended).exitCode).toBe(130);
    // It would come first, and has other columns.
    await databases[0]!.sql('CREATE TABLE big_0 (other date)');
    const [stopped] = await listRuns(folder);
    const { exitCode, stderr } = await runDray(['resume', stopped!.run], options);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(await target.sql('SELECT count(*), count(DISTINCT id), min(id), max(id) FROM big')).toEqual([
      [2 * rows, 2 * rows, 2, 2 * rows + 1].map(String),
    ]);
  },
);
