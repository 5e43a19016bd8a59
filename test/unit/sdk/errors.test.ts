import { expect, test } from 'vitest';
import { asDrayError, DrayError, type ErrorCode, errorKinds } from '../../../core/sdk/index.ts';

const codes = Object.keys(errorKinds) as ErrorCode[];

test('an error of any code survives structured clone and JSON as its wire form', () => {
  for (const code of codes) {
    const error = new DrayError(code, 'it failed', { side: 'target', place: 'orders', remedy: 'Do this.' });
    for (const wire of [structuredClone(error.toWire()), JSON.parse(JSON.stringify(error.toWire()))]) {
      const back = DrayError.fromWire(wire as ReturnType<DrayError['toWire']>);
      expect(back.toWire()).toEqual(error.toWire());
      expect(back.exitCode).toBe(error.exitCode);
      expect(back.isRetryable).toBe(error.isRetryable);
    }
  }
});

test('the wire form has no keys for what is not known', () => {
  const { stack: _, ...wire } = new DrayError('USAGE', 'wrong').toWire();
  expect(wire).toEqual({ code: 'USAGE', message: 'wrong', remedy: errorKinds.USAGE.remedy });
});

test('every code says what to do, in a sentence', () => {
  for (const code of codes) expect(errorKinds[code].remedy).toMatch(/^[A-Z].+[.\]"}]$/);
});

test('one and the same code exits with 3 at the source and with 4 at the target', () => {
  expect(new DrayError('CONNECT_FAILED', 'x', { side: 'source' }).exitCode).toBe(3);
  expect(new DrayError('CONNECT_FAILED', 'x', { side: 'target' }).exitCode).toBe(4);
  expect(new DrayError('JOB_SYNTAX', 'x', { side: 'target' }).exitCode).toBe(2);
});

test('what the thrower knew wins over what the caller adds', () => {
  const error = new DrayError('SQL_FAILED', 'x', { side: 'source', row: 3, column: 'a', cause: 'deep' });
  const placed = error.at({ side: 'target', place: 'orders' });
  expect(placed).toMatchObject({ side: 'source', place: 'orders', row: 3, column: 'a', cause: 'deep' });
  expect(placed.stack).toBe(error.stack);
});

test('what nobody classified is INTERNAL, with its own stack', () => {
  const thrown = new TypeError('no such thing');
  expect(asDrayError(thrown, { side: 'source' })).toMatchObject({
    code: 'INTERNAL',
    message: 'no such thing',
    stack: thrown.stack,
    exitCode: 1,
  });
  expect(asDrayError('a text')).toMatchObject({ code: 'INTERNAL', message: 'a text' });
  expect(asDrayError(new Error(''))).toMatchObject({ message: 'an error without a message' });
});

test('an error of a second copy of the SDK keeps its code', () => {
  class OtherDrayError extends Error {
    override readonly name = 'DrayError';
    readonly code = 'TABLE_MISSING';
    toWire = () => ({ code: this.code, message: this.message, remedy: 'Look.' });
  }
  expect(asDrayError(new OtherDrayError('gone'), { side: 'target' })).toMatchObject({
    code: 'TABLE_MISSING',
    remedy: 'Look.',
    exitCode: 4,
  });
});
