import { BACKSLASH, writeBytesAsText } from 'dray/sdk';
import { isText } from '../text/text-window.ts';

/** Letters that PostgreSQL writes behind a backslash (CopyAttributeOutText in copyto.c); others stand for themselves. */
const byteOf = new Uint8Array(256);
for (const [letter, byte] of Object.entries({ b: 0x08, f: 0x0c, n: 0x0a, r: 0x0d, t: 0x09, v: 0x0b })) byteOf[letter.charCodeAt(0)] = byte;

const letterX = 0x78;

/** Value of a hexadecimal digit, or 16. */
function hexDigit(byte: number | undefined): number {
  const value = byte === undefined ? Number.NaN : Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(value) ? 16 : value;
}

/** Takes the escapes out of cells of COPY text; all that PostgreSQL's COPY FROM understands, also `\x41` and `\101`. */
export class CopyUnescaper {
  /** What the last `run` wrote, from 0 on. */
  bytes: Buffer = Buffer.alloc(0);

  /** Returns how many bytes it wrote, or -1 if they are no UTF-8. */
  run(source: Buffer, from: number, to: number): number {
    if (this.bytes.length < to - from) this.bytes = Buffer.allocUnsafeSlow(2 * (to - from));
    const target = this.bytes;
    let hasNumbers = false;
    let end = 0;
    let at = from;
    while (at < to) {
      const byte = source[at++]!;
      if (byte !== BACKSLASH || at === to) {
        target[end++] = byte;
        continue;
      }
      const letter = source[at++]!;
      const octal = letter - 0x30;
      if (letter === letterX && at < to && hexDigit(source[at]) < 16) {
        let value = hexDigit(source[at++]);
        if (at < to && hexDigit(source[at]) < 16) value = value * 16 + hexDigit(source[at++]);
        target[end++] = value;
        hasNumbers = true;
      } else if (octal >= 0 && octal < 8) {
        let value = octal;
        for (let digits = 1; digits < 3 && at < to && source[at]! >= 0x30 && source[at]! < 0x38; digits++)
          value = value * 8 + source[at++]! - 0x30;
        target[end++] = value & 0xff;
        hasNumbers = true;
      } else {
        target[end++] = byteOf[letter]! || letter;
      }
    }
    return hasNumbers && !isText(target.subarray(0, end), true) ? -1 : end;
  }

  /** Writes a cell with the four escapes of packed rows; returns the position behind it, or -1 if it is no UTF-8. Reserve 2 bytes per byte. */
  repack(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
    const end = this.run(source, from, to);
    return end === -1 ? -1 : writeBytesAsText(target, at, this.bytes, 0, end);
  }
}
