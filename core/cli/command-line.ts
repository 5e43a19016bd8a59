import { createRequire } from 'node:module';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { asDrayError, DrayError } from '../sdk/index.ts';
import { parameter } from './parameters.ts';
import { Screen } from './screen.ts';
import { addServerCommands } from './server-commands.ts';

const exitCodes = `
Exit codes:
  0    done
  1    internal error: a bug in dray or in a plugin; dray bench: a run failed
  2    usage or job file
  3    source: cannot be reached or read
  4    target: cannot be reached or written
  5    too many dirty records
  6    data mismatch
  7    not ready: a required mark is missing
  130  interrupted (Ctrl-C); 143 terminated

Errors are one sentence with a code, a place and what to do. DRAY_DEBUG=1 adds the stack.`;

const runExamples = `
Examples:
  dray run orders.json                          run a job
  dray run orders.json -p day=2026-11-21        with \${day} in the job file replaced
  dray run orders.json --channels 8             with 8 tasks side by side
  dray run orders.json --json | jq .rows        the report as JSON on stdout
  dray run jobs/*.json                          many jobs side by side, by priority
  dray run https://jobs.example.com/orders.json  a job file that is fetched; - is standard input

Secrets do not belong into job files: write "\${env:PGPASSWORD}" or "\${file:/run/secrets/pg}".`;

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 1000) throw new InvalidArgumentError('It must be a whole number from 1 to 1000.');
  return value;
}

function wholeNumbers(text: string): number[] {
  return text.split(',').map((one) => wholeNumber(one.trim()));
}

function digit(text: string): number {
  if (!/^\d$/.test(text)) throw new InvalidArgumentError('It must be a digit from 0 to 9.');
  return Number(text);
}

function poolSlots(text: string, before: Record<string, number>): Record<string, number> {
  const [, name, slots] = /^([\w-]+)=(\d+)$/.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError('It must be name=slots.');
  return { ...before, [name]: wholeNumber(slots!) };
}

const jobOptions = {
  parameters: new Option('-p, --param <name=value>', 'value of ${name} in the job file; may be repeated; "-Dx=y -Dz=w" as well')
    .argParser(parameter)
    .default({}, 'none'),
  lenient: new Option('--lenient', 'unknown keys in the job file are warnings instead of errors').default(false),
  json: new Option('--json', 'the result as JSON on stdout').default(false),
  stateDir: new Option('--state-dir <folder>', 'where runs are written down; default DRAY_STATE_DIR, else the state folder of the user'),
  priority: new Option('--priority <0-9>', 'overrides job.setting.priority; 9 goes first').argParser(digit),
  slots: new Option('--slots <n>', 'tasks that run side by side, of all jobs together; default: twice the cores').argParser(wholeNumber),
  pools: new Option('--pool <name=slots>', 'slots kept apart for jobs with this job.setting.pool; may be repeated')
    .argParser(poolSlots)
    .default({}, 'none'),
  verbose: new Option('-v, --verbose', 'tell what is decided about each task, and why').default(false),
  job: new Option('--job <file>', 'where the job file is now, if it has moved or came from standard input'),
  channels: new Option('--channels <n>', 'tasks that run side by side; overrides job.setting.speed.channel').argParser(wholeNumber),
};

/** Commands about one run. */
const runCommands = [
  {
    name: 'resume',
    description:
      'go on with a run that was interrupted, or failed by something that has passed: only what is missing is moved; or one that is paused at the server',
    example: 'dray resume 20261121-030405-a1b2c3',
  },
  {
    name: 'rollback',
    description: 'bring back the tables as they were before the run replaced them ("publish": "atomic")',
    example: 'dray rollback 20261121-030405-a1b2c3',
  },
  {
    name: 'replay',
    description: 'load the dirty records of a run, after they were mended in its quarantine file or their reason is gone',
    example: 'dray replay 20261121-030405-a1b2c3 --json',
  },
  {
    name: 'discard',
    description: 'give up an unfinished run: remove its hidden files and staging tables',
    example: 'dray discard 20261121-030405-a1b2c3',
  },
] as const;

async function runCommand(name: (typeof runCommands)[number]['name']) {
  switch (name) {
    case 'resume':
      return (await import('./commands/resume.ts')).resumeRun;
    case 'rollback':
      return (await import('./commands/undo.ts')).rollbackRun;
    case 'discard':
      return (await import('./commands/undo.ts')).discardRun;
    case 'replay':
      return (await import('./commands/replay.ts')).replayRun;
  }
}

