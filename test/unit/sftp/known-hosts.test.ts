import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { judge, keysOf, keyType, parseKnownHosts } from '../../../plugins/sftp/known-hosts.ts';

/** A key of a type, made up. */
function key(type: string, content: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  return Buffer.concat([length, Buffer.from(`${type}${content}`)]);
}

const right = key('ssh-ed25519', 'right');
const wrong = key('ssh-ed25519', 'wrong');
const rsa = key('ssh-rsa', 'rsa');
const line = (hosts: string, of: Buffer) => `${hosts} ${keyType(of)} ${of.toString('base64')}`;
const verdict = (text: string, host: string, port = 22, shown = right) => judge(parseKnownHosts(text, 'file'), host, port, shown);

function hashed(name: string): string {
  const salt = Buffer.from('12345678901234567890');
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
}

test.each([
  ['db.example.com', 'db.example.com', 22],
  ['DB.example.com', 'db.EXAMPLE.com', 22],
  ['db,db.example.com,10.0.0.1', '10.0.0.1', 22],
  ['*.example.com', 'db.example.com', 22],
  ['db?.example.com', 'db1.example.com', 22],
  ['[db]:2222', 'db', 2222],
  ['[db*]:2222', 'db7', 2222],
  ['[::1]:2222', '::1', 2222],
  ['::1', '::1', 22],
  // As OpenSSH does: "checking without port identifier".
  ['db', 'db', 2222],
  [hashed('db'), 'db', 22],
  [hashed('[db]:2222'), 'db', 2222],
])('the line of %s makes the key of %s known at port %i', (hosts, host, port) => {
  expect(verdict(`# a comment\n\n${line(hosts, right)} me@there\r\n`, host, port)).toEqual({ kind: 'known' });
});

test.each([
  ['other', 'db', 22],
  ['db.example.com.evil', 'db.example.com', 22],
  ['db.example.com', 'dbxexample.com', 22],
  ['*.example.com,!db.example.com', 'db.example.com', 22],
  ['!db,*', 'db', 22],
  ['[db]:2222', 'db', 22],
  ['[db]:2222', 'db', 2223],
  [hashed('db'), 'db2', 22],
  ['|2|AAAA|AAAA', 'db', 22],
  ['|1|AAAA|', 'db', 22],
  ['@cert-authority db', 'db', 22],
  ['@unheard-of db', 'db', 22],
  ['#db', 'db', 22],
])('the line of %s says nothing about %s at port %i', (hosts, host, port) => {
  expect(verdict(line(hosts, right), host, port)).toEqual({ kind: 'unknown' });
});

test('lines without a key are passed over', () => {
  expect(parseKnownHosts('db\ndb ssh-ed25519\n@revoked db ssh-ed25519\n\n', 'file')).toEqual([]);
});

test('another key than that of the line is a changed one, with the line; the one of its own type if there are several', () => {
  expect(verdict(line('db', wrong), 'db')).toMatchObject({ kind: 'changed', line: { file: 'file', line: 1 } });
  expect(verdict(`${line('db', rsa)}\n${line('db', wrong)}`, 'db')).toMatchObject({ kind: 'changed', line: { line: 2 } });
  expect(verdict(line('db', rsa), 'db')).toMatchObject({ kind: 'changed', line: { type: 'ssh-rsa' } });
});

test('one of several keys of a host is enough', () => {
  expect(verdict(`${line('db', wrong)}\n${line('db', right)}`, 'db')).toEqual({ kind: 'known' });
});

test('a key for another port is no reason to trust, and none to warn', () => {
  expect(verdict(line('db', wrong), 'db', 2222)).toEqual({ kind: 'unknown' });
  expect(verdict(`${line('[db]:2222', wrong)}\n${line('db', right)}`, 'db', 2222)).toMatchObject({ kind: 'changed' });
});

test('a revoked key is refused, whichever line makes it known', () => {
  const revoked = `@revoked * ${keyType(right)} ${right.toString('base64')}`;
  expect(verdict(`${line('db', right)}\n${revoked}`, 'db')).toMatchObject({ kind: 'revoked', line: { line: 2 } });
  expect(verdict(`${revoked}\n${line('db', right)}`, 'db', 2222)).toMatchObject({ kind: 'revoked' });
  expect(verdict(revoked, 'db', 22, rsa)).toEqual({ kind: 'unknown' });
});

test('the lines of a host are those that name it with its port', () => {
  const known = parseKnownHosts(`${line('db', right)}\n${line('[db]:2222', rsa)}\n${line('x', wrong)}`, 'file');
  expect(keysOf(known, 'db', 22).map(({ type }) => type)).toEqual(['ssh-ed25519']);
  expect(keysOf(known, 'db', 2222).map(({ type }) => type)).toEqual(['ssh-rsa']);
});

test('the type of a key stands at its start; what is too short has none', () => {
  expect(keyType(rsa)).toBe('ssh-rsa');
  expect(keyType(Buffer.from([1]))).toBe('');
});
