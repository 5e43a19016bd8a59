import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { giveTo, openPrivateServer, type PrivateServer, type ServerOwner, serverOwner } from './private-server.ts';

interface Login {
  /** `account:user`. */
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/**
 * One replica on one disk. With swift-ring-builder this would be nine starts of Python, a second each. The interpreter is Debian's,
 * where its packages are.
 */
const makeRings = `import os, sys
from swift.common.ring.builder import RingBuilder
for name, port in (ring.split(':') for ring in sys.argv[2:]):
    builder = RingBuilder(1, 1, 1)
    address = {'ip': '127.0.0.1', 'port': int(port), 'replication_ip': '127.0.0.1', 'replication_port': int(port)}
    builder.add_dev({'region': 1, 'zone': 1, 'device': 'd1', 'weight': 1.0, 'meta': '', **address})
    builder.rebalance()
    builder.get_ring().save(os.path.join(sys.argv[1], name + '.ring.gz'))
`;

const stores = ['object', 'container', 'account'] as const;

/**
 * Begins a Swift of one disk (a folder) with its S3 door on `port`: three stores, a cache and the proxy before them, each with a guard of
 * its own. https://docs.openstack.org/swift/latest/config/
 */
export async function beginSwift(port: number, login: Login): Promise<PrivateServer> {
  const owner = serverOwner('swift');
  const proxy = openPrivateServer('dray-swift-proxy-', owner, 'KILL');
  const { folder } = proxy;
  const common: Common = { folder, user: owner.uid === undefined ? userInfo().username : userName(owner) };
  const file = (name: string, text: string) => ownFile(owner, join(folder, name), text);
  for (const name of ['disks', join('disks', 'd1')]) ownFolder(owner, join(folder, name));
  const secret = () => randomBytes(8).toString('hex');
  file('swift.conf', `[swift-hash]\nswift_hash_path_suffix = ${secret()}\nswift_hash_path_prefix = ${secret()}\n`);

  const all = [proxy];
  const rings: string[] = [];
  for (const name of stores) {
    const storePort = await freePort();
    const config = file(`${name}.conf`, storeConfig(name, storePort, common));
    rings.push(`${name}:${storePort}`);
    const store = openPrivateServer(`dray-swift-${name}-`, owner, 'KILL');
    store.begin({ prepare: ['true'], serve: [`swift-${name}-server`, config] });
    all.push(store);
  }
  // tempauth wants one for every request.
  const cachePort = await freePort();
  const cache = openPrivateServer('dray-swift-cache-', owner, 'KILL');
  cache.begin({ prepare: ['true'], serve: ['memcached', '-l', '127.0.0.1', '-p', String(cachePort), '-m', '64'] });
  all.push(cache);
  proxy.begin({
    prepare: ['/usr/bin/python3', file('rings.py', makeRings), folder, ...rings],
    serve: ['swift-proxy-server', file('proxy.conf', proxyConfig(port, cachePort, login, common))],
  });
  return {
    folder,
    begin: () => undefined,
    hasEnded: () => all.some((server) => server.hasEnded()),
    stop: async () => (await Promise.all(all.map((server) => server.stop()))).join('\n'),
  };
}

interface Common {
  readonly folder: string;
  readonly user: string;
}

function storeConfig(name: string, port: number, common: Common): string {
  return `[DEFAULT]
${commonConfig(port, common)}
devices = ${join(common.folder, 'disks')}
mount_check = false
fallocate_reserve = 0
[pipeline:main]
pipeline = ${name}-server
[app:${name}-server]
use = egg:swift#${name}
`;
}

function proxyConfig(port: number, cachePort: number, { accessKeyId, secretAccessKey }: Login, common: Common): string {
  const filters = ['catch_errors', 'gatekeeper', 'cache', 'listing_formats', 's3api', 'tempauth', 'copy', 'slo', 'dlo'];
  const settings: Record<string, string> = {
    cache: `memcache_servers = 127.0.0.1:${cachePort}\n`,
    s3api: 'location = us-east-1\ndns_compliant_bucket_names = true\n',
    tempauth: `user_${accessKeyId.replace(':', '_')} = ${secretAccessKey} .admin\n`,
  };
  return `[DEFAULT]
${commonConfig(port, common)}
[pipeline:main]
pipeline = ${filters.join(' ')} proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
${filters.map((name) => `[filter:${name}]\nuse = egg:swift#${name === 'cache' ? 'memcache' : name}\n${settings[name] ?? ''}`).join('')}`;
}

function commonConfig(port: number, { folder, user }: Common): string {
  return `bind_ip = 127.0.0.1
bind_port = ${port}
user = ${user}
swift_dir = ${folder}
workers = 0
log_level = WARNING`;
}

/** As root: the user that a server changes to, which it does by name. */
function userName({ uid }: ServerOwner): string {
  return uid === serverOwner('nobody').uid ? 'nobody' : 'swift';
}

function ownFile(owner: ServerOwner, path: string, text: string): string {
  writeFileSync(path, text, { mode: 0o600 });
  giveTo(owner, path);
  return path;
}

function ownFolder(owner: ServerOwner, path: string): void {
  mkdirSync(path);
  giveTo(owner, path);
}
