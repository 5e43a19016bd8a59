import { createHmac } from 'node:crypto';

/*
 * The file format is in sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"; what a client makes of it follows check_host_key in OpenSSH's sshconnect.c.
 */

/** A line that names a key for hosts. Lines of certificate authorities are left out: host certificates are not supported. */
export interface KnownKey {
  readonly file: string;
  readonly line: number;
  readonly hosts: string;
  readonly isRevoked: boolean;
  /** `ssh-ed25519` */
  readonly type: string;
  readonly key: Buffer;
}

export type Verdict =
  | { readonly kind: 'known' | 'unknown' }
  /** The host has, on this line, another key of this type, or this key is revoked there. */
  | { readonly kind: 'changed' | 'revoked'; readonly line: KnownKey };

export function parseKnownHosts(text: string, file: string): KnownKey[] {
  return text.split(/\r?\n/).flatMap((content, index): KnownKey[] => {
    const fields = content.trim().split(/[ \t]+/);
    const marker = fields[0]?.startsWith('@') === true ? fields.shift() : undefined;
    const [hosts = '', type, key] = fields;
    if (hosts === '' || hosts.startsWith('#') || type === undefined || key === undefined) return [];
    if (marker !== undefined && marker !== '@revoked') return [];
    return [{ file, line: index + 1, hosts, isRevoked: marker === '@revoked', type, key: Buffer.from(key, 'base64') }];
  });
}

/** The lines that are about a host; on another port than 22 it is `[host]:port`. */
export function keysOf(known: readonly KnownKey[], host: string, port: number): KnownKey[] {
  const plain = host.toLowerCase();
  const name = port === 22 ? plain : `[${plain}]:${port}`;
  return known.filter(({ hosts }) => isAbout(hosts, name));
}

/** What the file says about the key that a host shows. On another port than 22, a line for the host without a port also makes its key known. */
export function judge(known: readonly KnownKey[], host: string, port: number, key: Buffer): Verdict {
  const verdict = judgeLines(keysOf(known, host, port), key);
  if (verdict.kind !== 'unknown' || port === 22) return verdict;
  const withoutPort = judgeLines(keysOf(known, host, 22), key);
  return withoutPort.kind === 'changed' ? verdict : withoutPort;
}

function judgeLines(lines: readonly KnownKey[], key: Buffer): Verdict {
  const revoked = lines.find((line) => line.isRevoked && line.key.equals(key));
  if (revoked !== undefined) return { kind: 'revoked', line: revoked };
  const keys = lines.filter(({ isRevoked }) => !isRevoked);
  if (keys.some((line) => line.key.equals(key))) return { kind: 'known' };
  const other = keys.find(({ type }) => type === keyType(key)) ?? keys[0];
  return other === undefined ? { kind: 'unknown' } : { kind: 'changed', line: other };
}

/** RFC 4253, section 6.6: a key starts with the name of its type, after its length. */
export function keyType(key: Buffer): string {
  return key.length < 4 ? '' : key.toString('latin1', 4, 4 + key.readUInt32BE(0));
}

function isAbout(hosts: string, name: string): boolean {
  if (hosts.startsWith('|')) return isHashOf(hosts, name);
  let isNamed = false;
  for (const pattern of hosts.toLowerCase().split(',')) {
    const isExcluded = pattern.startsWith('!');
    if (!hostExpression(isExcluded ? pattern.slice(1) : pattern).test(name)) continue;
    if (isExcluded) return false;
    isNamed = true;
  }
  return isNamed;
}

/** `|1|salt|hash`: HMAC-SHA1 of the name, both in base64. */
function isHashOf(hosts: string, name: string): boolean {
  const [, version, salt = '', hash = ''] = hosts.split('|');
  if (version !== '1' || hash === '') return false;
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest().equals(Buffer.from(hash, 'base64'));
}

function hostExpression(pattern: string): RegExp {
  const expression = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${expression}$`, 's');
}
