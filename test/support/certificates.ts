import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { giveTo, type ServerOwner } from './private-server.ts';

/** Keys and certificates in a folder of their own, made with openssl. */
export interface Certificates {
  /** The authority that signs. */
  readonly ca: string;
  /** A key and a certificate for these names (`DNS:localhost`, `IP:127.0.0.1`), readable only by the owner. */
  issue(name: string, alternatives: readonly string[], owner: ServerOwner): { readonly key: string; readonly cert: string };
  remove(): void;
}

export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'dray-certificates-'));
  chmodSync(folder, 0o755);
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  const newKey = ['-newkey', 'rsa:2048', '-nodes'];
  openssl('req', '-x509', ...newKey, '-keyout', file('ca.key'), '-out', file('ca.pem'), '-days', '2', '-subj', '/CN=test authority');
  return {
    ca: file('ca.pem'),
    issue(name, alternatives, owner) {
      const [key, request, cert, extensions] = [file(`${name}.key`), file(`${name}.csr`), file(`${name}.pem`), file(`${name}.ext`)];
      openssl('req', ...newKey, '-keyout', key, '-out', request, '-subj', `/CN=${name}`);
      writeFileSync(extensions, `subjectAltName=${alternatives.join(',')}\n`);
      const signer = ['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial'];
      openssl('x509', '-req', '-in', request, ...signer, '-out', cert, '-days', '2', '-extfile', extensions);
      chmodSync(key, 0o600);
      giveTo(owner, key);
      return { key, cert };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
