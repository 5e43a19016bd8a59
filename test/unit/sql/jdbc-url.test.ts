import { expect, test } from 'vitest';
import { parseJdbcUrl } from '../../../plugins/_sql/jdbc-url.ts';

const read = (text: string) => parseJdbcUrl(text, ['mysql', 'mariadb'], 3306);

test('an address is read with its parameters, whatever their case', () => {
  expect(read(' jdbc:mysql://u%40:p%2F@[::1]/shop?useSSL=false&serverTimezone=GMT%2B8 ')).toEqual({
    host: '::1',
    port: 3306,
    database: 'shop',
    user: 'u@',
    password: 'p/',
    parameters: { usessl: 'false', servertimezone: 'GMT+8' },
  });
});

test.each([
  ['jdbc:mysql://host:port/db', 'cannot be read', 'Write it as jdbc:mysql://host:3306/database.'],
  ['jdbc:oracle:thin:@h:1:d', 'cannot be read', 'Write it as jdbc:mysql://host:3306/database.'],
  [
    '$source',
    'cannot be read',
    'Give the variable source a value with -p source=…; the whole is written as jdbc:mysql://host:3306/database.',
  ],
  [
    'jdbc:mysql://${host}:${port}/db',
    'cannot be read',
    'Give the variable host a value with -p host=…; the whole is written as jdbc:mysql://host:3306/database.',
  ],
  ['jdbc:mysql://h', 'names no database', 'Write it as jdbc:mysql://host:3306/database.'],
])('%s is refused with what to do', (text, message, remedy) => {
  expect(() => read(text)).toThrow(expect.objectContaining({ code: 'JOB_INVALID', message: expect.stringContaining(message), remedy }));
});

test('what is wrong with an address is said without its password', () => {
  expect(() => read('jdbc:mysql://u:secret@h:x/db?password=secret')).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('secret') }),
  );
});
