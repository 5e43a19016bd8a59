import type { Difference } from 'dray/sdk';

/** What the readers of all SQL databases do otherwise than DataX's. */
export const sqlReaderDifferences: readonly Difference[] = [
  {
    what: '`splitPk`',
    datax: 'one column of whole numbers or ASCII texts; ranges of equal width, which overlap under many collations',
    here: 'any type that sorts, or several columns; ranges of about equal numbers of rows, none read twice. Left out: the best key of the table is taken',
  },
  {
    what: '`querySql`',
    datax: 'is never cut, and `splitPk` beside it is dropped',
    here: 'is cut if `splitPk` names a column of its result',
  },
  { what: '`username`, `password`', datax: 'must not be blank', here: 'may be blank, or stand in the jdbcUrl' },
  {
    what: '`jdbcUrl`, a list',
    datax: 'the first that lets us in is used, after up to seven tries each',
    here: 'the first that answers is used; a wrong password or database is told at once',
  },
  { what: 'tasks', datax: 'each reads what it finds', here: 'all read one point in time, where the server allows it' },
];

/** What the writers of all SQL databases do otherwise than DataX's. */
export const sqlWriterDifferences: readonly Difference[] = [
  {
    what: '`emptyAsNull` left out',
    datax: 'an empty text becomes NULL in columns of numbers',
    here: 'it makes the row dirty; `"emptyAsNull": true` does as DataX',
    tell: { option: 'emptyAsNull', when: 'absent' },
  },
  {
    what: 'a row that the server refuses',
    datax: 'its whole batch is inserted again row by row',
    here: 'is found by halving the batch; all others are loaded in bulk',
  },
  {
    what: 'values that the server would round or cut',
    datax: 'are rounded or cut',
    here: 'make the row dirty, with the reason',
  },
  {
    what: 'several target tables',
    datax: 'as many as the reader has tasks, matched by number',
    here: 'the same, where tasks of DataX can be told beforehand: the reader names as many tables, and none is cut by `splitPk`; each pair is a content of its own, one after the other, which may be cut. All else is refused',
  },
  { what: '`writeMode` insert ignore', datax: 'is passed on to MySQL, which leaves rows out', here: 'is refused' },
  {
    what: '`session`',
    datax: 'counts as it is',
    here: 'runs first; zone, forms of dates and strictness are then set as exact transfer needs them',
    tell: { option: 'session', when: 'present' },
  },
];
