import { parse } from 'jsonc-parser';
import { expect, test } from 'vitest';
import { importedJob } from '../../../core/job/imported-job.ts';
import { parseJobText } from '../../../core/job/job-text.ts';
import { jobOf } from '../../../core/job/load-job.ts';
import { SecretMask } from '../../../core/job/secret-mask.ts';

/** What becomes of a job file; what is refused without `lenient` would fail here. */
async function imported(text: string, parameters: Record<string, string> = {}): Promise<string> {
  const options = { parameters, environment: {}, isLenient: false, mask: new SecretMask(), warn: () => undefined };
  const source = { file: 'job.json', name: 'job', folder: '.', secrets: [] };
  const job = await jobOf({ ...source, text }, { ...options, isLenient: true });
  const result = importedJob(parseJobText('job.json', text), job);
  await jobOf({ ...source, text: result }, options);
  return result;
}

const reader = '{"name": "streamreader", "parameter": {"column": [{"value": "a"}], "sliceRecordCount": 1}}';
const content = (writer: string) => `"content": [{"reader": ${reader}, "writer": ${writer}}]`;
const plain = content('{"name": "streamwriter"}');

test('a job in which nothing is different stays as it is, comments and all', async () => {
  const text = `// mine\n{"job": {"setting": {"errorLimit": {"record": 0,},}, /* x */ ${plain}}}`;
  expect(await imported(text)).toBe(text);
});

test('keys without effect and unknown keys go, each with its reason, on lines of their own and within a line', async () => {
  const result = await imported(
    `{"setting": {}, "job": {"setting": {"errorLimit": {"record": 1, "percentage": 0.5}},\n  "jobInfo": {},\n  "mine": 1,\n ${plain}}}`,
  );
  expect(parse(result)).toEqual({ job: { setting: { errorLimit: { record: 1 } }, content: expect.any(Array) } });
  expect(result).toContain(
    '\n  // "jobInfo" is left out: it only named the job in DataX reports\n  // "mine" is left out: there is no such key\n',
  );
  expect(result).toContain('/* "setting" is left out: DataX never read it here; put it into "job" */');
});

test('values that mean something else in DataX are written as they are meant', async () => {
  const result = await imported(`{"job": {"setting": {"speed": 1048576}, ${content('{"name": "StreamWriter"}')}}}`);
  expect(parse(result)).toMatchObject({
    job: { setting: { speed: { byte: 1_048_576 } }, content: [{ writer: { name: 'streamwriter' } }] },
  });
  expect(result).toContain('without "errorLimit" DataX lets any number of rows fail');
});

test('secrets become variables, wherever they stand, and no secret is left', async () => {
  const bucket = (key: string) =>
    `{"name": "osswriter", "parameter": {"bucket": "b", "object": "o", "writeMode": "append", "accessId": "id-1", "accessKey": ${key}}}`;
  const one = `{"reader": {"name": "mysqlreader", "parameter": {"password": "pa$word", "connection": [{"jdbcUrl": "jdbc:mysql://h/d", "table": "t"}]}}, "writer": ${bucket('"key-1"')}}`;
  const other = `{"reader": ${reader}, "writer": ${bucket('"${env:KEY}"').replace('"${env:KEY}"', '"${KEY}"')}}`;
  const result = await imported(`{"job": {"content": [${one}, ${other}]}}`);
  expect(result).not.toMatch(/pa\$word|key-1|id-1/);
  expect(parse(result)).toMatchObject({
    job: {
      content: [
        {
          reader: { parameter: { password: '${READER_PASSWORD}' } },
          writer: { parameter: { accessId: '${WRITER_ACCESS_ID}', accessKey: '${WRITER_ACCESS_KEY}' } },
        },
        { writer: { parameter: { accessId: '${WRITER_2_ACCESS_ID}', accessKey: '${KEY}' } } },
      ],
    },
  });
  expect(result).toContain('DataX runs the first content only');
});

test('variables and numbers stay as they are written', async () => {
  const text = `{"job": {"setting": {"errorLimit": {"record": 0}}, ${plain.replace('"a"', '"${day}"').replace('"sliceRecordCount": 1', '"sliceRecordCount": "${n}"')}}}`;
  expect(await imported(text, { n: '3' })).toBe(text);
});

test('what is different about a plugin is told in its parameter, unless the job says it', async () => {
  const file = (more: string) =>
    content(`{"name": "txtfilewriter", "parameter": {"path": "p", "fileName": "f", "writeMode": "append"${more}}}`);
  expect(await imported(`{"job": {${file('')}}}`)).toContain('fileFormat left out: with DataX text: nothing is quoted');
  expect(await imported(`{"job": {${file(', "fileFormat": "text"')}}}`)).not.toContain('fileFormat left out');
});
