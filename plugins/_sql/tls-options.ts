import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import { DrayError, type tls, type z } from 'dray/sdk';

type TlsOption = z.output<ReturnType<typeof tls>>;

/** The name, or address, that a server's certificate must be for. */
export function certifiedName(option: TlsOption, host: string): string {
  return typeof option === 'object' && option.servername !== undefined ? option.servername : host;
}

/** Options for node:tls, or false for a plain connection. Verification is on unless the job file says `"verify": false`. */
export function tlsOptions(option: TlsOption, host: string): ConnectionOptions | false {
  if (option === false) return false;
  const { ca, cert, key, verify } = option === true ? { ca: undefined, cert: undefined, key: undefined, verify: true } : option;
  const name = certifiedName(option, host);
  return {
    rejectUnauthorized: verify,
    // The driver may set a servername of its own. node:tls takes no IP address as one.
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(ca === undefined ? {} : { ca: pem(ca) }),
    ...(cert === undefined ? {} : { cert: pem(cert) }),
    ...(key === undefined ? {} : { key: pem(key) }),
  };
}

function pem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new DrayError('TLS_FAILED', `the file ${path} named in "tls" cannot be read: ${(cause as Error).message}`, { cause });
  }
}

const certificateProblem = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|ERR_TLS|EPROTO|ERR_SSL/;

/** True for an error of node:tls about certificates, names or the handshake. */
export function isTlsError(code: string): boolean {
  return certificateProblem.test(code);
}
