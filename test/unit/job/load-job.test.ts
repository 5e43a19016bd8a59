import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Job, type LoadOptions, loadJob } from '../../../core/job/load-job.ts';
import { SecretMask } from '../../../core/job/secret-mask.ts';
import { writeJob } from '../../support/run-dray.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const reader = '{"name": "streamreader", "parameter": {"column": [{"value": "a"}], "sliceRecordCount": 1}}';
const writer = '{"name": "streamwriter"}';
const content = `"content": [{"reader": ${reader}, "writer": ${writer}}]`;

async function load(text: string, options: Partial<LoadOptions> = {}): Promise<{ job: Job; warnings: string[] }> {
  const warnings: string[] = [];
  const job = await loadJob(writeJob(tempFolder(), text, 'night.json'), {
    parameters: {},
    environment: {},
    isLenient: false,
    mask: new SecretMask(),
    warn: (message) => warnings.push(message),
    ...options,
  });
  return { job, warnings };
}

test('a job with comments and trailing commas is what it says', async () => {
  const { job } = await load(`// nightly
    {"job": {"setting": {"speed": {"channel": "3", "byte": -1, "record": 100,},}, /* one */ ${content},},}`);
  expect(job).toMatchObject({ name: 'night', channels: 3, bytesPerSecond: 0, recordsPerSecond: 100, maxDirtyRecords: 0, isDryRun: false });
  expect(job.contents.map((one) => [one.reader.plugin.name, one.writer.plugin.name])).toEqual([['stream', 'stream']]);
  expect(job.contents[0]!.writer.options).toMatchObject({ print: true });
});

test.each([
  ['{}', { maxDirtyRecords: 0, maxDirtyShare: undefined }],
  ['{"errorLimit": {}}', { maxDirtyRecords: 0, maxDirtyShare: undefined }],
  ['{"errorLimit": {"record": 5}}', { maxDirtyRecords: 5, maxDirtyShare: undefined }],
  ['{"errorLimit": {"percentage": "0.02"}}', { maxDirtyRecords: null, maxDirtyShare: 0.02 }],
  ['{"errorLimit": {"record": 5, "percentage": 0}}', { maxDirtyRecords: 5, maxDirtyShare: 0 }],
  ['{"errorLimit": {"record": "0", "percentage": 0.02}}', { maxDirtyRecords: 0, maxDirtyShare: 0.02 }],
  ['{"errorLimit": {"percentage": "1.0"}}', { maxDirtyRecords: null, maxDirtyShare: 1 }],
])('setting %s allows dirty records as %j', async (setting, limits) => {
  expect((await load(`{"job": {"setting": ${setting}, ${content}}}`)).job).toMatchObject(limits);
});

test('limits at the servers are those of the job, and none if it says nothing', async () => {
  const source = '{"maxConnections": "4", "maxMegabytesPerSecond": 0.5, "maxThreadsRunning": 32}';
  const setting = `{"source": ${source}, "target": {"maxReplicaLagSeconds": 5, "maxLatencyMs": 50}}`;
  const { job } = await load(`{"job": {"setting": ${setting}, ${content}}}`);
  expect(job.sourceLimits).toEqual({ maxConnections: 4, maxMegabytesPerSecond: 0.5, maxThreadsRunning: 32 });
  expect(job.targetLimits).toEqual({ maxReplicaLagSeconds: 5, maxLatencyMs: 50 });
  expect((await load(`{"job": {${content}}}`)).job).toMatchObject({ sourceLimits: {}, targetLimits: {} });
});

test.each([
  ['{"source": {"maxConnections": 0}}', 'JOB_INVALID', 'job.setting.source.maxConnections: expected a number of at least 1'],
  ['{"target": {"maxLatencyMs": 0}}', 'JOB_INVALID', 'job.setting.target.maxLatencyMs: expected a number above 0'],
  ['{"source": {"maxConections": 1}}', 'JOB_UNKNOWN_KEY', 'did you mean "maxConnections"?'],
])('setting %s is refused', async (setting, code, message) => {
  await expect(load(`{"job": {"setting": ${setting}, ${content}}}`)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message),
  });
});

test('a byte order mark before the JSON is no mistake', async () => {
  expect((await load(`\uFEFF{"job": {${content}}}`)).job.contents).toHaveLength(1);
});

