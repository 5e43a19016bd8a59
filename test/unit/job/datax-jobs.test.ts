import { expect, test } from 'vitest';
import { jobOf } from '../../../core/job/load-job.ts';
import { SecretMask } from '../../../core/job/secret-mask.ts';

/** Checks the text of a job, one line per part, as `dray check --offline` does. */
async function check(...lines: string[]) {
  const warnings: string[] = [];
  const options = { parameters: {}, environment: {}, isLenient: false, mask: new SecretMask() };
  const source = { file: 'job.json', name: 'job', folder: '.', text: lines.join('\n'), secrets: [] };
  const job = await jobOf(source, { ...options, warn: (message) => warnings.push(message) });
  return { job, warnings };
}

const numbers =
  '{"name": "streamreader", "parameter": {"column": [{"type": "long", "random": "0, 9"}, {"type": "bytes", "value": "x"}], "sliceRecordCount": "5"}}';
const nowhere = '{"name": "streamwriter", "parameter": {"print": "false", "encoding": "UTF-8", "recordNumBeforeSleep": 1, "sleepTime": 1}}';
const database = (jdbcUrl: string, more: string, table = 't_[00-15]') =>
  `"parameter": {"username": "u", "password": "", "connection": [{"jdbcUrl": ${jdbcUrl}, "table": ["${table}"]}]${more}}`;
const files = (more: string) => `"parameter": {"path": "/d", "fileName": "f", "writeMode": "truncate"${more}}`;

test.each([
  [
    'mysqlreader',
    `{"name": "mysqlreader", ${database('["jdbc:mysql://a:1/d", "jdbc:mysql://b:bad/d"]', ', "column": "*", "splitPk": "", "where": " ", "splitFactor": 5, "fetchSize": "9", "mandatoryEncoding": "", "checkSlave": "true", "preSql": ["select 0"], "session": "set x=1", "hint": "t#h"')}}`,
  ],
  [
    'postgresqlreader',
    `{"name": "PostgresqlReader", ${database('"jdbc:postgresql://a:1/d"', ', "samplePercentage": 0.1, "fetchSize": 1024, "checkSlave": true')}}`,
  ],
  [
    'txtfilereader',
    '{"name": "txtfilereader", "parameter": {"path": ["/a/*"], "encoding": "", "column": [{"index": "0", "type": "LONG"}, {"value": "x", "type": "string"}, {"index": 2, "type": "date", "format": "yyyy.MM.dd"}], "fieldDelimiter": "||", "compress": "gzip", "skipHeader": "true", "nullFormat": "\\\\N", "bufferSize": 1, "csvReaderConfig": {"caseSensitive": true, "textQualifier": "\'", "trimWhitespace": true, "useTextQualifier": true, "delimiter": ";", "recordDelimiter": 0, "comment": "#", "useComments": true, "escapeMode": 2, "safetySwitch": false, "skipEmptyRecords": false, "captureRawRecord": true}}}',
  ],
  [
    'ftpreader',
    '{"name": "ftpreader", "parameter": {"protocol": "sftp", "host": "h", "port": "22", "timeout": "60000", "connectPattern": "PASV", "maxTraversalLevel": 9, "username": "u", "password": "p", "path": ["/a"]}}',
  ],
  [
    'ossreader',
    '{"name": "ossreader", "parameter": {"endpoint": "http://e", "accessId": "i", "accessKey": "k", "bucket": "b", "object": ["a/*"], "successOnNoObject": true, "cname": "x", "column": ["*"]}}',
  ],
])('every option of %s is taken', async (_name, reader) => {
  expect((await check(`{"job": {"content": [{"reader": ${reader}, "writer": ${nowhere}}]}}`)).job.contents).toHaveLength(1);
});

