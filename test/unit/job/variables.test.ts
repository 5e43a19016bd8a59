import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { placeOf, substituteVariables, type VariableSources } from '../../../core/job/variables.ts';
import { tempFolder } from '../../support/temp-folder.ts';

function substitute(text: string, sources: Partial<VariableSources> = {}) {
  return substituteVariables(text, { parameters: {}, environment: {}, jobFile: 'jobs/a.json', ...sources });
}

test('a variable comes from -p before it comes from the environment', () => {
  expect(substitute('${a} ${b}', { parameters: { a: '1' }, environment: { a: '9', b: '2' } }).text).toBe('1 2');
});

test('any value stays one and the same text within a JSON string', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('"', '\\', '\n', '$', '{', '}', 'a') }),
      (plain, tricky) => {
        const { text } = substitute('{"x": "${plain}-${env:TRICKY}"}', { parameters: { plain }, environment: { TRICKY: tricky } });
        expect(JSON.parse(text)).toEqual({ x: `${plain}-${tricky}` });
      },
    ),
  );
});

test('outside of a string the value stands as it is: a number, a list', () => {
  expect(JSON.parse(substitute('{"n": ${n}, "l": ${l}}', { parameters: { n: '3', l: '["a"]' } }).text)).toEqual({ n: 3, l: ['a'] });
});

test('a value is not searched for variables of its own', () => {
  expect(substitute('"${a}"', { parameters: { a: '${b}', b: 'no' } }).text).toBe('"${b}"');
});

test('comments are left alone, and what looks like one in a string is none', () => {
  const text = '// ${nothing}\n/* ${nothing} */ {"url": "http://${host}/*", "b": "\\"//${host}"} // ${nothing}';
  expect(substitute(text, { parameters: { host: 'h' } }).text).toBe(text.replaceAll('${host}', 'h'));
});

test('what has another form than a variable stays: ${}, $${, {env:X}', () => {
  const text = '"$ ${} $${ {env:X} ${a-b}"';
  expect(substitute(text).text).toBe(text);
});

test('$name is a variable only where -p gives it a value: passwords and other languages have dollars, too', () => {
  const text = '{"password": "pa$word", "cypher": "unwind $batch as row create (n{id:$id})", "day": "$day-$days"}';
  const environment = { word: 'no', batch: 'no', id: 'no', day: 'no' };
  expect(substitute(text, { environment }).text).toBe(text);
  expect(substitute(text, { environment, parameters: { day: '5' } }).text).toBe(text.replace('$day-', '5-'));
});

test('names begin with digits, too, as in DataX', () => {
  expect(substitute('"${1}-$2"', { parameters: { '1': 'a', '2': 'b' } }).text).toBe('"a-b"');
});

test('a name without a value stays as it is, and a warning tells it with its line and column', () => {
  const warnings: string[] = [];
  const text = '{\n  "a": "${day}"\n}';
  expect(substitute(text, { warn: (message) => warnings.push(message) }).text).toBe(text);
  expect(warnings).toEqual(['the variable ${day} has no value and stays as it is; -p day=… gives it one (jobs/a.json:2:9)']);
});

test('an inherited property is not a parameter', () => {
  expect(substitute('"${constructor}"').text).toBe('"${constructor}"');
});

test('outside of a text a variable without value is refused, for nothing could stay there', () => {
  expect(() => substitute('{\n  "a": ${day}\n}')).toThrow(
    expect.objectContaining({ code: 'JOB_VARIABLE', place: 'jobs/a.json:2:8', message: 'the variable ${day} has no value' }),
  );
});

test('a missing environment variable is named with the command that sets it', () => {
  expect(() => substitute('"${env:PGPASSWORD}"')).toThrow(
    expect.objectContaining({ code: 'JOB_VARIABLE', remedy: 'Run: export PGPASSWORD=…' }),
  );
});

test('values of ${env:…} and ${file:…} are secrets, those of -p are not', () => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'secret.txt'), 'from file\n');
  const { text, secrets } = substitute('"${env:A} ${file:secret.txt} ${b}"', {
    environment: { A: 'from env' },
    parameters: { b: 'plain' },
    jobFile: join(folder, 'job.json'),
  });
  expect(text).toBe('"from env from file plain"');
  expect(secrets).toEqual(['from env', 'from file']);
});

test('a secret file that is not there is named with its full path', () => {
  expect(() => substitute('"${file:none.txt}"', { jobFile: '/jobs/a.json' })).toThrow(
    expect.objectContaining({ code: 'JOB_VARIABLE', message: expect.stringContaining('/jobs/none.txt') }),
  );
});

test('places are counted from 1, as editors do', () => {
  expect(placeOf('f', 'ab\ncd', 0)).toBe('f:1:1');
  expect(placeOf('f', 'ab\ncd', 4)).toBe('f:2:2');
});
