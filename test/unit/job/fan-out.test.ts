import { expect, test } from 'vitest';
import { loadJob } from '../../../core/job/load-job.ts';
import { SecretMask } from '../../../core/job/secret-mask.ts';
import { writeJob } from '../../support/run-dray.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const reader = { name: 'streamreader', parameter: { column: [{ name: 'a', value: 'a' }], sliceRecordCount: 1 } };
const writer = { name: 'streamwriter' };
const silent = { name: 'streamwriter', parameter: { print: false } };
const mask = { name: 'mask', parameter: { column: ['a'] } };
const rename = { name: 'rename', parameter: { columns: { a: 'b' } } };

function load(content: object, setting: object = {}) {
  const warn = () => undefined;
  const path = writeJob(tempFolder(), { job: { setting, content: [{ reader, writer }, content] } });
  return loadJob(path, { parameters: {}, environment: {}, isLenient: false, mask: new SecretMask(), warn });
}

test('each of several writers is a target with what is said of it, or of the job', async () => {
  const own = { ...silent, transformer: [rename], guarantee: 'exactly-once', errorLimit: { record: 5 }, onFailure: 'go-on' };
  const setting = { errorLimit: { percentage: 0.5 }, guarantee: 'exactly-once-if-possible' };
  const { contents } = await load({ reader, transformer: [mask], writers: [writer, own] }, setting);
  expect(contents.map(({ entry, transformers }) => [entry, transformers.map(({ plugin }) => plugin.name)])).toEqual([
    [0, []],
    [1, ['mask']],
    [1, ['mask', 'rename']],
  ]);
  expect(contents.map(({ fanOut }) => fanOut)).toEqual([
    undefined,
    { target: 0, guarantee: 'exactly-once-if-possible', maxDirtyRecords: null, maxDirtyShare: 0.5, onFailure: 'fail-all' },
    { target: 1, guarantee: 'exactly-once', maxDirtyRecords: 5, maxDirtyShare: undefined, onFailure: 'go-on' },
  ]);
});

test.each([
  [{ reader, writer, writers: [writer, writer] }, 'job.content[1].writers: expected either "writer" or "writers", and both are there'],
  [{ reader }, 'job.content[1].writer: expected {…}, and it is missing'],
  [{ reader, writers: [writer] }, 'job.content[1].writers: expected at least two writers; a single one is "writer": {…}'],
  [{ reader, writers: [silent, writer, silent] }, 'job.content[1].writers[2]: this target is the same as that of writers[0]'],
  [{ reader, writers: [writer, { ...writer, onFailure: 'ignore' }] }, 'job.content[1].writers[1].onFailure: '],
  [
    { reader, writers: [writer, { ...writer, onfailure: 'go-on' }] },
    'unknown key "onfailure" in job.content[1].writers[1]; did you mean "onFailure"?',
  ],
])('%j is refused', async (content, message) => {
  await expect(load(content)).rejects.toThrow(message);
});
