import type { LaneType } from '../core/bench/results.ts';
import { events } from '../plugins/fixture/events.ts';
import { narrow } from '../plugins/fixture/narrow.ts';
import { text } from '../plugins/fixture/text.ts';
import { wide, wideOf } from '../plugins/fixture/wide.ts';
import { readingCosts, streamCosts, tableCosts, transformerCosts, writingCosts } from './costs/cost-lanes.ts';
import { fileOptions, tableOptions, transformers, verifyOptions } from './costs/variants.ts';
import { filesToFiles, filesToTable, tableToFiles } from './files/file-lanes.ts';
import {
  psqlFromFile,
  psqlPacked,
  psqlS3,
  psqlSftp,
  psqlToFile,
  psqlUnpacked,
  repacked,
  s3Put,
  sftpPsql,
  sftpPut,
} from './files/file-rivals.ts';
import { download, upload } from './files/transfer-lanes.ts';
import type { Lane, OpenLane } from './lane.ts';
import { dumpPipe, loadData, mydumper } from './rivals/mariadb.ts';
import { pgloader } from './rivals/pgloader.ts';
import { psqlFile, psqlPipe } from './rivals/psql.ts';
import { rawCopy, rawCopyOut, rawLoad, rawRows } from './rivals/raw.ts';
import { engine, help, plan } from './start/start-lanes.ts';
import { smallJob, tableToTable } from './tables/table-lanes.ts';
import { tinyPlan, tinyToEach, tinyToOne } from './tiny/tiny-lanes.ts';
import { dumpAllPipe, mariadbPsqlLoop, mariadbScript, psqlLoop, psqlScript, psqlScriptPipe } from './tiny/tiny-rivals.ts';

const toPostgres = [psqlFile, pgloader, rawRows];
const inPostgres = [psqlPipe, rawCopy];
const inMysql = [loadData, dumpPipe, mydumper, rawLoad];
const smallRows = 50;
const smallRuns = (asked: number) => asked * 2;
const tinyCount = 1000;
/** A content holds connections to both servers from the plan on, and MariaDB takes 151. */
const eachCount = 50;

