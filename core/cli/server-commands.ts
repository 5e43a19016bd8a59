import { type Command, InvalidArgumentError, Option } from 'commander';

/** Options that other commands have, too. */
interface SharedOptions {
  readonly parameters: Option;
  readonly lenient: Option;
  readonly json: Option;
  readonly stateDir: Option;
  readonly priority: Option;
  readonly slots: Option;
  readonly pools: Option;
  readonly channels: Option;
}

function portNumber(text: string): number {
  const value = Number(text);
  if (text === '' || !Number.isInteger(value) || value < 0 || value > 65_535)
    throw new InvalidArgumentError('It must be a whole number from 0 to 65535.');
  return value;
}

/** Commands that change a run at the server, without options of their own. */
const changes = [
  { name: 'cancel', description: 'stop a run at the server; what is not committed is undone' },
  { name: 'pause', description: 'start no more tasks of a run at the server; those that run go on to their end, `dray resume` goes on' },
] as const;

/** Adds `dray serve`, and the commands about what it runs. @param ended told the exit code */
export function addServerCommands(program: Command, shared: SharedOptions, ended: (exitCode: number) => void): void {
  const { parameters, lenient, json, stateDir, priority, slots, pools, channels } = shared;
  program
    .command('serve')
    .description('take jobs from `dray submit`, and over HTTP from programs of this machine, and run them side by side')
    .addOption(new Option('--port <n>', 'port on 127.0.0.1; 0 takes any that is free').argParser(portNumber).default(7070))
    .addOption(slots)
    .addOption(pools)
    .option('--resume', 'go on with the runs that an earlier server has left', false)
    .addOption(stateDir)
    .addHelpText('after', '\nExamples:\n  dray serve\n  dray serve --slots 8 --pool night=2 --resume')
    .action(async (options) => {
      ended(await (await import('./commands/serve.ts')).serve(options));
    });
  program
    .command('submit')
    .description('give jobs to the server; prints their runs')
    .argument('<file...>', 'job files')
    .addOption(parameters)
    .addOption(channels)
    .addOption(priority)
    .option('--wait', 'until they have ended; the exit code is that of the first that failed', false)
    .addOption(json)
    .addOption(lenient)
    .addOption(stateDir)
    .addHelpText('after', '\nExamples:\n  dray submit orders.json -p day=2026-11-21 --priority 7\n  dray submit jobs/*.json --wait')
    .action(async (files: string[], options) => {
      ended(await (await import('./commands/submit.ts')).submitJobs(files, options));
    });
  program
    .command('status')
    .description('what the server runs, what waits and why, and what has ended since it began; or all about one run')
    .argument('[run]', 'as `dray submit` prints it')
    .addOption(json)
    .addOption(stateDir)
    .addHelpText('after', "\nExamples:\n  dray status\n  dray status --json | jq '.runs[] | {job, percent}'")
    .action(async (run: string | undefined, options) => {
      await (await import('./commands/status.ts')).printStatus(run, options);
    });
  for (const { name, description } of changes) {
    program
      .command(name)
      .description(description)
      .argument('<run>', 'as `dray status` lists it')
      .addOption(json)
      .addOption(stateDir)
      .addHelpText('after', `\nExample:\n  dray ${name} 20261121-030405-a1b2c3`)
      .action(async (run: string, options) => {
        await (await import('./commands/change.ts')).changeRun(name, run, options);
      });
  }
  program
    .command('tune')
    .description('change how many tasks of a run at the server run side by side, or its priority')
    .argument('<run>', 'as `dray status` lists it')
    .addOption(
      new Option(channels.flags, 'tasks that run side by side; those above a smaller number go on to their end').argParser(
        channels.parseArg!,
      ),
    )
    .addOption(new Option(priority.flags, '9 goes first').argParser(priority.parseArg!))
    .addOption(json)
    .addOption(stateDir)
    .addHelpText('after', '\nExample:\n  dray tune 20261121-030405-a1b2c3 --channels 8 --priority 9')
    .action(async (run: string, options) => {
      await (await import('./commands/change.ts')).tuneRun(run, options);
    });
  program
    .command('log')
    .description('what was decided and happened in a run')
    .argument('<run>', 'as `dray runs` lists it')
    .addOption(json)
    .addOption(stateDir)
    .addHelpText('after', '\nExample:\n  dray log 20261121-030405-a1b2c3')
    .action(async (run: string, options) => {
      await (await import('./commands/log.ts')).printLog(run, options);
    });
}