test.each([
  ['', 'JOB_SYNTAX', 'the job file is not JSON', 'night.json:1:1'],
  ['{"job": {', 'JOB_SYNTAX', 'the job file is not JSON', 'night.json:1:10'],
  ['{\n  "job" {}\n}', 'JOB_SYNTAX', 'colon expected', 'night.json:2:9'],
  ['[]', 'JOB_SYNTAX', 'the job file must be a JSON object', 'night.json:1:1'],
  ['{\n"job": {},\n"job": {}\n}', 'JOB_SYNTAX', 'the key "job" stands twice in the same object', 'night.json:3:1'],
  ['{"job": {"content": []}}', 'JOB_INVALID', 'job.content: expected at least one', 'night.json:1:10'],
  [
    '{"job": {"content": [{"reader": {}}]}}',
    'JOB_INVALID',
    'job.content[0].reader.name: expected the name of a reader; `dray plugins` lists them',
    'night.json:1:23',
  ],
  [`{"job": {\n"contnet": [], ${content}}}`, 'JOB_UNKNOWN_KEY', 'unknown key "contnet" in job; did you mean "content"?', 'night.json:2:1'],
  [`{"job": {"setting": {"speed": {"chanel": 1}}, ${content}}}`, 'JOB_UNKNOWN_KEY', 'did you mean "channel"?', 'night.json:1:32'],
  [
    `{"job": {"content": [{"reader": {"name": "streamreder"},\n "writer": ${writer}}]}}`,
    'PLUGIN_UNKNOWN',
    '"streamreader"',
    'night.json:1:34',
  ],
  [
    `{"job": {"content": [{"reader": {"name": "stream", "parameter": {"column": [{"valeu": 1}], "sliceRecordCount": 1}}, "writer": ${writer}}]}}`,
    'JOB_UNKNOWN_KEY',
    'unknown key "valeu" in job.content[0].reader.parameter.column[0]; did you mean "value"?',
    'night.json:1:78',
  ],
  [
    `{"job": {"content": [{"reader": ${reader}, "writer": {"name": "${'${w}'}"}}]}}`,
    'PLUGIN_UNKNOWN',
    'there is no writer called "${w}"',
    'night.json:1:',
  ],
])('%s is refused as %s: %s, at %s', async (text, code, message, place) => {
  await expect(load(text)).rejects.toMatchObject({
    code,
    exitCode: 2,
    message: expect.stringContaining(message),
    place: expect.stringContaining(place),
  });
});

test('a job file that is not there, and one that is a folder, are unreadable', async () => {
  const options: LoadOptions = { parameters: {}, environment: {}, isLenient: false, mask: new SecretMask(), warn: () => undefined };
  const folder = tempFolder();
  await expect(loadJob(join(folder, 'none.json'), options)).rejects.toMatchObject({
    code: 'JOB_UNREADABLE',
    message: expect.stringContaining('there is no such file'),
  });
  await expect(loadJob(folder, options)).rejects.toMatchObject({ code: 'JOB_UNREADABLE', exitCode: 2 });
});

test('keys that DataX knows and that mean nothing here give a warning each', async () => {
  const { warnings } = await load(`{
    "core": {"transport": {"channel": {"class": "MemoryChannel", "speed": {"byte": "-1"}}}, "container": {"job": {"sleepInterval": 100}}},
    "entry": {"jvm": "-Xmx1g"},
    "job": {"setting": {"keyVersion": "", "speed": {"channel": 1, "concurrent": 2}}, "jobInfo": {},
      "content": [{"reader": ${reader}, "writer": {"name": "streamwriter", "parameter": {"encoding": "GBK"}}}]}}`);
  expect(warnings.map((warning) => warning.split(' ')[0])).toEqual([
    'job.setting.speed.concurrent',
    'job.jobInfo',
    'core.transport.channel.class',
    'core.container.job',
    'entry',
    'job.content[0].writer.parameter.encoding',
  ]);
});

test('lenient: an unknown key of a plugin is a warning with its place', async () => {
  const text = `{"job": {"content": [{"reader": ${reader}, "writer": {"name": "stream", "parameter": {"prnt": false}}}]}}`;
  const { job, warnings } = await load(text, { isLenient: true });
  expect(job.contents).toHaveLength(1);
  expect(warnings).toEqual([expect.stringMatching(/^unknown key "prnt" in .*did you mean "print"\? \(.*night\.json:1:\d+\)$/)]);
});

test('secrets of the job file are known to the mask before anything can fail', async () => {
  const mask = new SecretMask();
  const text = `{"job": {"content": [{"reader": {"name": "mysqlreader", "parameter": {"password": "in-the-file", "x": "\${env:PASS}"}}, "writer": ${writer}}]}}`;
  await expect(load(text, { mask, environment: { PASS: 'from-the-env' } })).rejects.toMatchObject({ code: 'JOB_INVALID' });
  expect(mask.apply('in-the-file from-the-env')).toBe('*** ***');
});

