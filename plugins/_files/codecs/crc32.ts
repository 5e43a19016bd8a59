import * as zlib from 'node:zlib';

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0xedb88320;
  return crc >>> 0;
});

/** Of Node itself, from 20.15 on: eight times as fast. */
const native = (zlib as { readonly crc32?: (bytes: Uint8Array, before: number) => number }).crc32;

/** CRC-32 as zip and gzip have it. @param before of the bytes in front of these */
export function crc32(bytes: Uint8Array, before = 0): number {
  return native === undefined ? byTable(bytes, before) : native(bytes, before);
}

/** The same in JavaScript. */
export function byTable(bytes: Uint8Array, before: number): number {
  let crc = ~before;
  for (let at = 0; at < bytes.length; at++) crc = (crc >>> 8) ^ table[(crc ^ bytes[at]!) & 255]!;
  return ~crc >>> 0;
}
