import { flag, ignored, integer, refused, z } from '../sdk/index.ts';
import { commonSchema, coreSchema } from './datax-schema.ts';
import { serverLimits } from './server-limits.ts';
import { maxChannels } from './speed.ts';
import { duration, moment } from './times.ts';

const end = (what: 'reader' | 'writer' | 'transformer') =>
  z.strictObject({
    name: z
      .string({ error: `Expected the name of a ${what}; \`dray plugins\` lists them` })
      .refine((name) => name.trim() !== '', { error: `Expected the name of a ${what}; \`dray plugins\` lists them` })
      .describe(`Name of the ${what}: one of \`dray plugins\`, a path (./my-${what}.js, from the job file) or an npm package`),
    parameter: z.record(z.string(), z.unknown()).default({}).describe(`Options of the ${what}; \`dray plugins NAME\` lists them`),
  });

const speed = z.strictObject({
  channel: integer({ min: 1, max: maxChannels })
    .optional()
    .describe('Tasks that run side by side. Default: the CPU cores of this machine, at most 4'),
  byte: integer().optional().describe('Most bytes per second, for the whole job; absent, 0 or -1: no limit'),
  record: integer().optional().describe('Most records per second, for the whole job; absent, 0 or -1: no limit'),
  concurrent: ignored('the number of tasks side by side is "channel"'),
});

const errorLimit = z.strictObject({
  record: integer({ min: 0 }).optional().describe('Most dirty records of the whole job; absent: 0, unless "percentage" is given'),
  percentage: z
    .union(
      [
        z.number().min(0).max(1),
        z
          .string()
          .regex(/^(\d+\.?\d*|\.\d+)$/)
          .transform(Number)
          .pipe(z.number().max(1)),
      ],
      { error: 'Expected a number from 0 to 1' },
    )
    .optional()
    .describe('Largest share of dirty records, 0 to 1; looked at when all rows have been read. No effect beside "record"'),
});

/** DataX's own documentation has jobs in which "speed" is a number; DataX refuses them. */
const bareSpeed = integer({ min: 1 })
  .transform((byte): z.output<typeof speed> & { readonly isBare?: true } => ({ byte, isBare: true }))
  .describe('Taken as "byte"');

const guarantee = z.enum(['at-least-once', 'exactly-once', 'exactly-once-if-possible']);

const setting = z.strictObject({
  speed: z.union([speed, bareSpeed], { error: 'Expected {"channel": N}' }).optional(),
  errorLimit: errorLimit.optional(),
  splitBytes: integer({ min: 1 << 20 })
    .optional()
    .describe(
      'Bytes of the source that one task should read; big tables are cut accordingly, small ones packed together. Default: 64 MB; by how fast a thread was between these systems before, up to 256 MB, and down to 4 MB so that a task takes a minute at most',
    ),
  guarantee: guarantee
    .default('at-least-once')
    .describe(
      'at-least-once: a task whose process dies in the moment of its commit may be written twice when the run is resumed; exactly-once: the target keeps a ledger, and the job is refused if it cannot; exactly-once-if-possible: it then runs with at-least-once and says so',
    ),
  snapshot: z
    .enum(['consistent', 'per-task', 'none'])
    .optional()
    .describe(
      'consistent: all tasks read one point in time, or the job is refused; per-task: each task its own; none: no transactions. Default: consistent where the source allows it, else per-task, and the report says why',
    ),
  retry: z
    .strictObject({
      attempts: integer({ min: 1, max: 100 }).optional().describe('How often a task is started at most; default 8'),
      maxWaitSeconds: integer({ min: 1, max: 3600 }).optional().describe('Longest pause between two attempts; default 30'),
    })
    .optional()
    .describe('Tasks that fail by something that can pass (deadlock, lost connection, server restart) are started again'),
  source: serverLimits('source')
    .optional()
    .describe('What the job allows itself at each server it reads from; all jobs that run there share it'),
  target: serverLimits('target').optional().describe('The same for each server it writes to'),
  quarantine: z
    .strictObject({ writer: end('writer') })
    .optional()
    .describe(
      'A writer that gets the dirty records, too: a table or file with the columns run, content, task, split, row, column, cause, cells',
    ),
  priority: integer({ min: 0, max: 9 })
    .optional()
    .describe('0 to 9: jobs with a higher one go first when several run side by side; default 5'),
  deadline: moment('Expected a time of day ("06:00") or a date and time ("2026-11-22T06:00:00Z")')
    .optional()
    .describe(
      'When the job should have ended: a time of day ("06:00", the next one) or a date and time; among jobs of the same priority the earliest goes first',
    ),
  finishWithin: duration('Expected seconds, or a text like "90s", "30m", "2h"')
    .optional()
    .describe(
      'How long the job may take: seconds, or "90s", "30m", "2h". It then takes no more threads than that asks for. Default: as soon as this machine can',
    ),
  pool: z.string().min(1).optional().describe('Takes the slots of this pool (`--pool NAME=SLOTS`), which other jobs do not get'),
  dryRun: flag().optional().describe('true: check the job, move nothing; the same as `dray check`'),
  keyVersion: z
    .string()
    .regex(/^\s*$/, {
      error: 'Expected no version: what DataX has encrypted cannot be read here; write secrets as "${env:NAME}" or "${file:path}"',
    })
    .nullable()
    .optional()
    .describe('Blank, or left out: dray takes secrets from ${env:NAME} or ${file:path}'),
});

