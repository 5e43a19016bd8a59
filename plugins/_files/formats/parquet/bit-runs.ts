/*
 * Runs of equal or bit-packed values: https://github.com/apache/parquet-format/blob/master/Encodings.md#RLE. The library's own reader believes
 * the lengths of runs, so that one wrong byte fills the memory.
 */

/** Reads values of so many bits until `values` is full; throws if the bytes from `at` to `to` are not enough. */
export function readRuns(bytes: Uint8Array, at: number, to: number, bitWidth: number, values: Uint8Array | Uint32Array): void {
  let count = 0;
  while (count < values.length) {
    let header = 0;
    let byte = 0x80;
    for (let shift = 1; byte >= 0x80; shift *= 128) {
      if (at >= to || shift > 2 ** 28) throw new Error('a run of values has no length');
      byte = bytes[at++]!;
      header += (byte & 0x7f) * shift;
    }
    const size = Math.floor(header / 2);
    if (header % 2 === 0) {
      const value = readBits(bytes, at, to, 0, bitWidth);
      at += Math.ceil(bitWidth / 8);
      const end = Math.min(values.length, count + size);
      values.fill(value, count, end);
      count = end;
    } else {
      const end = Math.min(values.length, count + size * 8);
      unpack(bytes, at, to, bitWidth, values.subarray(count, end));
      count = end;
      at += size * bitWidth;
    }
  }
}

function unpack(bytes: Uint8Array, at: number, to: number, bitWidth: number, values: Uint8Array | Uint32Array): void {
  if (at + Math.ceil((values.length * bitWidth) / 8) > to) throw new Error('a run of values is cut off');
  if (bitWidth > 24) {
    for (let i = 0; i < values.length; i++) values[i] = readBits(bytes, at, to, i * bitWidth, bitWidth);
    return;
  }
  const mask = (1 << bitWidth) - 1;
  let waiting = 0;
  let waitingBits = 0;
  for (let i = 0; i < values.length; i++) {
    while (waitingBits < bitWidth) {
      waiting |= bytes[at++]! << waitingBits;
      waitingBits += 8;
    }
    values[i] = waiting & mask;
    waiting >>>= bitWidth;
    waitingBits -= bitWidth;
  }
}

/** One value, wherever it starts. Not by bit operations, which end at 32 bits. */
function readBits(bytes: Uint8Array, at: number, to: number, firstBit: number, bitWidth: number): number {
  const start = at + Math.floor(firstBit / 8);
  const shift = firstBit % 8;
  let value = 0;
  for (let i = Math.ceil((shift + bitWidth) / 8) - 1; i >= 0; i--) {
    if (start + i >= to) throw new Error('a run of values is cut off');
    value = value * 256 + bytes[start + i]!;
  }
  return Math.floor(value / 2 ** shift) % 2 ** bitWidth;
}