/** All lanes, in the order they run. */
export const groups = {
  databases: [
    lane('mysql-postgres', tableToTable('mysql', 'postgres', toPostgres)),
    lane('postgres-postgres', tableToTable('postgres', 'postgres', inPostgres)),
    lane('mysql-mysql', tableToTable('mysql', 'mysql', inMysql)),
    lane('postgres-mysql', tableToTable('postgres', 'mysql', [loadData, rawLoad])),
  ],
  latency: [
    small('small-mysql-postgres', smallJob('mysql', 'postgres', [psqlFile])),
    small('small-postgres-postgres', smallJob('postgres', 'postgres', [psqlPipe])),
    small('help', help),
  ],
  plan: [
    lane('plan-mysql', plan('mysql'), 'latency'),
    lane('plan-postgres', plan('postgres'), 'latency'),
    lane('plan-tiny-mysql', tinyPlan('mysql', tinyCount), 'latency'),
    lane('plan-tiny-postgres', tinyPlan('postgres', tinyCount), 'latency'),
  ],
  engine: [{ ...lane('engine-stream', engine), rows: times(4) }],
  fixtures: [
    lane('narrow-mysql-postgres', tableToTable('mysql', 'postgres', toPostgres, narrow)),
    lane('wide-mysql-postgres', tableToTable('mysql', 'postgres', toPostgres, wide)),
    lane('text-mysql-postgres', tableToTable('mysql', 'postgres', toPostgres, text)),
    lane('events-mysql-postgres', tableToTable('mysql', 'postgres', toPostgres, events)),
    lane('narrow-postgres-postgres', tableToTable('postgres', 'postgres', inPostgres, narrow)),
    lane('wide-postgres-postgres', tableToTable('postgres', 'postgres', inPostgres, wide)),
    lane('text-postgres-postgres', tableToTable('postgres', 'postgres', inPostgres, text)),
    lane('events-postgres-postgres', tableToTable('postgres', 'postgres', inPostgres, events)),
  ],
  tiny: [
    lane('tiny-mysql-postgres', tinyToOne('mysql', 'postgres', tinyCount, [psqlScript])),
    lane('tiny-postgres-postgres', tinyToOne('postgres', 'postgres', tinyCount, [psqlScriptPipe])),
    lane('tiny-mysql-mysql', tinyToOne('mysql', 'mysql', tinyCount, [mariadbScript])),
    lane('tiny-loop-mysql-postgres', tinyToOne('mysql', 'postgres', tinyCount, [mariadbPsqlLoop])),
    lane('tiny-loop-postgres-postgres', tinyToOne('postgres', 'postgres', tinyCount, [psqlLoop])),
    lane('tiny-each-mysql-postgres', tinyToEach('mysql', 'postgres', eachCount, [psqlScript])),
    lane('tiny-each-postgres-postgres', tinyToEach('postgres', 'postgres', eachCount, [psqlScriptPipe])),
    lane('tiny-each-mysql-mysql', tinyToEach('mysql', 'mysql', eachCount, [mariadbScript, dumpAllPipe])),
  ],
  files: [
    lane('postgres-csv', tableToFiles('postgres', 'csv', [psqlToFile, rawCopyOut])),
    lane('postgres-csv-gzip', tableToFiles('postgres', 'csv-gzip', [psqlPacked('gzip')])),
    lane('postgres-csv-zstd', tableToFiles('postgres', 'csv-zstd', [psqlPacked('gzip'), psqlPacked('zstd')])),
    lane('postgres-parquet', tableToFiles('postgres', 'parquet', [rawCopyOut])),
    lane('postgres-sftp', tableToFiles('postgres', 'sftp', [psqlSftp])),
    lane('postgres-s3', tableToFiles('postgres', 's3', [psqlS3])),
    lane('mysql-csv', tableToFiles('mysql', 'csv', [rawRows])),
    lane('mysql-csv-gzip', tableToFiles('mysql', 'csv-gzip', [rawRows])),
    lane('mysql-csv-zstd', tableToFiles('mysql', 'csv-zstd', [rawRows])),
    lane('mysql-parquet', tableToFiles('mysql', 'parquet', [rawRows])),
    lane('mysql-sftp', tableToFiles('mysql', 'sftp', [rawRows])),
    lane('mysql-s3', tableToFiles('mysql', 's3', [rawRows])),
    lane('csv-postgres', filesToTable('csv', 'postgres', [psqlFromFile])),
    lane('csv-gzip-postgres', filesToTable('csv-gzip', 'postgres', [psqlUnpacked('gzip')])),
    lane('csv-zstd-postgres', filesToTable('csv-zstd', 'postgres', [psqlUnpacked('zstd')])),
    lane('parquet-postgres', filesToTable('parquet', 'postgres', [psqlFile])),
    lane('sftp-postgres', filesToTable('sftp', 'postgres', [sftpPsql])),
    lane('s3-postgres', filesToTable('s3', 'postgres', [psqlFile])),
    lane('csv-mysql', filesToTable('csv', 'mysql', [loadData, rawLoad])),
    lane('csv-gzip-mysql', filesToTable('csv-gzip', 'mysql', [loadData, rawLoad])),
    lane('csv-zstd-mysql', filesToTable('csv-zstd', 'mysql', [loadData, rawLoad])),
    lane('parquet-mysql', filesToTable('parquet', 'mysql', [loadData])),
    lane('sftp-mysql', filesToTable('sftp', 'mysql', [loadData])),
    lane('s3-mysql', filesToTable('s3', 'mysql', [loadData])),
    lane('csv-csv-gzip', filesToFiles('csv', 'csv-gzip', [repacked('gzip')])),
    lane('csv-csv-zstd', filesToFiles('csv', 'csv-zstd', [repacked('zstd')])),
    lane('csv-parquet', filesToFiles('csv', 'parquet')),
    lane('csv-sftp', filesToFiles('csv', 'sftp', [sftpPut])),
    lane('csv-s3', filesToFiles('csv', 's3', [s3Put])),
    lane('sftp-s3', filesToFiles('sftp', 's3')),
    lane('s3-sftp', filesToFiles('s3', 'sftp')),
  ],
  transfer: [
    lane('sftp-upload', upload('sftp')),
    lane('sftp-download', download('sftp')),
    lane('s3-upload', upload('s3')),
    lane('s3-download', download('s3')),
  ],
  costs: [
    lane('cost-mysql-postgres', tableCosts('mysql', 'postgres', tableOptions)),
    lane('cost-postgres-mysql', tableCosts('postgres', 'mysql', tableOptions)),
    lane('cost-files', writingCosts(fileOptions)),
    lane('cost-verify', readingCosts(verifyOptions)),
    lane('transform-stream', streamCosts(transformers)),
    lane('transform-postgres', transformerCosts('postgres', transformers)),
  ],
  memory: [1, 4].flatMap((factor) => [
    memory(`memory-mysql-postgres-${factor}x`, factor, tableToTable('mysql', 'postgres')),
    memory(`memory-postgres-postgres-${factor}x`, factor, tableToTable('postgres', 'postgres')),
    memory(`memory-mysql-mysql-${factor}x`, factor, tableToTable('mysql', 'mysql')),
    memory(`memory-postgres-mysql-${factor}x`, factor, tableToTable('postgres', 'mysql')),
  ]),
  'memory-files': [
    memory('memory-postgres-csv-zstd', 10, tableToFiles('postgres', 'csv-zstd', [])),
    memory('memory-csv-zstd-mysql', 10, filesToTable('csv-zstd', 'mysql', [])),
    memory('memory-postgres-sftp', 10, tableToFiles('postgres', 'sftp', [])),
    memory('memory-sftp-postgres', 10, filesToTable('sftp', 'postgres', [])),
    memory('memory-postgres-s3', 10, tableToFiles('postgres', 's3', [])),
    memory('memory-s3-postgres', 10, filesToTable('s3', 'postgres', [])),
  ],
  growth: [
    ...[1, 2, 4, 8].map((factor) => ({
      ...lane(`grow-rows-${factor}x`, tableToTable('postgres', 'postgres', inPostgres)),
      rows: times(factor),
    })),
    ...[10, 25, 50, 100].map((columns) =>
      lane(`grow-columns-${columns}`, tableToTable('postgres', 'postgres', inPostgres, wideOf(columns))),
    ),
    { ...lane('grow-channels', tableToTable('postgres', 'postgres', inPostgres)), channels: [1, 2, 4, 8] },
  ],
} satisfies Readonly<Record<string, readonly Lane[]>>;

