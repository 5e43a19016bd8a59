import type { Difference } from 'dray/sdk';

/** What the readers of all storages do otherwise than DataX's. */
export const fileReaderDifferences: readonly Difference[] = [
  {
    what: '`nullFormat` left out',
    datax: 'nothing is NULL (its documentation says `\\N`)',
    here: '`\\N` is NULL',
    tell: { option: 'nullFormat', when: 'absent' },
  },
  { what: '`fieldDelimiter`', datax: 'one character', here: 'one or more; `"\\\\t"`, which is no tab, is refused' },
  {
    what: '`csvReaderConfig.trimWhitespace` left out',
    datax: 'blanks at both ends of cells are cut off',
    here: 'cells are what they are; `true` does as DataX',
    tell: { option: 'csvReaderConfig', when: 'absent' },
  },
  {
    what: 'characters in `csvReaderConfig` that are numbers (34)',
    datax: 'the first digit counts',
    here: 'are the code of the character, as its documentation has them',
  },
  { what: '`csvReaderConfig.recordDelimiter`', datax: 'any character', here: 'rows end with LF or CR LF' },
  {
    what: '`compress`',
    datax: 'gzip (of the first member only), bzip2 (of the first stream only), zip; of OSS lzo and snappy, too',
    here: 'gzip and bzip2 (whole), zip (all files in it, as in DataX) and zstd; left out: by the name of the file',
  },
  {
    what: 'cells that do not fit their type',
    datax: '`1.9` as `long` is 1; a date keeps what its form takes of it',
    here: 'make the row dirty; a date without `format` is yyyy-MM-dd or yyyyMMdd, or has a time of day behind it',
  },
  { what: '`format` of a column that is no date', datax: 'has no effect', here: 'is refused' },
  { what: 'a column of type `date` with a `format` without time of day', datax: 'has one, midnight', here: 'is a plain date' },
  {
    what: '`*` in paths',
    datax: 'crosses folders: `/d/*.csv` is also `/d/e/f.csv`',
    here: 'stays within one name; a folder that fits is read with all below it, so that `/d/*` is everything',
  },
  { what: 'tasks', datax: 'one per file', here: 'big files are cut, small ones share a task' },
];

/** What the writers of all storages do otherwise than DataX's. */
export const fileWriterDifferences: readonly Difference[] = [
  {
    what: '`fileFormat` left out',
    datax: 'text: nothing is quoted, also what then cannot be read back',
    here: 'csv: cells are quoted where they must be; `"text"` quotes nothing and refuses rows that would need it',
    tell: { option: 'fileFormat', when: 'absent' },
  },
  {
    what: '`nullFormat` left out',
    datax: 'NULL is written as `null` (its documentation says `\\N`)',
    here: 'NULL is written as `\\N`',
    tell: { option: 'nullFormat', when: 'absent' },
  },
  {
    what: '`writeMode` truncate',
    datax: 'removes every file whose name begins with `fileName`',
    here: 'removes what was written before under this `fileName`',
  },
  {
    what: 'names',
    datax: '`fileName__UUID`, visible while they are written',
    here: '`fileName__RUN_TASK.csv`, visible when the job has succeeded; `suffix` changes the end',
  },
  {
    what: 'beside the files',
    datax: 'nothing',
    here: 'a sidecar with digests each, a manifest and `_SUCCESS`; `"sidecar": false` leaves them out',
    tell: { option: 'sidecar', when: 'absent' },
  },
  { what: '`dateFormat` left out', datax: 'seconds', here: 'as many digits of a fraction as there are' },
  { what: 'bytes', datax: 'texts in `encoding`', here: '`\\x` and hex digits, or with `byteEncoding` base64' },
  { what: '`compress`', datax: 'gzip, bzip2', here: 'gzip, zstd; bzip2 is refused' },
  { what: '`fieldDelimiter` `"\\\\t"`', datax: 'a backslash and a t', here: 'is refused: a tab is `"\\t"`' },
  { what: '`lineDelimiter`', datax: 'any text', here: 'LF or CR LF' },
  { what: '`fileFormat`', datax: 'sql, orc (with OSS)', here: 'neither; parquet, jsonl and copy' },
];
