import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJobText, plainValueOf } from '../../../core/job/job-text.ts';
import { substituteVariables } from '../../../core/job/variables.ts';

function parsed(text: string) {
  const job = parseJobText('night.json', text);
  return plainValueOf(job.root, job.text);
}

test.each([
  ['a query of several lines', '{"a": "select 1,\n\t2\r\nfrom t"}', { a: 'select 1,\n\t2\r\nfrom t' }],
  ['a tab as it is', '{"a": "\t"}', { a: '\t' }],
  ['single quotes', "{'a': 'it\\'s \"b\" \\\\ \\u0041\\n', \"c\": \"d\\'e'\"}", { a: 'it\'s "b" \\ A\n', c: "d'e'" }],
  ['a comment between texts', "{// it's\n'a': 'http://b', /* \" */ \"c\": 1,}", { a: 'http://b', c: 1 }],
  ['blanks that nobody sees', '{\u00A0\u3000"a":\u200B"\u00A0"}', { a: '\u00A0' }],
])('%s is taken as DataX takes it', (_what, text, value) => {
  expect(parsed(text)).toEqual(value);
});

test('any text keeps its value, with line ends and tabs escaped or not', () => {
  const bare = (text: string) => JSON.stringify(text).replaceAll('\\n', '\n').replaceAll('\\t', '\t').replaceAll('\\r', '\r');
  const texts = fc.string({ unit: fc.constantFrom('a', '\n', '\t', '\r', '"', "'", '/', '*', '{', ' ', '€', '😀') });
  fc.assert(
    fc.property(texts, texts, (one, other) => {
      expect(parsed(`{"a": [${bare(one)}, ${bare(other)}]}`)).toEqual({ a: [one, other] });
    }),
  );
});

test('places count the lines of a text that goes over several', () => {
  expect(() => parseJobText('night.json', '{"a": "x\ny",\n"b": 1\n"c": 2}')).toThrow(
    expect.objectContaining({ message: 'the job file is not JSON: a comma is missing before this', place: 'night.json:4:1' }),
  );
});

test('a value within single quotes cannot end its text', () => {
  const { text } = substituteVariables("{'a': '${x} // $x'}", {
    parameters: { x: 'it\'s "so"' },
    environment: {},
    jobFile: 'night.json',
  });
  expect(parsed(text)).toEqual({ a: 'it\'s "so" // it\'s "so"' });
});

test.each([
  ['{\n  “a”: 1}', 'write " in place of “', '2:3'],
  ['{"a": 1，\n"b": 2}', 'write , in place of ，', '1:8'],
  ['{"a": true，"b": 2}', 'write , in place of ，', '1:11'],
  ['{"a"： 1}', 'write : in place of ：', '1:5'],
  ['#night\n{}', '# begins no comment; write //', '1:1'],
  ['{"a": True}', 'write true in place of True', '1:7'],
  ['{"a": None}', 'write null in place of None', '1:7'],
  ['{"a": {...}}', '... stands for something that was left out', '1:8'],
  ['{a: 1}', 'a is no value; texts and names of keys stand in quotation marks', '1:2'],
  ['{"a": "x,\n"b": "y"}', 'this text has no quotation mark at its end', '1:7'],
  ['{"a": "x', 'this text has no quotation mark at its end', '1:7'],
  ['{"a": "C:\\\\x\\data"}', '\\d means nothing in a text; write \\\\d', '1:13'],
  ['{"a": "\\u00g0"}', '\\u needs four hexadecimal digits', '1:8'],
  ['{"a": 1}}', 'the job has ended before this; there is a bracket too many', '1:9'],
  ['{"a": [1}', 'a ] is missing before this', '1:9'],
  ['{"a": [1', 'a ] is missing, which ends a list', '1:9'],
  ['{"a": }', 'a value is missing', '1:7'],
  ['  \n', 'it is empty', '1:1'],
])('%j is refused: %s', (text, what, place) => {
  expect(() => parseJobText('night.json', text)).toThrow(
    expect.objectContaining({ code: 'JOB_SYNTAX', message: `the job file is not JSON: ${what}`, place: `night.json:${place}` }),
  );
});
