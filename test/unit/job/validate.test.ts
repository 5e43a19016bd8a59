import { parseTree } from 'jsonc-parser';
import { expect, test } from 'vitest';
import { suggestion, textOf, validate } from '../../../core/job/validate.ts';
import { choice, flag, ignored, integer, texts, z } from '../../../core/sdk/index.ts';

const schema = z.strictObject({
  name: z.string(),
  size: integer({ min: 1 }).optional(),
  print: flag().default(true),
  connection: z.array(z.strictObject({ jdbcUrl: texts(), table: texts().optional() })).optional(),
  batchSize: ignored('rows are sent in batches'),
  speed: z.union([z.strictObject({ channel: integer() }), z.number()]).optional(),
  options: z.record(z.string(), z.unknown()).optional(),
  form: choice(['csv'], () => 'CSV is all there is').optional(),
});

/** Validates a text as if it stood in a job file at the top. */
function check(text: string, isLenient = false) {
  const warnings: string[] = [];
  const root = parseTree(text)!;
  const value: unknown = JSON.parse(text);
  const result = validate(
    schema,
    value,
    { file: 'job.json', text, root },
    { at: [], isLenient, warn: (message) => warnings.push(message) },
  );
  return { result, warnings };
}

test('defaults are filled in and numbers in strings are numbers', () => {
  expect(check('{"name": "a", "size": "3", "connection": [{"jdbcUrl": "x"}]}').result).toEqual({
    name: 'a',
    size: 3,
    print: true,
    connection: [{ jdbcUrl: ['x'] }],
  });
});

test('an unknown key is refused with its place and the nearest key that is known', () => {
  expect(() => check('{\n  "name": "a",\n  "connection": [{"jdbcUrl": "x", "tabel": "t"}]\n}')).toThrow(
    expect.objectContaining({
      code: 'JOB_UNKNOWN_KEY',
      message: 'unknown key "tabel" in connection[0]; did you mean "table"?',
      place: 'job.json:3:35',
    }),
  );
});

test.each([
  ['{"name": "a", "table": "t"}', 'unknown key "table" in the job file; it belongs into "connection"'],
  ['{"name": "a", "elsewhere": 1}', 'unknown key "elsewhere" in the job file; options stand in "options"'],
  ['{"name": "a", "channel": 1}', 'unknown key "channel" in the job file; it belongs into "speed"'],
  ['{"name": "a", "connection": [{"jdbcUrl": "x", "size": 1}]}', 'unknown key "size" in connection[0]; it belongs beside "connection"'],
])('a key at the wrong level is sent to the right one: %s', (text, message) => {
  expect(() => check(text)).toThrow(expect.objectContaining({ code: 'JOB_UNKNOWN_KEY', message }));
});

test('an unknown key within a union is found too', () => {
  expect(() => check('{"name": "a", "speed": {"chanel": 1, "channel": 2}}')).toThrow(
    expect.objectContaining({ code: 'JOB_UNKNOWN_KEY', message: expect.stringContaining('did you mean "channel"') }),
  );
});

test('lenient: unknown keys are warnings, all of them, and the rest is still checked', () => {
  const { result, warnings } = check('{"name": "a", "nmae": 1, "other": 2, "connection": [{"jdbcUrl": "x", "tabel": 1}]}', true);
  expect(result).toEqual({ name: 'a', print: true, connection: [{ jdbcUrl: ['x'] }] });
  expect(warnings).toHaveLength(3);
  expect(() => check('{"nmae": 1}', true)).toThrow(expect.objectContaining({ code: 'JOB_INVALID' }));
});

test('a number or a truth value may stand for a text, in lists as well', () => {
  expect(check('{"name": 123456, "connection": [{"jdbcUrl": true, "table": ["t", 2026]}]}').result).toMatchObject({
    name: '123456',
    connection: [{ jdbcUrl: ['true'], table: ['t', '2026'] }],
  });
});

test('a key with null is one that is left out', () => {
  expect(check('{"name": "a", "size": null, "print": null, "connection": [{"jdbcUrl": "x", "table": null}]}').result).toEqual({
    name: 'a',
    print: true,
    connection: [{ jdbcUrl: ['x'] }],
  });
  expect(() => check('{\n"name": null}')).toThrow(
    expect.objectContaining({ message: 'name: expected string, and it is missing', place: 'job.json:2:1' }),
  );
});

test.each([
  ['{"name": []}', 'name: expected string, received array', 'job.json:1:2'],
  ['{}', 'name: expected string, and it is missing', 'job.json:1:1'],
  ['{"name": "a", "size": 0}', 'size: expected a number of at least 1', 'job.json:1:15'],
  ['{"name": "a", "size": "x"}', 'size: expected a whole number, at least 1', 'job.json:1:15'],
  ['{"name": "a", "form": "orc"}', 'form: CSV is all there is', 'job.json:1:15'],
  ['{"name": "a", "print": "yes"}', 'print: expected true or false', 'job.json:1:15'],
  ['{"name": "a", "connection": {}}', 'connection: expected a list, received object', 'job.json:1:15'],
  ['{"name": "a", "connection": [1]}', 'connection[0]: expected {…}, received number', 'job.json:1:30'],
  ['{"name": "a", "connection": [{"jdbcUrl": {}}]}', 'connection[0].jdbcUrl: expected a text or a list of texts', 'job.json:1:31'],
])('%s is refused: %s', (text, message, place) => {
  expect(() => check(text)).toThrow(expect.objectContaining({ code: 'JOB_INVALID', message, place }));
});

test('a key without effect is accepted, and the warning gives the reason', () => {
  expect(check('{"name": "a", "batchSize": 100}').warnings).toEqual(['batchSize has no effect: rows are sent in batches']);
});

test('a suggestion is made only for what is near', () => {
  expect(suggestion('chanel', ['channel', 'byte'])).toBe('; did you mean "channel"?');
  expect(suggestion('CHANNEL', ['channel', 'byte'])).toBe('; did you mean "channel"?');
  expect(suggestion('xyz', ['channel', 'byte'])).toBe('');
  expect(suggestion('xyz', [])).toBe('');
});

test('a path reads like JavaScript', () => {
  expect(textOf(['job', 'content', 0, 'reader'])).toBe('job.content[0].reader');
});