test.each([
  [
    'mysqlwriter',
    `{"name": "mysqlwriter", ${database('"jdbc:mysql://a:1/d?useUnicode=true"', ', "column": ["*"], "writeMode": "REPLACE", "preSql": ["delete from @table"], "postSql": [""], "batchSize": "1024", "batchByteSize": 1, "emptyAsNull": "true", "session": []', 't')}}`,
  ],
  [
    'postgresqlwriter',
    `{"name": "postgresqlwriter", ${database('"jdbc:postgresql://a:1/d"', ', "column": ["id"], "insertSqlMode": "copy", "encoding": "UTF-8"', 't')}}`,
  ],
  [
    'txtfilewriter',
    `{"name": "txtfilewriter", ${files(', "dateFormat": "yyyy-MM-dd", "format": "yyyy", "fileFormat": "TEXT", "header": [], "nullFormat": "null", "compress": "", "byteEncoding": "base64", "csvWriterConfig": {"forceQualifier": true}')}}`,
  ],
  [
    'ftpwriter',
    `{"name": "ftpWriter", ${files(', "protocol": "sftp", "host": "h", "port": 22, "username": "u", "password": "p", "timeout": "1", "connectPattern": "PASV", "suffix": ".csv", "fileFormat": "csv"')}}`,
  ],
  [
    'osswriter',
    '{"name": "osswriter", "parameter": {"endpoint": "http://e", "accessId": "", "accessKey": "", "bucket": "b", "object": "o", "writeMode": "append", "maxFileSize": 100000, "blockSizeInMB": 10, "suffix": "", "encrypt": false, "writeSingleObject": "false", "generateEmptyFile": true, "truncateMode": "objectMatch"}}',
  ],
  [
    'osswriter of parquet',
    '{"name": "osswriter", "parameter": {"bucket": "b", "path": "/t", "fileName": "f", "fileFormat": "parquet", "writeMode": "append", "column": [{"name": "a", "type": "BIGINT"}], "parquetSchema": "message m {}"}}',
  ],
  ['streamwriter', '{"name": "streamwriter", "parameter": {"path": "/d", "fileName": "f", "fieldDelimiter": "||"}}'],
])('every option of %s is taken', async (_name, writer) => {
  expect((await check(`{"job": {"content": [{"reader": ${numbers}, "writer": ${writer}}]}}`)).job.contents).toHaveLength(1);
});

test('characters of csvReaderConfig may be codes', async () => {
  const config = '{"textQualifier": 39, "comment": 35, "delimiter": 59, "escapeMode": "2"}';
  const { job } = await check(
    `{"job": {"content": [{"reader": {"name": "txtfilereader", "parameter": {"path": "p", "csvReaderConfig": ${config}}}, "writer": ${nowhere}}]}}`,
  );
  expect(job.contents[0]?.reader.options.csvReaderConfig).toMatchObject({
    textQualifier: "'",
    comment: '#',
    delimiter: ';',
    escapeMode: 2,
  });
});

test('words of files may be blank, or in another case', async () => {
  const { job } = await check(
    `{"job": {"content": [{"reader": {"name": "txtfilereader", "parameter": {"path": "p", "fileFormat": " ", "compress": ""}},`,
    `"writer": {"name": "txtfilewriter", "parameter": {"path": "p", "fileName": 2026, "writeMode": " NonConflict", "fileFormat": "", "csvWriterConfig": {"useTextQualifier": "true"}}}}]}}`,
  );
  expect(job.contents[0]).toMatchObject({
    reader: { options: { fileFormat: 'csv' } },
    writer: { options: { fileName: '2026', writeMode: 'nonConflict', fileFormat: 'csv' } },
  });
});

test('a password that is a number is one, and is masked', async () => {
  const mask = new SecretMask();
  const text = `{"job": {"content": [{"reader": {"name": "mysqlreader", "parameter": {"password": 123456, "connection": [{"jdbcUrl": "jdbc:mysql://h/d", "table": "t"}]}}, "writer": ${nowhere}}]}}`;
  const source = { file: 'job.json', name: 'job', folder: '.', text, secrets: [] };
  const job = await jobOf(source, { parameters: {}, environment: {}, isLenient: false, mask, warn: () => undefined });
  expect(job.contents[0]?.reader.options.password).toBe('123456');
  expect(mask.apply('123456')).toBe('***');
});

test('core, common, entry, jobInfo and a stray setting are taken where DataX has them', async () => {
  const { job, warnings } = await check(
    '{"entry": {"jvm": "-Xmx1g"}, "setting": {}, "common": {"column": {"extraFormats": ["yyyyMMdd"], "timeZone": "GMT+8", "encoding": "utf-8"}},',
    '"core": {"dataXServer": {"address": "a"}, "transport": {"channel": {"capacity": 1, "speed": {"record": "100"}}, "record": {"class": "c"}},',
    '"container": {"job": {"id": -1}, "taskGroup": {"channel": 5}, "trace": {"enable": "false"}}, "statistics": {"collector": {}}},',
    `"job": {"entry": {}, "jobInfo": {}, "setting": {"speed": {"channel": "2"}, "dryRun": "true", "keyVersion": ""}, "content": [{"reader": ${numbers}, "writer": ${nowhere}}]}}`,
  );
  expect(job).toMatchObject({ channels: 2, recordsPerChannel: 100, isDryRun: true });
  for (const key of ['entry', 'setting', 'common.column.encoding', 'core.dataXServer', 'core.statistics', 'core.container.taskGroup'])
    expect(warnings).toContainEqual(expect.stringMatching(new RegExp(`^${key.replaceAll('.', '\\.')} has no effect: `)));
});

