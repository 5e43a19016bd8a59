import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { DrayError, type tls, type z } from 'dray/sdk';

type TlsOption = z.output<ReturnType<typeof tls>>;

/** Options for node:tls, or false for a plain connection. Verification is on unless the job file says `"verify": false`. */
export function tlsOptions(option: TlsOption, host: string): ConnectionOptions | false {
  if (option === false) return false;
  const { ca, cert, key, servername, verify } =
    option === true ? { ca: undefined, cert: undefined, key: undefined, servername: undefined, verify: true } : option;
  return {
    rejectUnauthorized: verify,
    // node:tls refuses an IP address here; the certificate is then checked against the address itself.
    ...(servername !== undefined ? { servername } : /^[\d.]+$|:/.test(host) ? {} : { servername: host }),
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
