import { hostname, networkInterfaces } from 'node:os';

/** Whether a host, as a job file names it, is the machine we run on: a server there works on our own cores. Names are not looked up. */
export function isThisMachine(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  if (name === 'localhost' || name === hostname().toLowerCase() || name.startsWith('127.') || name === '::1') return true;
  return Object.values(networkInterfaces()).some((addresses = []) => addresses.some(({ address }) => address === name));
}
