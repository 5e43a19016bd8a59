import { expect, test } from 'vitest';
import { elementsOf } from '../../../core/task/array-text.ts';

test.each<[string, string[]]>([
  ['{1,NULL,-2}', ['1', '-2']],
  ['{}', []],
  ['[0:1]={1,2}', ['1', '2']],
  ['[-2:-1][1:2]={{1,2},{3,4}}', ['1', '2', '3', '4']],
  [String.raw`{"a\"b","c,d","NULL","",x(y,"back\\slash"," z "}`, ['a"b', 'c,d', 'NULL', '', 'x(y', 'back\\slash', ' z ']],
  ['{"[1,2)","(3,)"}', ['[1,2)', '(3,)']],
  ['[1,5)', ['1', '5']],
  ['(,)', []],
  ['empty', []],
  ['["2020-01-01 00:00:00",infinity]', ['2020-01-01 00:00:00', 'infinity']],
  ['{[1,3),[5,7)}', ['1', '3', '5', '7']],
])('the elements of %s are found', (text, elements) => {
  expect(elementsOf(text)).toEqual(elements);
});
