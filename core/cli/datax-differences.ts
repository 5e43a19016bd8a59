import type { Difference } from '../sdk/index.ts';

/** Where the framework does something else than DataX 3.0 with the same job file; those of the plugins stand with the plugins. */
export const jobDifferences: readonly Difference[] = [
  { what: 'several entries in `content`', datax: 'only the first is run', here: 'all are, one after the other' },
  {
    what: 'unknown keys',
    datax: 'are left out in silence',
    here: 'are an error that names the nearest known key; `--lenient` makes it a warning',
  },
  {
    what: 'the text of a job',
    datax: 'JSON, some comments, texts in single quotes, and line ends and tabs in texts; of two equal keys the last one counts',
    here: 'the same, all comments and trailing commas; a key that stands twice in one object is an error',
  },
  {
    what: '`setting.errorLimit` left out',
    datax: 'any number of rows may fail, and the job ends with exit code 0',
    here: 'no dirty record is allowed: say `{"record": N}` or `{"percentage": 0.01}`',
  },
  {
    what: '`errorLimit.record` and `percentage` together',
    datax: 'only `record` counts',
    here: 'both hold; `dray import datax` leaves `percentage` out',
  },
  {
    what: '`errorLimit` reached',
    datax: 'is noticed every ten seconds, a percentage at the end',
    here: 'ends the job at the first row too many, and unfinished tasks are rolled back',
  },
  {
    what: '`setting.speed` left out',
    datax: 'the job is refused',
    here: 'as many tasks side by side as the machine has cores, at most four',
  },
  {
    what: '`speed.byte`, `speed.record`',
    datax: 'need a limit of one channel beside them, and only that one is kept',
    here: 'hold for the whole job, with or without one; above 2147483647 as well',
  },
  {
    what: 'limits of the job and of a channel (`core.transport.channel.speed`)',
    datax: 'make the number of channels, and `speed.channel` does not count',
    here: 'the same, and both limits hold',
  },
  { what: '`speed` that is a number', datax: 'the job is refused', here: 'it counts as `byte`, with a warning' },
  {
    what: '`core.container.task.failOver`',
    datax: 'tasks start again only with `writeMode` replace of MySQL and with ODPS; by default not at all',
    here: '`maxRetryTimes` is `setting.retry.attempts`, `retryIntervalInMsec` the longest pause; by default eight attempts for what can pass, with any writer',
  },
  { what: 'other keys of `core`', datax: 'buffers and intervals', here: 'no effect, and a warning that says why' },
  {
    what: '`common.column`',
    datax: 'forms and zone of dates everywhere, default GMT+8',
    here: 'forms of dates in files and generated rows; dates have no zone unless their column has one, and milliseconds become dates in `timeZone`, default UTC',
  },
  {
    what: '`setting.keyVersion`, keys like `*password`',
    datax: 'are decrypted with keys of the installation',
    here: 'are refused: write `${env:NAME}` or `${file:path}`',
  },
  {
    what: '`preHandler`, `postHandler`, hooks',
    datax: 'run Java code around the job',
    here: 'are refused: use `preSql` and `postSql`, or the shell around `dray run`',
  },
  {
    what: '`${x}`, `$x`',
    datax: 'values are put in as they are, also into the middle of JSON; blank ones are not',
    here: 'within a text the value is escaped, and a blank one counts; `${x}` also comes from the environment, `$x` only from -p; without a value it stays as it is, with a warning',
  },
  {
    what: '`-p "-Dx=y -Dz=w"`',
    datax: 'goes to the Java machine',
    here: 'the same, as well as `-p x=y -p z=w`',
  },
  {
    what: 'a task that fails',
    datax: 'leaves what it has written',
    here: 'is rolled back: a task is one transaction, or files that appear at the end; `dray resume` goes on',
  },
  {
    what: 'exit codes',
    datax: '0, 1, and 143 after a signal',
    here: 'by the kind of mistake: 2 job file, 3 source, 4 target, 5 dirty records, 6 damaged files; see jobs.md',
  },
  { what: 'names of plugins', datax: 'must have the right case', here: 'may have any' },
  {
    what: 'whole numbers',
    datax: '64 bits, else the row is dirty; a fraction is cut off',
    here: 'any width; a fraction in a column of whole numbers makes the row dirty',
  },
  { what: 'times', datax: 'milliseconds', here: 'microseconds' },
];
