import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { giveTo, openPrivateServer, type PrivateServer, type ServerOwner, serverOwner } from './private-server.ts';

interface Login {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/**
 * Begins a cluster of one monitor, one store in memory and Ceph's S3 gateway on `port`; 1.5 s until it answers. Each of the
 * three has a guard of its own and waits for the one before it, so that any order of ends is clean.
 */
export async function beginCeph(port: number, { accessKeyId, secretAccessKey }: Login): Promise<PrivateServer> {
  const owner = serverOwner('ceph');
  const monitorPort = await freePort();
  const [monitor, store, gateway] = ['mon', 'osd', 'rgw'].map((name) => openPrivateServer(`dray-ceph-${name}-`, owner, 'KILL')) as [
    PrivateServer,
    PrivateServer,
    PrivateServer,
  ];
  const cluster = randomUUID();
  const file = (name: string, text: string) => ownFile(owner, join(monitor.folder, name), text);
  const keyring = file('keyring', keyringText());
  const config = file(
    'ceph.conf',
    configText({ cluster, monitorPort, keyring, folders: [monitor, store, gateway].map(({ folder }) => folder) }),
  );
  for (const { folder } of [monitor, store]) ownFolder(owner, join(folder, 'store'));

  const here = ['-c', config];
  const monitorMap = join(monitor.folder, 'monmap');
  monitor.begin({
    prepare: shell(
      ['monmaptool', '--create', '--fsid', cluster, '--addv', 'a', `[v2:127.0.0.1:${monitorPort}/0]`, monitorMap],
      ['ceph-mon', ...here, '-i', 'a', '--mkfs', '--monmap', monitorMap, '--keyring', keyring],
    ),
    serve: ['ceph-mon', ...here, '-i', 'a', '-f'],
  });
  const storeId = randomUUID();
  store.begin({
    prepare: shell(
      ['ceph', ...here, '--connect-timeout', '60', 'osd', 'new', storeId, '0'],
      ['ceph-osd', ...here, '-i', '0', '--mkfs', '--osd-uuid', storeId],
    ),
    serve: ['ceph-osd', ...here, '-i', '0', '-f'],
  });
  const user = ['--uid=dray', '--display-name=dray', `--access-key=${accessKeyId}`, `--secret-key=${secretAccessKey}`];
  gateway.begin({
    prepare: ['timeout', '60', 'radosgw-admin', ...here, 'user', 'create', ...user],
    // Without tcp_nodelay an answer that takes two packets waits 40 ms for the client's delayed acknowledgement.
    serve: ['radosgw', ...here, '-n', 'client.admin', '-f', '--rgw-frontends', `beast endpoint=127.0.0.1:${port} tcp_nodelay=1`],
  });
  const all = [gateway, store, monitor];
  return {
    folder: monitor.folder,
    begin: () => undefined,
    hasEnded: () => all.some((server) => server.hasEnded()),
    stop: async () => (await Promise.all(all.map((server) => server.stop()))).join('\n'),
  };
}

interface ConfigFacts {
  readonly cluster: string;
  readonly monitorPort: number;
  readonly keyring: string;
  /** Of monitor, store and gateway. */
  readonly folders: readonly string[];
}

/**
 * https://docs.ceph.com/en/pacific/rados/configuration/. A monitor gathers changes of the cluster's maps for a second before it
 * agrees with itself on them; making pools takes a dozen of those rounds, so `paxos …` is the difference between 13 s and 1.5 s.
 */
function configText({ cluster, monitorPort, keyring, folders }: ConfigFacts): string {
  const [monitor, store, gateway] = folders;
  return `[global]
fsid = ${cluster}
mon host = [v2:127.0.0.1:${monitorPort}/0]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
keyring = ${keyring}
run dir = ${gateway}
admin socket =
pid file =
log file =
log to stderr = true
debug rocksdb = 0/0
mon data = ${monitor}/store
mon data avail crit = 1
mon allow pool size one = true
mon max pg per osd = 1000
paxos propose interval = 0.05
paxos min wait = 0.01
mon client hunt interval = 0.1
mon client hunt interval backoff = 1
objecter tick interval = 0.2
osd data = ${store}/store
osd objectstore = memstore
memstore device bytes = 4294967296
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd class default list = *
osd class load list = *
rgw data = ${gateway}
rgw gc obj min wait = 5
rgw gc processor period = 10
rgw gc processor max time = 10
`;
}

function keyringText(): string {
  const rights = {
    'mon.': { mon: 'allow *' },
    'client.admin': { mon: 'allow *', osd: 'allow *', mgr: 'allow *' },
    'osd.0': { mon: 'allow profile osd', osd: 'allow *', mgr: 'allow profile osd' },
  };
  return Object.entries(rights)
    .map(
      ([name, caps]) =>
        `[${name}]\nkey = ${newKey()}\n${Object.entries(caps)
          .map(([of, cap]) => `caps ${of} = "${cap}"\n`)
          .join('')}`,
    )
    .join('\n');
}

/** CryptoKey of Ceph's src/auth/Crypto.cc: type 1 (AES), seconds and nanoseconds of its making, length, 16 bytes; little-endian. */
function newKey(): string {
  const head = Buffer.alloc(12);
  head.writeUInt16LE(1, 0);
  head.writeUInt32LE(Math.floor(Date.now() / 1000), 2);
  head.writeUInt16LE(16, 10);
  return Buffer.concat([head, randomBytes(16)]).toString('base64');
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

/** Commands, one after the other; their words hold no quotes. */
function shell(...commands: readonly string[][]): string[] {
  return ['sh', '-c', commands.map((words) => words.map((word) => `"${word}"`).join(' ')).join(' && ')];
}
