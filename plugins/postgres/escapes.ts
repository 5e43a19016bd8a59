import { BACKSLASH } from 'dray/sdk';

/*
 * PostgreSQL's COPY also writes backspace, form feed and vertical tab as \b \f \v (CopyAttributeOutText in copyto.c), which MySQL does not
 * all know. In a RecordBatch they stand as they are.
 */

const controlOf: Record<number, number> = { 98: 0x08, 102: 0x0c, 118: 0x0b };

/** True if one of the three may occur; sometimes true for a harmless `\\b`, that is, a backslash followed by the letter. */
export function hasForeignEscape(bytes: Buffer): boolean {
  return bytes.includes('\\b') || bytes.includes('\\f') || bytes.includes('\\v');
}

/** A copy in which the three escapes are replaced by the characters they stand for. */
export function withCanonicalEscapes(bytes: Buffer): Buffer {
  const result = Buffer.allocUnsafe(bytes.length);
  let at = 0;
  for (let from = 0; from < bytes.length; from++) {
    const byte = bytes[from]!;
    if (byte !== BACKSLASH) {
      result[at++] = byte;
      continue;
    }
    const next = bytes[++from]!;
    const control = controlOf[next];
    if (control === undefined) {
      result[at++] = BACKSLASH;
      result[at++] = next;
    } else result[at++] = control;
  }
  return result.subarray(0, at);
}
