import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { RecordBatch } from '../../../../core/sdk/index.ts';
import { chain, unchain } from '../../../../plugins/_files/codecs/chain.ts';
import { encrypted, parseKey } from '../../../../plugins/_files/codecs/cipher.ts';
import { countingSink } from '../../../../plugins/_files/codecs/digest.ts';
import { gzip } from '../../../../plugins/_files/codecs/gzip.ts';
import { RowDigest } from '../../../../plugins/_files/codecs/row-digest.ts';
import { zstd } from '../../../../plugins/_files/codecs/zstd.ts';
import { textSchema } from '../../../support/arbitraries.ts';
const key = parseKey('42'.repeat(32));
test('bench', async () => {
  const all = readFileSync('/tmp/dcodec/orders.txt'); const lines: string[] = [];
  const sets = { none: [], gzip1: [gzip()], gzip6: [gzip({ level: 6 })], zstd1: [zstd()], zstd3: [zstd({ level: 3 })], enc: [encrypted(key)], 'zstd1+enc': [zstd(), encrypted(key)] };
  for (let k = 0; k < 2; k++) for (const [name, codecs] of Object.entries(sets)) {
    const out: Buffer[] = []; let u = process.cpuUsage(), t = performance.now();
    const c = countingSink({ write: async (b) => { out.push(Buffer.from(b)); }, end: async () => {}, destroy() {} });
    const s = chain(codecs, c);
    for (let i = 0; i < all.length; i += 1 << 18) await s.write(all.subarray(i, i + (1 << 18)));
    await s.end(); let cpu = process.cpuUsage(u); 
    const w = [all.length / (performance.now() - t) / 1e3 | 0, all.length / (cpu.user + cpu.system) | 0];
    const bytes = Buffer.concat(out); if (name === 'zstd1') writeFileSync('/tmp/dcodec/ours.zst', bytes);
    async function* src() { for (let i = 0; i < bytes.length; i += 1 << 18) yield bytes.subarray(i, i + (1 << 18)); }
    u = process.cpuUsage(); t = performance.now(); let n = 0;
    for await (const x of unchain(codecs, src(), 'f')) n += x.length;
    cpu = process.cpuUsage(u);
    lines.push(`${name}: stored ${c.bytes} write wall ${w[0]} cpu ${w[1]} MB/s; read wall ${all.length / (performance.now() - t) / 1e3 | 0} cpu ${all.length / (cpu.user + cpu.system) | 0} ${n === all.length}`);
  }
  for (let k = 0; k < 3; k++) { let u = process.cpuUsage(), t = performance.now(); const d = new RowDigest();
    let n = 0; for (let at = 0; at < all.length; ) { const e = all.indexOf(10, Math.min(at + (1 << 18), all.length - 1)) + 1; const b = all.subarray(at, e); let r = 0; for (let i = b.indexOf(10); i !== -1; i = b.indexOf(10, i + 1)) r++; d.add(new RecordBatch(textSchema(1), b, r)); n += r; at = e; }
    const cpu = process.cpuUsage(u); lines.push(`digest wall ${all.length / (performance.now() - t) / 1e3 | 0} cpu ${all.length / (cpu.user + cpu.system) | 0} MB/s rows ${n} ${d} (including counting rows)`); }
  { let u = process.cpuUsage(), t = performance.now(); let n = 0; const f = readFileSync('/tmp/dcodec/o.zst'); async function* src() { for (let i = 0; i < f.length; i += 1 << 18) yield f.subarray(i, i + (1 << 18)); } for await (const x of zstd().reader(src(), 'f')) n += x.length; const cpu = process.cpuUsage(u); lines.push(`zstd CLI 173 MB single frame: wall ${all.length / (performance.now() - t) / 1e3 | 0} cpu ${all.length / (cpu.user + cpu.system) | 0} ${n === all.length} rss ${process.memoryUsage().rss >> 20}`); }
  console.log(lines.join('\n'));
  console.log(execFileSync('bash', ['-c', 'zstd -d -c /tmp/dcodec/ours.zst | cmp - /tmp/dcodec/orders.txt && echo SAME; zstd -lv /tmp/dcodec/ours.zst; pzstd -d -c /tmp/dcodec/ours.zst | cmp - /tmp/dcodec/orders.txt && echo SAME pzstd']).toString());
}, 600000);