export type GroupName = keyof typeof groups;

/** What runs if nothing is named. */
export const defaultGroups: readonly GroupName[] = ['databases', 'latency'];

export const allLanes: readonly Lane[] = Object.values<readonly Lane[]>(groups).flat();

/** The lanes of these names, or of groups of these names, each once. @throws Error with a sentence for the user */
export function lanesNamed(names: readonly string[]): Lane[] {
  const found = names.flatMap((name) => {
    const lanes = Object.hasOwn(groups, name) ? groups[name as GroupName] : allLanes.filter((one) => one.name === name);
    if (lanes.length === 0) throw new Error(`There is no lane and no group "${name}": --list shows them.`);
    return lanes;
  });
  return [...new Set<Lane>(found)];
}

function lane(name: string, open: OpenLane, type: LaneType = 'throughput'): Lane {
  return { name, type, open };
}

/** A few rows, and twice the runs. */
function small(name: string, open: OpenLane): Lane {
  return { name, type: 'latency', open, rows: () => smallRows, runs: smallRuns };
}

/** dray alone on two channels. */
function memory(name: string, factor: number, open: OpenLane): Lane {
  return { name, type: 'memory', open, rows: times(factor), channels: [2] };
}

function times(factor: number): (asked: number) => number {
  return (asked) => asked * factor;
}