const transformers = z.array(end('transformer')).optional();

/** One of several targets. */
const target = end('writer').extend({
  transformer: transformers.describe('What is done to the rows for this target alone, behind the transformers of the content'),
  guarantee: guarantee.optional().describe('Of this target; default: that of the job'),
  errorLimit: errorLimit
    .optional()
    .describe('Dirty records of this target; default: the numbers of the job, counted for this target alone'),
  onFailure: z
    .enum(['fail-all', 'go-on'])
    .default('fail-all')
    .describe(
      'When this target fails for good. fail-all: the content ends, and none of its targets is published; go-on: this one is left out, the others go on, and the run ends with its failure',
    ),
});

const content = z
  .strictObject({
    reader: end('reader'),
    writer: end('writer').optional().describe('The target; or "writers", if there are several'),
    writers: z
      .array(target)
      .min(2, { error: 'Expected at least two writers; a single one is "writer": {…}' })
      .optional()
      .describe('Several targets of the same rows: the source is read once for all of them'),
    transformer: transformers.describe(
      'What is done to the rows on their way, one after the other: changed, filtered, columns renamed or dropped',
    ),
  })
  .superRefine(({ writer, writers }, { addIssue }) => {
    if (writer !== undefined && writers !== undefined)
      addIssue({ code: 'custom', path: ['writers'], message: 'expected either "writer" or "writers", and both are there' });
    if (writer === undefined && writers === undefined)
      addIssue({ code: 'custom', path: ['writer'], message: 'expected {…}, and it is missing' });
  });

/** The job file. DataX's shape, so that its files run unchanged. */
export const jobFileSchema = z.strictObject({
  $schema: z.string().optional().describe('Path of the JSON Schema, for editors: `dray schema > job.schema.json`'),
  job: z.strictObject(
    {
      setting: setting.optional(),
      content: z
        .array(content, { error: 'Expected a list: [{"reader": …, "writer": …}]' })
        .min(1, { error: 'Expected at least one {"reader": …, "writer": …}' })
        .describe('Each entry moves one source into one target, or several'),
      entry: ignored('there is no Java machine to set up'),
      jobInfo: ignored('it only named the job in DataX reports'),
      preHandler: refused('it runs Java code of a DataX plugin; run that step before dray, or as "preSql" of the writer'),
      postHandler: refused('it runs Java code of a DataX plugin; run that step after dray, or as "postSql" of the writer'),
    },
    { error: 'Expected {"job": {"setting": {…}, "content": […]}}' },
  ),
  core: coreSchema.optional().describe("Settings of DataX's core.json; limits of a channel and fail-over count, others have no effect"),
  common: commonSchema.optional().describe('How texts become dates'),
  entry: ignored('there is no Java machine to set up'),
  setting: ignored('DataX never read it here; put it into "job"'),
});
