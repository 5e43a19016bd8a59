/*
 * Rows as PostgreSQL's binary COPY has them. Where the source can deliver the very bytes that the target stores, neither prints nor parses them: into PostgreSQL that is
 * two fifths of its time. Each row stands in one CopyData message, so that a batch goes onto the wire as it is:
 *
 *     byte 'd' · int32 length of what follows, itself included · int16 number of cells · for each cell int32 length (-1: NULL) and its bytes
 *
 * Integers are big-endian. https://www.postgresql.org/docs/current/sql-copy.html (File Formats, Binary Format), and CopyData in protocol-message-formats.html
 */

/**
 * How one column's values stand in binary rows: as the `…_send` function of that PostgreSQL type writes them (src/backend/utils/adt). `text` is that of all types whose
 * binary form is their text in UTF-8.
 */
export type BinaryForm =
  | 'bool'
  | 'int2'
  | 'int4'
  | 'int8'
  | 'float4'
  | 'float8'
  | 'numeric'
  | 'text'
  | 'bytea'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'timestamptz'
  | 'uuid'
  | 'jsonb';

/** First byte of a CopyData message. */
export const copyData = 0x64;

/** Bytes in front of a row: the type of its message, and its length. */
export const binaryRowHeader = 5;

/** Position behind the binary row that starts at `at`. */
export function binaryRowEnd(bytes: Uint8Array, at: number): number {
  return at + 1 + ((bytes[at + 1]! << 24) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 8) | bytes[at + 4]!);
}

/** Begins a row at `at`; returns where its first cell goes. */
export function beginBinaryRow(target: Uint8Array, at: number, cellCount: number): number {
  target[at] = copyData;
  const next = at + binaryRowHeader;
  target[next] = cellCount >> 8;
  target[next + 1] = cellCount;
  return next + 2;
}

/** Says how long the row is that began at `at`. @param end position behind its last cell */
export function endBinaryRow(target: Buffer, at: number, end: number): void {
  target.writeUInt32BE(end - at - 1, at + 1);
}

/** Writes a cell that is NULL; returns the position behind it. */
export function writeBinaryNull(target: Uint8Array, at: number): number {
  target[at] = target[at + 1] = target[at + 2] = target[at + 3] = 0xff;
  return at + 4;
}