test.each([
  ['a comma is missing', ['{"job": {', '"setting": {}', '"content": []}}'], 'JOB_SYNTAX', 3],
  ['a shell comment', ['#job.json', '{}'], 'JOB_SYNTAX', 1],
  ['no reader', ['{"job": {"content": [{"reader": {},', `"writer": ${nowhere}}]}}`], 'JOB_INVALID', 1],
  [
    'a plugin that is not here',
    [`{"job": {"content": [{"reader": ${numbers}, "writer": {`, '"name": "hdfswriter"}}]}}'],
    'PLUGIN_UNKNOWN',
    2,
  ],
  [
    'no connection',
    ['{"job": {"content": [{"reader": {"name": "mysqlreader",', `"parameter": {}}, "writer": ${nowhere}}]}}`],
    'JOB_INVALID',
    2,
  ],
  [
    'a table beside a query',
    [
      '{"job": {"content": [{"reader": {"name": "mysqlreader", "parameter": {"connection": [{"jdbcUrl": "jdbc:mysql://h/d", "table": "t",',
      `"querySql": "select 1"}]}}, "writer": ${nowhere}}]}}`,
    ],
    'JOB_INVALID',
    2,
  ],
  [
    'neither a table nor a query',
    [
      '{"job": {"content": [{"reader": {"name": "postgresqlreader", "parameter": {"connection": [{"jdbcUrl": "jdbc:postgresql://h/d",',
      `"table": []}]}}, "writer": ${nowhere}}]}}`,
    ],
    'JOB_INVALID',
    2,
  ],
  [
    'a blank address',
    [
      `{"job": {"content": [{"reader": ${numbers}, "writer": {"name": "mysqlwriter", "parameter": {"connection": [{"table": ["t"],`,
      '"jdbcUrl": ""}]}}}]}}',
    ],
    'JOB_INVALID',
    2,
  ],
  [
    'a placeholder for a mode',
    [
      `{"job": {"content": [{"reader": ${numbers}, "writer": {"name": "txtfilewriter", "parameter": {"path": "p", "fileName": "f",`,
      '"writeMode": "truncate|append|nonConflict"}}}]}}',
    ],
    'JOB_INVALID',
    2,
  ],
  [
    'copying files as they are',
    [
      `{"job": {"content": [{"reader": ${numbers}, "writer": {"name": "txtfilewriter", "parameter": {"path": "p", "fileName": "f", "writeMode": "append",`,
      '"syncMode": "copy"}}}]}}',
    ],
    'JOB_INVALID',
    2,
  ],
  [
    'a delimiter with one backslash too many',
    [
      '{"job": {"content": [{"reader": {"name": "txtfilereader", "parameter": {"path": "p",',
      `"fieldDelimiter": "\\\\u0001"}}, "writer": ${nowhere}}]}}`,
    ],
    'JOB_INVALID',
    2,
  ],
  [
    'plain FTP',
    [
      `{"job": {"content": [{"reader": {"name": "ftpreader", "parameter": {"host": "h", "username": "u", "path": "p",`,
      `"protocol": "ftp"}}, "writer": ${nowhere}}]}}`,
    ],
    'JOB_INVALID',
    2,
  ],
  [
    'the path of a key in place of its text',
    [
      `{"job": {"content": [{"reader": {"name": "ftpreader", "parameter": {"host": "h", "username": "u", "path": "p",`,
      `"privateKey": "/home/u/key"}}, "writer": ${nowhere}}]}}`,
    ],
    'JOB_INVALID',
    2,
  ],
  [
    'lzo',
    [
      `{"job": {"content": [{"reader": {"name": "txtfilereader", "parameter": {"path": "p",`,
      `"compress": "lzo"}}, "writer": ${nowhere}}]}}`,
    ],
    'JOB_INVALID',
    2,
  ],
  [
    'a single object',
    [
      `{"job": {"content": [{"reader": ${numbers}, "writer": {"name": "osswriter", "parameter": {"bucket": "b", "object": "o", "writeMode": "append",`,
      '"writeSingleObject": true}}}]}}',
    ],
    'JOB_INVALID',
    2,
  ],
])('%s is refused with its line', async (_what, lines, code, line) => {
  await expect(check(...lines)).rejects.toMatchObject({
    code,
    exitCode: 2,
    place: expect.stringMatching(new RegExp(`^job\\.json:${line}:\\d+$`)),
  });
});
