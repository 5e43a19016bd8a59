import { relative } from 'node:path';
import pc from 'picocolors';
import { type PostgresServer, startPostgres } from '../test/support/postgres-server.ts';
import { type Comparison, compareRows, isEqual } from './comparison.ts';
import { fillShop } from './databases.ts';
import { commandLine, runDray } from './dray-command.ts';
import { Interrupted, interruptSignal } from './interrupt.ts';
import { makeOutputFolder, sizeOfFiles } from './output-folder.ts';
import { jobFile } from './project-folder.ts';
import { grouped, secondsSince, step } from './step.ts';
import { type Move, nextSteps, summaryOf } from './summary.ts';
import { tableRows } from './table-rows.ts';

const rowCount = 200_000;
const mismatchExitCode = 6;

/** Thrown where dray itself has already said what went wrong. */
class DrayFailed extends Error {
  override readonly name = 'DrayFailed';
}

async function demo(signal: AbortSignal): Promise<number> {
  const startedAt = performance.now();
  process.stdout.write(
    `This starts a PostgreSQL of its own, lets dray move a table of ${grouped(rowCount)} rows into another database and into CSV files ` +
      `and back, compares every row, and takes the server away again.\n\n`,
  );
  const server = await step('starting PostgreSQL', () => startPostgres());
  try {
    const moves = await moveAndCompare(server, signal);
    process.stdout.write(`\n${moves.map(summaryOf).join('\n')}\n\n`);
    const isRight = moves.every(({ comparison }) => isEqual(comparison));
    if (isRight) process.stdout.write(`All is equal, after ${secondsSince(startedAt)}. ${nextSteps}\n`);
    else process.stdout.write('Rows were lost or changed: this is a bug in dray. Please report it with the lines above.\n');
    return isRight ? 0 : mismatchExitCode;
  } finally {
    await server.stop();
  }
}

async function moveAndCompare(server: PostgresServer, signal: AbortSignal): Promise<Move[]> {
  signal.throwIfAborted();
  await step(`filling shop.orders with ${grouped(rowCount)} rows`, (tell) => fillShop(server, { rowCount, signal, tell }));
  const output = await makeOutputFolder();
  const run = async (job: string): Promise<string> => {
    const args = ['run', relative(process.cwd(), jobFile(job)), '-p', `port=${server.port}`, '-p', `folder=${output.name}`];
    signal.throwIfAborted();
    process.stdout.write(`\n${pc.bold(`$ ${commandLine(args)}`)}\n`);
    const startedAt = performance.now();
    const exitCode = await runDray({ args, env: { DRAY_DEMO_PASSWORD: server.password }, signal });
    signal.throwIfAborted();
    if (exitCode !== 0) throw new DrayFailed(`dray ended with exit code ${exitCode}.`);
    return secondsSince(startedAt);
  };
  const compared = (table: string): Promise<Comparison> =>
    step(`comparing shop.orders with warehouse.${table}, row by row`, (tell) =>
      compareRows(tableRows(server.urlFor('shop'), 'orders'), tableRows(server.urlFor('warehouse'), table), (rows) => {
        signal.throwIfAborted();
        tell(`${grouped(rows)} rows`);
      }),
    );
  const thereTime = await run('demo.json');
  const { files, bytes } = await sizeOfFiles(output, '.gz');
  process.stdout.write(
    `\n${output.name}/ now has ${files} files, ${(bytes / 1e6).toFixed(1)} MB; they stay. The way back, into a third table:\n`,
  );
  const backTime = await run('demo-files.json');
  process.stdout.write('\n');
  return [
    { title: 'shop.orders → warehouse.orders', time: `${thereTime} with the files`, comparison: await compared('orders') },
    {
      title: 'shop.orders → CSV files → warehouse.orders_from_files',
      time: `${backTime} for the way back`,
      comparison: await compared('orders_from_files'),
    },
  ];
}

try {
  process.exitCode = await demo(interruptSignal());
} catch (error) {
  process.exitCode = error instanceof Interrupted ? error.exitCode : 1;
  const isKnown = error instanceof Interrupted || error instanceof DrayFailed;
  if (isKnown) process.stderr.write(`${error.message} Nothing is left running.\n`);
  else process.stderr.write(`${pc.red('The demo failed:')} ${error instanceof Error ? error.stack : String(error)}\n`);
}
