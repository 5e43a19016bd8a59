import { binaryRowHeader, copyData } from 'dray/sdk';

/*
 * Messages of COPY FROM STDIN. https://www.postgresql.org/docs/current/protocol-message-formats.html (CopyData, CopyDone, CopyFail)
 */

/** What stands in front of so many bytes of data. */
export function dataHeader(byteCount: number): Buffer {
  const header = Buffer.alloc(binaryRowHeader);
  header[0] = copyData;
  header.writeUInt32BE(byteCount + 4, 1);
  return header;
}

export const copyDone = Buffer.from([0x63, 0, 0, 0, 4]);
/** With an empty reason. */
export const copyFail = Buffer.from([0x66, 0, 0, 0, 5, 0]);

/** "PGCOPY\n\xff\r\n\0", flags, and the length of an extension that no version has. */
export const fileHeader = Buffer.from('5047434f50590aff0d0a000000000000000000', 'hex');
export const binaryStart = Buffer.concat([dataHeader(fileHeader.length), fileHeader]);
/** -1 in the place of the number of cells. */
export const binaryTrailer = Buffer.concat([dataHeader(2), Buffer.from([0xff, 0xff])]);
