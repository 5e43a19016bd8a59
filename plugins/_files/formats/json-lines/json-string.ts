import { BACKSLASH, escapeOf } from 'dray/sdk';

const letterU = 0x75;

/** Behind a backslash: the byte that is meant. */
const meant = new Uint8Array(256);
for (const [letter, byte] of Object.entries({ '"': 0x22, '\\': 0x5c, '/': 0x2f, b: 0x08, f: 0x0c, n: 0x0a, r: 0x0d, t: 0x09 }))
  meant[letter.charCodeAt(0)] = byte;

/**
 * Writes the text of a JSON string as a packed cell; returns the position behind it, or -1 for half of a surrogate pair, which is not a
 * character. It needs no more room than the string itself. The string is known to be right.
 */
export function writeJsonString(target: Buffer, at: number, source: Buffer, from: number, to: number): number {
  while (from < to) {
    const byte = source[from++]!;
    if (byte !== BACKSLASH) {
      target[at++] = byte;
      continue;
    }
    const letter = source[from++]!;
    let point = meant[letter]!;
    if (letter === letterU) {
      point = hexUnit(source, from);
      from += 4;
      if (point >= 0xd800 && point <= 0xdfff) {
        const isPair = point <= 0xdbff && to - from >= 6 && source[from] === BACKSLASH && source[from + 1] === letterU;
        const low = isPair ? hexUnit(source, from + 2) : 0;
        if (low < 0xdc00 || low > 0xdfff) return -1;
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
        from += 6;
      }
    }
    if (point < 0x80) {
      const packedLetter = escapeOf[point]!;
      if (packedLetter !== 0) target[at++] = BACKSLASH;
      target[at++] = packedLetter === 0 ? point : packedLetter;
    } else if (point < 0x800) {
      target[at++] = 0xc0 | (point >> 6);
      target[at++] = 0x80 | (point & 0x3f);
    } else if (point < 0x10000) {
      target[at++] = 0xe0 | (point >> 12);
      target[at++] = 0x80 | ((point >> 6) & 0x3f);
      target[at++] = 0x80 | (point & 0x3f);
    } else {
      target[at++] = 0xf0 | (point >> 18);
      target[at++] = 0x80 | ((point >> 12) & 0x3f);
      target[at++] = 0x80 | ((point >> 6) & 0x3f);
      target[at++] = 0x80 | (point & 0x3f);
    }
  }
  return at;
}

function hexUnit(bytes: Buffer, at: number): number {
  let unit = 0;
  for (let i = 0; i < 4; i++) {
    const byte = bytes[at + i]!;
    unit = unit * 16 + (byte <= 0x39 ? byte - 0x30 : (byte | 0x20) - 0x57);
  }
  return unit;
}
