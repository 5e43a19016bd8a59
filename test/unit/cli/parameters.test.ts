import { expect, test } from 'vitest';
import { parameter } from '../../../core/cli/parameters.ts';

test.each([
  ['a=b', { a: 'b' }],
  ['where=id=3', { where: 'id=3' }],
  ['a=', { a: '' }],
  ['-Dx=y', { x: 'y' }],
  ['-Dx=y -Dz=w', { x: 'y', z: 'w' }],
  ['  -Dx=y   -Dz=a=b ', { x: 'y', z: 'a=b' }],
  ['-Dday=\'2026-11-21 10:00:00\' -Dname="two words"', { day: '2026-11-21 10:00:00', name: 'two words' }],
  ['-Dpath=C:\\\\data -Dq=\\"x\\"', { path: 'C:\\data', q: '"x"' }],
  ['-Dempty=', { empty: '' }],
])('-p %j is %j', (text, expected) => {
  expect(parameter(text, {})).toEqual(expected);
});

test('a later -p goes before an earlier one, and leaves others as they are', () => {
  expect(parameter('-Da=2 -Dc=3', { a: '1', b: '1' })).toEqual({ a: '2', b: '1', c: '3' });
});

test.each(['novalue', '=x', '-Dx', '-Dx=1 y=2', "-Dx='open"])('-p %s is refused', (text) => {
  expect(() => parameter(text, {})).toThrow();
});