/** The command line: parses it, loads only the module of the command that is asked for, and returns the exit code. */
async function main(): Promise<number> {
  const { version } = createRequire(import.meta.url)('dray/package.json') as { version: string };
  let exitCode = 0;
  const program = new Command('dray')
    .description('Moves tables between databases and files: fast, exact, from a JSON job file.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', `${runExamples}\n${exitCodes}`)
    .showHelpAfterError('(run `dray --help` for the commands)')
    .exitOverride()
    .configureHelp({ showGlobalOptions: false });

  program
    .command('run')
    .description('run jobs side by side')
    .argument('<file...>', 'job files: paths, URLs, or - for standard input')
    .addOption(jobOptions.parameters)
    .addOption(jobOptions.channels)
    .addOption(jobOptions.priority)
    .addOption(jobOptions.slots)
    .addOption(jobOptions.pools)
    .addOption(jobOptions.verbose)
    .addOption(jobOptions.json)
    .addOption(jobOptions.lenient)
    .addOption(jobOptions.stateDir)
    .addHelpText('after', runExamples)
    .action(async (files: string[], options) => {
      exitCode = await (await import('./commands/run.ts')).runJobs(files, options);
    });
  program
    .command('check')
    .description('check jobs and look at their sources and targets, without moving or changing anything')
    .argument('<file...>', 'job files: paths, URLs, or - for standard input')
    .addOption(jobOptions.parameters)
    .addOption(jobOptions.channels)
    .addOption(jobOptions.json)
    .addOption(jobOptions.lenient)
    .addOption(jobOptions.stateDir)
    .option('--offline', 'check the files only, connect to nothing', false)
    .addHelpText('after', '\nExamples:\n  dray check orders.json\n  dray check --offline jobs/*.json')
    .action(async (files: string[], options) => {
      exitCode = await (await import('./commands/check.ts')).checkJobs(files, options);
    });
  program
    .command('plan')
    .description('print how the sources of a job would be cut into tasks, without moving anything')
    .argument('<file>', 'job file')
    .addOption(jobOptions.parameters)
    .addOption(jobOptions.channels)
    .addOption(jobOptions.json)
    .addOption(jobOptions.lenient)
    .addOption(jobOptions.stateDir)
    .option('--all', 'list every task, however many there are', false)
    .addHelpText('after', "\nExamples:\n  dray plan orders.json\n  dray plan orders.json --json | jq '.contents[0].splits | length'")
    .action(async (file: string, options) => {
      exitCode = await (await import('./commands/plan.ts')).planJob(file, options);
    });
  program
    .command('bench')
    .description('measure jobs: run them again and again with different numbers of channels and beside other commands, in turn')
    .argument('<file...>', 'job files or URLs; they must be able to run again and again, as with "preSql": ["TRUNCATE …"]')
    .addOption(new Option('--channels <list>', 'numbers of channels, in turn; default 1 and that of the job').argParser(wholeNumbers))
    .addOption(new Option('--runs <n>', 'runs of each').argParser(wholeNumber).default(5))
    .addOption(
      new Option('--against <command>', 'a shell command that does the same, measured in turn with the job; may be repeated')
        .argParser((text: string, before: string[]) => [...before, text])
        .default([], 'none'),
    )
    .option('--before <command>', 'a shell command before each run, off the clock')
    .option('--markdown <file>', 'the table, for a file of its own')
    .option('--svg <file>', 'the ratios as a chart')
    .addOption(jobOptions.parameters)
    .addOption(jobOptions.lenient)
    .addOption(jobOptions.json)
    .addHelpText(
      'after',
      `
Examples:
  dray bench orders.json --channels 1,2,4
  dray bench orders.json --against 'pg_dump -a -t orders shop | psql warehouse' --before 'psql warehouse -c "TRUNCATE orders"'
  dray bench *.json --json --svg bench.svg`,
    )
    .action(async (files: string[], options) => {
      exitCode = await (await import('./commands/bench.ts')).benchJobs(files, options);
    });
  program
    .command('runs')
    .description('list the runs of this user, newest first')
    .addOption(jobOptions.json)
    .addOption(jobOptions.stateDir)
    .addOption(new Option('--limit <n>', 'list no more than these').argParser(wholeNumber).default(50))
    .addHelpText('after', "\nExamples:\n  dray runs\n  dray runs --json | jq '.runs[] | select(.isResumable) | .run'")
    .action(async (options) => {
      await (await import('./commands/runs.ts')).printRuns(options);
    });
  for (const { name, description, example } of runCommands) {
    const command = program
      .command(name)
      .description(description)
      .argument('<run>', 'as `dray runs` lists it')
      .addOption(jobOptions.parameters)
      .addOption(jobOptions.json)
      .addOption(jobOptions.lenient)
      .addOption(jobOptions.stateDir)
      .addOption(jobOptions.job)
      .addHelpText('after', `\nExample:\n  ${example}`)
      .action(async (run: string, options) => {
        exitCode = await (await runCommand(name))(run, options);
      });
    if (name === 'resume') command.addOption(jobOptions.channels).addOption(jobOptions.pools).addOption(jobOptions.verbose);
  }
  addServerCommands(program, jobOptions, (code) => {
    exitCode = code;
  });
  const files = program.command('files').description('look at files that jobs exchange');
  files
    .command('verify')
    .description('check that a set of files is whole and genuine: sizes, digests, manifest, _SUCCESS, signature')
    .argument('<path>', 'a folder, file or pattern; sftp://user@host/path; s3://bucket/path')
    .option('-o, --option <name=value>', 'option of the reader, as in a job file; may be repeated', parameter, {})
    .addOption(jobOptions.json)
    .addHelpText(
      'after',
      `
Examples:
  dray files verify /data/in/orders
  dray files verify sftp://shop@files.example.com/in/orders -o 'privateKey=\${file:/home/me/.ssh/id_ed25519}'
  dray files verify s3://warehouse/in/orders/ -o 'signatureKey=\${env:SIGNATURE_KEY}'`,
    )
    .action(async (path: string, options) => {
      exitCode = await (await import('./commands/files.ts')).verifyFiles(path, options);
    });
  program
    .command('plugins')
    .description('list the plugins, or the options of one')
    .argument('[name]', 'a plugin; both its reader and its writer are shown')
    .addOption(jobOptions.json)
    .option('--markdown', 'options of all plugins as a Markdown page', false)
    .addHelpText('after', '\nExamples:\n  dray plugins\n  dray plugins postgresqlwriter')
    .action(async (name: string | undefined, options) => {
      await (await import('./commands/plugins.ts')).listPlugins(name, options);
    });
  program
    .command('docs')
    .description('print a page of the documentation: what is different from DataX, or the options of all plugins')
    .argument('<page>', 'datax or plugins')
    .addHelpText('after', '\nExamples:\n  dray docs datax | less')
    .action(async (page: string) => {
      await (await import('./commands/docs.ts')).printDocs(page);
    });
  const imports = program.command('import').description('turn job files of other programs into job files of dray');
  imports
    .command('datax')
    .description('print a job file of DataX without what has no effect here, with comments on what is different')
    .argument('<file...>', 'job files: paths, URLs, or - for standard input')
    .addOption(jobOptions.parameters)
    .option('-o, --output <folder>', 'write each into this folder, under its name, instead of printing it; files that are there stay')
    .addHelpText('after', '\nExamples:\n  dray import datax old.json > orders.json\n  dray import datax jobs/*.json --output new')
    .action(async (files: string[], options) => {
      exitCode = await (await import('./commands/import.ts')).importJobs(files, options);
    });
  program
    .command('template')
    .description('print a job file to start from')
    .requiredOption('-r, --reader <name>', 'reader')
    .requiredOption('-w, --writer <name>', 'writer')
    .option('-t, --transformer <name...>', 'transformers in between', [])
    .addHelpText(
      'after',
      '\nExamples:\n  dray template -r mysqlreader -w postgresqlwriter > orders.json\n  dray template -r mysqlreader -t mask -w txtfilewriter',
    )
    .action(async (options) => {
      await (await import('./commands/template.ts')).printTemplate(options);
    });
  program
    .command('schema')
    .description('print the JSON Schema of job files, for completion and checks in editors')
    .addHelpText('after', '\nExamples:\n  dray schema > job.schema.json     then in a job file: "$schema": "./job.schema.json"')
    .action(async () => {
      await (await import('./commands/schema.ts')).printSchema();
    });

  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
  return exitCode;
}

/** What a plugin left open, a socket or a timer, must not keep the program: its run is over. */
const lingerMs = 2000;

/** Does what the words of this process say, and ends it with the exit code of that. */
export async function runCommandLine(): Promise<void> {
  // A reader of our output that closes early (`dray plugins | head`) is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  let isOver = false;
  process.on('exit', (code) => {
    if (isOver || code !== 0) return;
    const what =
      'the program ended in the middle of its work: a plugin called process.exit, or waits for something that cannot happen any more';
    new Screen().error(new DrayError('INTERNAL', what).toWire());
    process.exitCode = 1;
  });
  try {
    process.exitCode = await main();
  } catch (error) {
    const failure = error instanceof DrayError ? error : asDrayError(error);
    new Screen().error(failure.toWire());
    process.exitCode = failure.exitCode;
  }
  isOver = true;
  setTimeout(() => process.exit(), lingerMs).unref();
}
