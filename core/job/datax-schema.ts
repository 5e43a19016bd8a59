import { ignored, integer, z } from '../sdk/index.ts';

/*
 * `core` and `common` of a job file, which in DataX override its core.json; CoreConstant.java lists them.
 */

const perChannel = z.strictObject({
  byte: integer()
    .optional()
    .describe('Most bytes per second of one channel; with job.setting.speed.byte it says how many channels there are'),
  record: integer().optional().describe('Most records per second of one channel; with job.setting.speed.record the number of channels'),
});

const buffers = 'buffers are worked out, and bounded by bytes';
const unattended = 'there is no server to report to; `--json` prints the report';

export const coreSchema = z.strictObject({
  dataXServer: ignored(unattended),
  transport: z
    .strictObject({
      channel: z
        .strictObject({
          class: ignored(buffers),
          speed: perChannel.optional().describe('Limits of each channel, beside those of the whole job'),
          flowControlInterval: ignored('limits hold from batch to batch'),
          capacity: ignored(buffers),
          byteCapacity: ignored(buffers),
        })
        .optional(),
      exchanger: ignored(buffers),
      record: ignored('rows have one form'),
    })
    .optional(),
  container: z
    .strictObject({
      model: ignored('a job is one process'),
      job: ignored('the report of a job comes with its end, and progress is live'),
      taskGroup: ignored('tasks run side by side as job.setting.speed.channel says'),
      trace: ignored('the report has the times of every task'),
      task: z
        .strictObject({
          failOver: z
            .strictObject({
              maxRetryTimes: integer({ min: 0 })
                .optional()
                .describe('How often a task is started at most; job.setting.retry.attempts goes before'),
              retryIntervalInMsec: integer({ min: 0 })
                .optional()
                .describe('Longest pause between two attempts; job.setting.retry.maxWaitSeconds goes before'),
              maxWaitInMsec: ignored('a task starts again as soon as its last attempt has ended'),
            })
            .optional(),
        })
        .optional(),
    })
    .optional(),
  statistics: ignored('all dirty records are kept in the quarantine of the run'),
});

export const commonSchema = z.strictObject({
  column: z
    .strictObject({
      datetimeFormat: z
        .string()
        .min(1)
        .optional()
        .describe('How texts with a date and a time of day are written, like yyyy-MM-dd HH:mm:ss'),
      dateFormat: z.string().min(1).optional().describe('How texts with a date alone are written'),
      timeFormat: ignored('a time of day is read as HH:mm:ss, with or without a fraction'),
      extraFormats: z.array(z.string().min(1)).optional().describe('Further forms of dates'),
      timeZone: z.string().optional().describe('Zone in which milliseconds since 1970 become a date; default UTC'),
      encoding: ignored('bytes and texts are never taken for each other'),
    })
    .optional()
    .describe('How texts become dates where a column has no "format" of its own: in files, and in what is generated'),
});

export type Core = z.output<typeof coreSchema>;
export type ColumnForms = NonNullable<z.output<typeof commonSchema>['column']>;
