import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SecretMask, secretsIn } from '../../../core/job/secret-mask.ts';
import { secret, texts, z } from '../../../core/sdk/index.ts';

function masked(text: string, ...secrets: string[]): string {
  const mask = new SecretMask();
  mask.add(...secrets);
  return mask.apply(text);
}

test('a secret is masked wherever it stands, as it is, in a URL and in JSON', () => {
  const secret = 'p"ss w/rd';
  const text = `as ${secret}, url ${encodeURIComponent(secret)}, json ${JSON.stringify({ a: secret })}`;
  expect(masked(text, secret)).toBe('as ***, url ***, json {"a":"***"}');
});

test('any text with any secrets in it has none of them afterwards', () => {
  const anySecret = fc.string({ minLength: 4, maxLength: 8, unit: fc.constantFrom('a', 'b', '"', '/') });
  fc.assert(
    fc.property(
      fc.array(anySecret, { minLength: 1, maxLength: 3 }),
      fc.array(fc.string({ unit: fc.constantFrom('x', ' ') })),
      (secrets, gaps) => {
        const text = secrets.map((one, index) => `${gaps[index] ?? ''}${one}`).join(' ');
        for (const one of secrets) expect(masked(text, ...secrets)).not.toContain(one);
      },
    ),
  );
});

test('a secret that contains another one leaves nothing of itself over', () => {
  expect(masked('password12345', 'password', 'password12345')).toBe('***');
});

test('a password in a URL is masked without being known', () => {
  expect(masked('jdbc:mysql://root:geheim@db:3306/shop')).toBe('jdbc:mysql://root:***@db:3306/shop');
  expect(masked('mysql://root:ge@heim@db/shop')).not.toContain('heim');
  expect(masked('jdbc:postgresql://db/shop?user=me&password=geheim&ssl=true')).toBe(
    'jdbc:postgresql://db/shop?user=me&password=***&ssl=true',
  );
});

test('a secret of a few letters is not masked, for it would mask half of every sentence', () => {
  expect(masked('a table', 'a')).toBe('a table');
});

test('secrets are found at the places that the options mark, however deep', () => {
  const options = z.strictObject({
    password: secret().optional(),
    connection: z.array(z.strictObject({ key: secret(), url: texts() })),
    either: z.union([z.boolean(), z.strictObject({ token: secret() })]).optional(),
  });
  const schema = z.toJSONSchema(options, { io: 'input', unrepresentable: 'any' }) as object;
  const value = {
    password: 'one',
    connection: [
      { key: 'two', url: 'no' },
      { key: 'three', url: ['no'] },
    ],
    either: { token: 'four' },
  };
  expect(secretsIn(value, schema)).toEqual(['one', 'two', 'three', 'four']);
  expect(secretsIn({ password: 5, connection: 'wrong' }, schema)).toEqual(['5']);
  expect(secretsIn(null, schema)).toEqual([]);
});
