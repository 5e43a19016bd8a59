import { BACKSLASH, escapeOf } from '../sdk/index.ts';

/** For each letter behind a backslash the byte that it stands for; 0: it is no escape. */
const byteOf = new Uint8Array(256);
for (const [byte, letter] of escapeOf.entries()) if (letter !== 0) byteOf[letter] = byte;

/** The text of a cell with escapes, in memory that the next one overwrites. */
export class EscapedText {
  bytes = Buffer.allocUnsafe(0);

  /** @returns how long the text is that then stands in `bytes`; -1: it has a backslash that begins none of the four escapes */
  read(bytes: Buffer, from: number, to: number): number {
    if (this.bytes.length < to - from) this.bytes = Buffer.allocUnsafeSlow(2 * (to - from));
    const text = this.bytes;
    let length = 0;
    for (let i = from; i < to; i++) {
      let byte = bytes[i]!;
      if (byte === BACKSLASH) {
        byte = byteOf[bytes[++i]!]!;
        if (byte === 0) return -1;
      }
      text[length++] = byte;
    }
    return length;
  }
}
