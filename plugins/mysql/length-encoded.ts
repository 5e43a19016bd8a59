/*
 * Lengths of texts in a row's packet. https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_dt_integers.html (Length-Encoded Integers)
 */

/** Bytes of a length whose first byte is this one. */
export function lengthBytes(first: number): number {
  if (first < 0xfb) return 1;
  return first === 0xfc ? 3 : first === 0xfd ? 4 : 9;
}

/** The length that stands at `at`. */
export function lengthAt(packet: Buffer, at: number): number {
  const first = packet[at]!;
  if (first < 0xfb) return first;
  const size = lengthBytes(first) - 1;
  return size === 8 ? Number(packet.readBigUInt64LE(at + 1)) : packet.readUIntLE(at + 1, size);
}
