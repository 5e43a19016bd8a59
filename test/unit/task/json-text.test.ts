import { expect, test } from 'vitest';
import { hasRepeatedKey } from '../../../core/task/json-text.ts';

test.each([
  ['{"a":1,"b":2}', false],
  ['{"a":1,"a":2}', true],
  ['{"a":{"a":1},"b":{"a":1}}', false],
  ['[{"a":1},{"a":1}]', false],
  ['[{"b":[{"c":1,"c" : 2}]}]', true],
  [String.raw`{"a":"\"a\":1","b\"":"}{"}`, false],
  [String.raw`{"a":1,"\u0061":2}`, true],
  ['"a"', false],
  ['{"a":1', false],
])('%s holds a key twice in one object: %s', (json, isRepeated) => {
  expect(hasRepeatedKey(json)).toBe(isRepeated);
});