test.each([
  ['{"channel": 3}', undefined, 3],
  ['{"byte": 10485760}', '{"byte": 1048576}', 10],
  ['{"byte": 500}', '{"byte": 1000}', 1],
  ['{"byte": 10485760, "record": 10000}', '{"byte": 1048576, "record": 5000}', 2],
  ['{"channel": 5, "byte": 1048576}', '{"byte": 524288}', 2],
  ['{"channel": 5, "byte": 1048576}', '{"byte": -1}', 5],
  ['{"byte": 1048576}', '{"byte": -1}', undefined],
  ['{"channel": "7", "byte": 1048576}', '{"record": 100}', 7],
])('speed %s with channels of %s makes %s channels, as in DataX where DataX takes it', async (speed, ofChannel, channels) => {
  const core = ofChannel === undefined ? '' : `"core": {"transport": {"channel": {"speed": ${ofChannel}}}},`;
  const { job } = await load(`{${core} "job": {"setting": {"speed": ${speed}}, ${content}}}`);
  expect(job.channels).toBe(channels);
});

test('limits of the job and of a channel both hold', async () => {
  const { job, warnings } = await load(`{"core": {"transport": {"channel": {"speed": {"byte": 1000, "record": "20"}}}},
    "job": {"setting": {"speed": {"channel": 3, "byte": "9000000000"}}, ${content}}}`);
  expect(job).toMatchObject({ bytesPerSecond: 9e9, recordsPerSecond: 0, bytesPerChannel: 1000, recordsPerChannel: 20, channels: 1000 });
  expect(warnings).toEqual([expect.stringContaining('job.setting.speed.channel has no effect')]);
});

test.each(['1048576', '"1048576"'])('a speed that is the number %s counts as bytes per second, and a warning says so', async (speed) => {
  const { job, warnings } = await load(`{"job": {"setting": {"speed": ${speed}}, ${content}}}`);
  expect(job).toMatchObject({ bytesPerSecond: 1_048_576, channels: undefined });
  expect(warnings).toEqual([expect.stringContaining('{"byte": 1048576}')]);
});

test.each([
  ['"maxRetryTimes": 3, "retryIntervalInMsec": 500', '', { maxAttempts: 3, maxRetryWaitMs: 500 }],
  ['"maxRetryTimes": "0"', '', { maxAttempts: 1, maxRetryWaitMs: 30_000 }],
  ['"maxRetryTimes": 3', '"retry": {"attempts": 5, "maxWaitSeconds": 2}', { maxAttempts: 5, maxRetryWaitMs: 2000 }],
])('fail-over %s of core, beside the setting %s, is %j', async (failOver, retry, expected) => {
  const { job } = await load(`{"core": {"container": {"task": {"failOver": {${failOver}}}}}, "job": {"setting": {${retry}}, ${content}}}`);
  expect(job).toMatchObject(expected);
});

test.each([
  [`{"job": {"setting": {"keyVersion": "v1"},\n ${content}}}`, 'job.setting.keyVersion: expected no version', 'night.json:1:22'],
  [
    `{"job": {${content},\n "preHandler": {"pluginType": "reader", "pluginName": "x"}}}`,
    'job.preHandler: it runs Java code',
    'night.json:2:2',
  ],
  [`{"job": {${content},\n "postHandler": {}}}`, 'job.postHandler: it runs Java code', 'night.json:2:2'],
  [
    '{"job": {"content": [{"reader":\n {"parameter": {"*password": "x"}}}]}}',
    '"*password" holds a text that DataX has encrypted',
    'night.json:2:17',
  ],
  ['{"job": {"content": {"reader": {}}}}', 'job.content: expected a list', 'night.json:1:10'],
  [`{"job": {"setting": {"errorLimit": {"percentage": 2}}, ${content}}}`, 'percentage: expected a number of at most 1', 'night.json:1:37'],
])('%s would do something else here, and is refused: %s', async (text, message, place) => {
  await expect(load(text)).rejects.toMatchObject({
    code: 'JOB_INVALID',
    message: expect.stringContaining(message),
    place: expect.stringContaining(place),
  });
});

test('a whole number with more digits than a double holds arrives as it was written', async () => {
  const wide = '9223372036854775807';
  const { job } = await load(
    `{"job": {"content": [{"reader": {"name": "streamreader", "parameter": {"column": [{"type": "long", "value": ${wide}}], "sliceRecordCount": 1}}, "writer": ${writer}}]}}`,
  );
  expect(job.contents[0]!.reader.options).toMatchObject({ column: [{ value: wide }] });
});

test('common.column goes to the plugins that turn texts into dates; where there is none, a warning says so', async () => {
  const common = '"common": {"column": {"datetimeFormat": "yyyyMMddHHmmss", "timeFormat": "HHmmss"}}';
  const files = '{"name": "txtfilereader", "parameter": {"path": "a.csv"}}';
  const { job, warnings } = await load(`{${common}, "job": {"content": [{"reader": ${files}, "writer": ${writer}}]}}`);
  expect(job.contents[0]!.reader.options).toMatchObject({ columnForms: { datetimeFormat: 'yyyyMMddHHmmss' } });
  expect(warnings).toEqual([expect.stringContaining('common.column.timeFormat has no effect')]);
});
